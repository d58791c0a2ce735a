using System.Runtime.CompilerServices;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Tests.Domains.Refinement;

public sealed class KeptTests
{
    private const int Revisions = 1000;
    private Kept<object>? _kept;

    [Fact]
    public void What_was_made_for_statements_long_gone_is_let_go_of_and_the_newest_is_found()
    {
        WeakReference first = Make();
        Assert.True(first.IsAlive);
        LinkWay newest = Way(0);
        for (int revision = 1; revision <= Revisions; revision++)
        {
            newest = Way(revision);
            Kept<object>.Of(ref _kept, newest, _ => new object());
        }

        GC.Collect();
        Assert.False(first.IsAlive);
        Assert.Same(Kept<object>.Find(_kept, newest), Kept<object>.Of(ref _kept, newest, _ => new object()));
    }

    /// <summary>In a method of its own, so that nothing here holds it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference Make() => new(Kept<object>.Of(ref _kept, Way(0), _ => new object()));

    private static LinkWay Way(int revision) => new(LinkProtection.Clear, $"revision {revision}", []);
}
