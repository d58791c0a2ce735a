using System.Globalization;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.Policy;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Consequences;

/// <summary>What follows from policies: each finding, and that its least change ends it. The example is the control.
/// </summary>
public sealed class PolicyConsequencesTests
{
    public static TheoryData<string> Rows => [.. ConsequenceRows.All.Keys];

    [Fact]
    public void Nothing_unmeant_follows_from_the_example() => Assert.Empty(Of(Example.ThreeTenants));

    [Theory]
    [MemberData(nameof(Rows))]
    public void Each_consequence_is_found_once_with_its_reason_and_the_least_change_ends_it(string what)
    {
        var row = ConsequenceRows.All[what];

        var found = Assert.Single(Of(row.Wrong));

        Assert.Equal(
            (row.Code, row.File, row.Pointer), (WireText.Of(found.Code), found.File, found.Pointer));
        Assert.InRange(found.Line, 1, row.Wrong.Files[row.File].Split('\n').Length);
        int at = 0;
        foreach (string said in row.Says)
        {
            int next = found.Sentence.IndexOf(said, at, StringComparison.Ordinal);
            Assert.True(next >= 0, $"{found.Sentence}\ndoes not say, in this order: {said}");
            at = next + said.Length;
        }

        Assert.Contains("The least change: ", found.Sentence, StringComparison.Ordinal);
        Assert.Empty(row.Mended.Check().Findings);
        Assert.Empty(Of(row.Mended));
    }

    [Fact]
    public void What_is_found_leaves_no_statement_out_and_hurts_no_other_tenant()
    {
        foreach (var row in ConsequenceRows.All.Values)
        {
            var (before, after) = (row.Mended.Check().Datacentre, row.Wrong.Check().Datacentre);

            Assert.NotEmpty(Of(row.Wrong));
            Assert.Equal(before.Domains.Keys, after.Domains.Keys);
            Assert.Equal(before.Machinery.Compartments.Keys, after.Machinery.Compartments.Keys);
            Assert.Equal(before.Machinery.Volumes.Keys, after.Machinery.Volumes.Keys);
        }
    }

    [Fact]
    public void A_tenant_that_checks_alone_hears_nothing_of_hosts_it_does_not_know()
    {
        var wrong = ConsequenceRows.All["no host stands in a country of a domain"].Wrong;
        var names = PartyNames.UnsignedOfPaths(wrong.Files.Keys);
        var alone = PolicyDocuments.ReadYaml(
            wrong.Without("alpine/").Files.Select(file =>
                (file.Key, (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(file.Value))), names);

        Assert.NotEmpty(Of(wrong));
        Assert.Empty(PolicyConsequences.Of(alone.Documents, PolicyCheck.Run(alone).Datacentre, Now));
    }

    [Theory]
    [InlineData("2035-12-01T23:59:59Z", "", false)]
    [InlineData("2035-12-02T00:00:00Z", "expires-soon", true)]
    [InlineData("2035-12-31T23:59:59Z", "expires-soon", true)]
    [InlineData("2036-01-01T00:00:00Z", "expired", false)]
    public void A_domains_end_is_a_note_before_it_comes_and_a_finding_from_then_on(string at, string code, bool note)
    {
        var found = Of(Example.ThreeTenants, DateTimeOffset.Parse(at, CultureInfo.InvariantCulture));

        Assert.Equal(code.Length == 0 ? 0 : 4, found.Length);
        Assert.All(found, one =>
            Assert.Equal((code, "/expires", note), (WireText.Of(one.Code), one.Pointer, one.IsNote)));
        Assert.All(found, one => Assert.Contains("sign a revision", one.Sentence, StringComparison.Ordinal));
    }

    [Fact]
    public void A_domain_that_ends_before_the_other_domain_of_a_machine_says_which_machine_is_stranded()
    {
        var both = ConsequenceRows.All["a machine in two domains is named by no flow on both sides"].Mended
            .With("bank/ledger.yaml", "expires: 2036", "expires: 2027");

        var found = Assert.Single(Of(both, new DateTimeOffset(2026, 12, 20, 0, 0, 0, TimeSpan.Zero)));

        Assert.Equal((FindingCode.ExpiresSoon, "bank/ledger.yaml"), (found.Code, found.File));
        Assert.Contains("ends in 12 days, and then 3 machines", found.Sentence, StringComparison.Ordinal);
        Assert.Contains("bank/web-2 although it is also in bank/web", found.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Machines_of_one_kind_are_told_once_and_counted()
    {
        var many = Enumerable.Range(20, 30).Aggregate(
            Example.ThreeTenants.With("hospital/records.yaml", "quota: {machines: 4, cpus: 4, memoryMiB: 1024",
                "quota: {machines: 99, cpus: 999, memoryMiB: 99999"),
            (example, i) => example.Plus("hospital/records.yaml", string.Create(CultureInfo.InvariantCulture,
                $"kind: Compartment\nname: more-{i}\ncpus: 9\nmemoryMiB: 112\nboot: {{image: guest}}\ndisks: []\n"
                + $"nics:\n  - {{domain: records, ipv4: 10.20.1.{i}}}\ndevices: []\nplacement: {{}}")));

        Assert.Empty(many.Check().Findings);
        var found = Assert.Single(Of(many));

        Assert.Contains("hospital/more-20 needs 9 cpus", found.Sentence, StringComparison.Ordinal);
        Assert.EndsWith("true of 29 others, as hospital/more-21.", found.Sentence, StringComparison.Ordinal);
    }

    internal static Finding[] Of(Example example, DateTimeOffset? at = null)
    {
        var reading = example.Read();
        return [.. PolicyConsequences.Of(reading.Documents, PolicyCheck.Run(reading).Datacentre, at ?? Now)];
    }
}
