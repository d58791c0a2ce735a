using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>Who may have a volume, by what its owner and the borrowers' tenants state.</summary>
public sealed class VolumeSharingTests
{
    private const string Ledger = "bank/ledger.yaml";
    private const string Inspection = "regulator/inspection.yaml";
    private const string Second = "  - {volume: ledger-2-data, access: write}\n";
    private const string Lent = "  - {volume: bank/ledger-archive, access: read}\n";

    [Fact]
    public void A_volume_is_exclusive_where_its_statement_is_silent()
    {
        var volumes = Example.ThreeTenants.Check().Datacentre.Machinery.Volumes;
        Assert.Equal(VolumeSharing.Exclusive, volumes[$"{Bank}/ledger-1-data"].Sharing);
        Assert.Equal(VolumeSharing.Readers, volumes[$"{Bank}/ledger-archive"].Sharing);
        Assert.Equal(
            VolumeSharing.Writers,
            Sharing("writers").Check().Datacentre.Machinery.Volumes[$"{Bank}/ledger-archive"].Sharing);
    }

    [Theory]
    [InlineData("shared")]
    [InlineData("Readers")]
    [InlineData("reader")]
    [InlineData("yes")]
    public void Refuses_another_word(string word)
    {
        var result = Sharing(word).Check();
        Assert.Contains(
            result.Findings, one => one.Code is FindingCode.UnknownEnumValue or FindingCode.AmbiguousScalar);
        Assert.DoesNotContain($"{Bank}/ledger-archive", result.Datacentre.Machinery.Volumes.Keys);
    }

    [Theory]
    [InlineData("readers", "read", null)]
    [InlineData("readers", "write", FindingCode.VolumeTwoWriters)]
    [InlineData("writers", "write", null)]
    [InlineData("writers", "read", null)]
    [InlineData("exclusive", "read", FindingCode.VolumeNotShared)]
    [InlineData("exclusive", "write", FindingCode.VolumeTwoWriters)]
    public void Says_which_machines_of_one_tenant_cannot_have_it_together(
        string sharing, string access, FindingCode? code)
    {
        var result = Alone(Sharing(sharing))
            .With(Ledger, Second, $"{Second}  - {{volume: ledger-archive, access: {access}}}\n").Check();
        Assert.Equal(
            code is { } found ? [found] : [], result.Findings.Select(one => one.Code).Distinct());
        Assert.Equal(
            code != FindingCode.VolumeTwoWriters,
            result.Datacentre.Machinery.Compartments.ContainsKey($"{Bank}/ledger-1"));
    }

    [Fact]
    public void A_machine_may_have_another_tenants_volume_that_both_sides_policies_open()
    {
        var result = Example.ThreeTenants.Check();
        Assert.Empty(result.Findings);
        Assert.Equal(
            new VolumeRef(Bank, StatementName.Parse("ledger-archive")),
            result.Datacentre.Machinery.Compartments[$"{Regulator}/inspector-1"].Disks[1].Volume);
    }

    [Theory]
    [InlineData(Ledger, "    - {to: regulator/inspection, volume: {name: ledger-archive, access: read}}", "    []")]
    [InlineData(Inspection, "    - {from: bank/ledger, volume: {name: ledger-archive, access: read}}", "    []")]
    [InlineData(Inspection, "bank/ledger-archive, access: read}", "bank/ledger-archive, access: write}")]
    [InlineData(Inspection, "bank/ledger-archive, access: read}", "bank/ledger-2-data, access: read}")]
    public void Says_of_a_machine_whose_disk_no_open_flow_lends_that_it_is_never_admitted(
        string file, string old, string now)
    {
        var finding = Assert.Single(
            Example.ThreeTenants.With(file, old, now).Check().Findings,
            one => one.Code == FindingCode.VolumeFlowClosed);
        Assert.Equal("/disks/1", finding.Pointer);
        Assert.Contains("bank/ledger", finding.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reference_that_nobody_granted_leaves_out_no_machine_of_the_owners()
    {
        var result = Example.ThreeTenants
            .With(Inspection, Lent, "  - {volume: bank/ledger-1-data, access: write}\n").Check();
        Assert.All(
            result.Findings.Where(one => one.Code != FindingCode.FlowNotAccepted),
            one => Assert.StartsWith("regulator/", one.File, StringComparison.Ordinal));
        Assert.Contains($"{Bank}/ledger-1", result.Datacentre.Machinery.Compartments.Keys);
        Assert.Contains($"{Regulator}/inspector-1", result.Datacentre.Machinery.Compartments.Keys);
    }

    [Theory]
    [InlineData("bank/nothing", FindingCode.UnknownVolume)]
    [InlineData("nobody/ledger-archive", FindingCode.UnknownParty)]
    [InlineData("bank/ledger/archive", FindingCode.BadReference)]
    [InlineData("bank/Archive", FindingCode.BadReference)]
    [InlineData("/ledger-archive", FindingCode.UnknownParty)]
    public void Says_what_is_wrong_with_a_reference(string reference, FindingCode code) => Assert.Contains(
        Example.ThreeTenants.With(Inspection, "volume: bank/ledger-archive", $"volume: \"{reference}\"")
            .Check().Findings,
        one => one.Code == code);

    [Fact]
    public void What_is_signed_names_the_owner_by_its_id()
    {
        var signed = SignedExample.Of(Example.ThreeTenants);
        var machine = signed.Statements.Single(one => one.Kind == StatementKind.Compartment
            && one.Name.Text == "inspector-1").Body.GetRawText();
        Assert.Contains($"{signed.Names.Find("bank")}/ledger-archive", machine, StringComparison.Ordinal);
        Assert.DoesNotContain("\"bank/", machine, StringComparison.Ordinal);
        Assert.Contains("\"volume\":\"inspector-1-data\"", machine, StringComparison.Ordinal);
    }

    [Fact]
    public void A_difference_names_the_sharing_and_the_other_tenants_volume()
    {
        var before = Example.ThreeTenants.Check().Datacentre;
        Assert.Contains(
            PolicyDiff.Describe(before, Sharing("writers").Check().Datacentre),
            one => one.Sentence.Contains("several machines that write", StringComparison.Ordinal));
        Assert.Contains(
            PolicyDiff.Describe(before, Example.ThreeTenants.With(Inspection, Lent, "").Check().Datacentre),
            one => one.Sentence.Contains("no longer read the volume ledger-archive of", StringComparison.Ordinal));
    }

    private static PartyId Bank { get; } = PartyId.Unsigned("bank");

    private static PartyId Regulator { get; } = PartyId.Unsigned("regulator");

    private static Example Sharing(string word) =>
        Example.ThreeTenants.With(Ledger, "sharing: readers", $"sharing: {word}");

    /// <summary>Nobody but the bank's machines has the archive.</summary>
    private static Example Alone(Example example) => example.With(Inspection, Lent, "");
}
