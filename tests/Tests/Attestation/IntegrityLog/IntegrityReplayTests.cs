using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Ledger;

namespace Bailiwick.Tests.Attestation.IntegrityLog;

/// <summary>A head stands for one list of entries and for no other.</summary>
public sealed class IntegrityReplayTests
{
    private static readonly IntegrityEntry[] Entries =
    [
        new(0, IntegrityKind.Plan, "host-1", Of("plan")),
        new(1, IntegrityKind.Admission, "bank/web-1", Of("verdict")),
        new(2, IntegrityKind.VolumeOpened, "bank/web-1-data", Of("context")),
        new(3, IntegrityKind.ManagementRead, "bank/web-1", Of("console")),
    ];

    [Fact]
    public void Replays_the_log_that_gave_the_head()
    {
        var whole = Assert.IsType<IntegrityReplay.Whole>(Replay(Lines(), Head()));
        Assert.Equal(Entries, whole.Entries);
    }

    [Fact]
    public void Replays_on_from_an_earlier_head()
    {
        IntegrityHead known = IntegrityHead.Empty.Extend(Entries[0]).Extend(Entries[1]);
        Assert.IsType<IntegrityReplay.Whole>(IntegrityReplay.Run(known, Lines().Skip(2), Head()));
    }

    [Fact]
    public void The_first_head_is_the_hash_of_zeros_and_the_entry()
    {
        byte[] expected = [.. new byte[32], .. Entries[0].Write()];
        Assert.Equal(Digest32.Of(expected), IntegrityHead.Empty.Extend(Entries[0]).Digest);
        Assert.Equal(
            $$"""{"digest":"{{Of("plan")}}","kind":"plan","sequence":0,"subject":"host-1"}""",
            Encoding.UTF8.GetString(Entries[0].Write()));
    }

    [Fact]
    public void Refuses_a_dropped_entry() => AssertBroken(3, Lines().Take(3));

    [Fact]
    public void Refuses_an_entry_dropped_in_the_middle() => AssertBroken(1, [.. Lines().Take(1), .. Lines().Skip(2)]);

    [Fact]
    public void Refuses_an_added_entry() =>
        AssertBroken(4, Lines().Append(new IntegrityEntry(4, IntegrityKind.Drift, "x", Of("x")).Write()));

    [Fact]
    public void Refuses_exchanged_entries() => AssertBroken(0, [Lines()[1], Lines()[0], Lines()[2], Lines()[3]]);

    [Fact]
    public void Refuses_a_changed_entry() =>
        AssertBroken(4, [(Entries[0] with { Subject = "host-2" }).Write(), .. Lines().Skip(1)]);

    [Fact]
    public void Refuses_a_line_in_another_form() =>
        AssertBroken(0, [Encoding.UTF8.GetBytes(" " + Encoding.UTF8.GetString(Lines()[0].Span)), .. Lines().Skip(1)]);

    [Theory]
    [InlineData("""{"digest":"D","kind":"read","sequence":0,"subject":"x"}""")]
    [InlineData("""{"digest":"D","kind":"plan","sequence":0,"subject":""}""")]
    [InlineData("""{"digest":"D","kind":"plan","sequence":0,"subject":"x","time":1}""")]
    [InlineData("""{"digest":"D","kind":"plan","sequence":-1,"subject":"x"}""")]
    [InlineData("""{"digest":"d0","kind":"plan","sequence":0,"subject":"x"}""")]
    public void Reads_no_other_entry(string line) =>
        Assert.Null(IntegrityEntry.Read(Encoding.UTF8.GetBytes(
            line.Replace("\"D\"", $"\"{Of("x")}\"", StringComparison.Ordinal))));

    [Fact]
    public void Every_kind_has_a_name_that_reads_back()
    {
        Assert.All(IntegrityKinds.All, kind => Assert.Equal(kind, IntegrityKinds.Parse(kind.WireName())));
        Assert.Null(IntegrityKinds.Parse("Plan"));
        Assert.Null(IntegrityKinds.Parse(null));
    }

    private static void AssertBroken(long at, IEnumerable<ReadOnlyMemory<byte>> lines)
    {
        Assert.IsType<IntegrityReplay.Whole>(Replay(Lines(), Head()));
        Assert.Equal(at, Assert.IsType<IntegrityReplay.Broken>(Replay(lines, Head())).At);
    }

    private static IntegrityReplay Replay(IEnumerable<ReadOnlyMemory<byte>> lines, IntegrityHead head) =>
        IntegrityReplay.Run(IntegrityHead.Empty, lines, head);

    private static IntegrityHead Head() => Entries.Aggregate(IntegrityHead.Empty, (head, entry) => head.Extend(entry));

    private static List<ReadOnlyMemory<byte>> Lines() =>
        [.. Entries.Select(entry => new ReadOnlyMemory<byte>(entry.Write()))];

    private static Digest32 Of(string text) => Digest32.Of(Encoding.UTF8.GetBytes(text));
}
