using Bailiwick.Lab.Guests;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Lab;

/// <summary>What every guest's kernel is told, whoever starts it.</summary>
public sealed class GuestCommandLineTests
{
    [Fact]
    public void A_guest_never_tests_its_timer_and_those_of_the_example_are_told_what_all_are_told()
    {
        Assert.Contains(" no_timer_check", GuestCommandLine.Always, StringComparison.Ordinal);
        Assert.StartsWith(
            GuestCommandLine.Always + " bailiwick.machine=bank/web-1", GuestCommandLine.Write("bank/web-1"),
            StringComparison.Ordinal);
        string[] images =
        [
            .. Example.ThreeTenants.Files.Values.SelectMany(text => text.Split('\n'))
                .Where(line => line.StartsWith("arguments: ", StringComparison.Ordinal)),
        ];
        Assert.Equal(3, images.Length);
        Assert.All(images, line => Assert.Equal("arguments: " + GuestCommandLine.Always, line));
    }
}
