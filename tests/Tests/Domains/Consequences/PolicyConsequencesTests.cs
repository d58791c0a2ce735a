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

    [Fact]
    public void Domains_that_agree_on_nothing_and_meet_in_a_third_are_a_note_until_one_machine_leaves_it()
    {
        var both = new Func<Example, string, string, Example>((example, machine, domain) => example.With(
            "bank/web.yaml", machine == "web-1" ? "fd20:1::11\"}\n" : "fd20:1::12\"}\n",
            $"fd20:1::1{machine[^1]}\"}}\n  - {{domain: {domain}, ipv4: 10.9.{machine[^1]}.9}}\n"));
        var example = Example.ThreeTenants
            .Plus("bank/web.yaml", Third("left", "1")).Plus("bank/web.yaml", Third("right", "2"))
            .With("bank/web.yaml", "  accepts: []\n---\nkind: Compartment\nname: web-1",
                "    - {to: bank/left, network: {protocol: tcp, ports: [1]}}\n"
                + "    - {to: bank/right, network: {protocol: tcp, ports: [1]}}\n  accepts: []\n---\n"
                + "kind: Compartment\nname: web-1");
        var meeting = both(both(example, "web-1", "left"), "web-2", "right");
        var apart = both(example, "web-1", "left").Plus("bank/web.yaml",
            "kind: Compartment\nname: right-1\ncpus: 1\nmemoryMiB: 112\nboot: {image: guest}\ndisks: []\n"
            + "nics:\n  - {domain: right, ipv4: 10.9.2.9}\ndevices: []\nplacement: {}");

        Assert.Empty(meeting.Check().Findings);
        Assert.Empty(Of(meeting));
        var note = Assert.Single(All(meeting), one => one.Code == FindingCode.MeetElsewhere);
        Assert.Contains("bank/left and bank/right agree on no flow", note.Sentence, StringComparison.Ordinal);
        Assert.Contains("bank/web-2 of the other exchange everything in bank/web", note.Sentence,
            StringComparison.Ordinal);
        Assert.Empty(apart.Check().Findings);
        Assert.DoesNotContain(All(apart), one => one.Code == FindingCode.MeetElsewhere);
    }

    [Fact]
    public void A_flow_between_domains_that_limits_nothing_for_a_machine_in_both_is_a_note()
    {
        var both = ConsequenceRows.All["a machine in two domains is named by no flow on both sides"].Mended;

        var note = Assert.Single(All(both));

        Assert.Equal((FindingCode.FlowBesideMember, "bank/web.yaml", "/flows/grants/0", true),
            (note.Code, note.File, note.Pointer, note.IsNote));
        Assert.Contains("to bank/ledger limits nothing for bank/web-2", note.Sentence, StringComparison.Ordinal);
        Assert.Empty(All(Example.ThreeTenants));
    }

    private static string Third(string name, string number) =>
        $"kind: Domain\nname: {name}\nlegalOwner: {{name: Bank, jurisdiction: CH}}\nexpires: 2036-01-01T00:00:00Z\n"
        + "hosts: {operators: [alpine], assurance: [software], jurisdictions: [CH, DE]}\nmachines: {images: [guest]}\n"
        + $"network: {{subnets: [10.9.{number}.0/24], confidentiality: none}}\nstorage: {{confidentiality: required}}\n"
        + "quota: {machines: 4, cpus: 4, memoryMiB: 1024, storageMiB: 1}\nflows:\n  grants: []\n  accepts:\n"
        + "    - {from: bank/web, network: {protocol: tcp, ports: [1]}}";

    /// <summary>What is wrong, and what ends; without notes of what its statements say.</summary>
    internal static Finding[] Of(Example example, DateTimeOffset? at = null) => [.. All(example, at).Where(one =>
        one.Code is not (FindingCode.MeetElsewhere or FindingCode.FlowBesideMember))];

    private static Finding[] All(Example example, DateTimeOffset? at = null)
    {
        var reading = example.Read();
        return [.. PolicyConsequences.Of(reading.Documents, PolicyCheck.Run(reading).Datacentre, at ?? Now)];
    }
}
