using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>Volumes that are copies of others, and snapshots: what is said and what is wrong.</summary>
public sealed class VolumeCopyTests
{
    private const string Web = "bank/web.yaml";
    private const string From = "from: {volume: base}";
    private const string Base = "kind: Volume\nname: base\ndomain: web\nsizeMiB: 16\nwipe: crypto-erase\n---\n";
    private const string Disk = "{volume: web-1-data, access: write}";
    private static readonly string Volume = $"{PartyId.Unsigned("bank")}/web-1-data";
    private static readonly string Machine = $"{PartyId.Unsigned("bank")}/web-1";

    private static readonly Example Copied = Example.ThreeTenants.With(
        Web, "kind: Volume\nname: web-1-data\n", $"{Base}kind: Volume\nname: web-1-data\n{From}\n");

    [Fact]
    public void A_copy_and_a_snapshot_are_read_and_told_and_a_blank_volume_is_neither()
    {
        VolumeModel copy = Only(Copied.Check());
        Assert.Equal(("base", VolumeAccess.Write, true), (copy.FromVolume?.Text, copy.Access, copy.BeginsWithContent));
        VolumeModel snapshot = Only(Copied.With(Web, From, $"{From}\naccess: read")
            .With(Web, Disk, "{volume: web-1-data, access: read}").Check());
        Assert.Equal(VolumeAccess.Read, snapshot.Access);
        VolumeModel blank = Only(Example.ThreeTenants.Check());
        Assert.Equal((null, VolumeAccess.Write, false), (blank.FromVolume, blank.Access, blank.BeginsWithContent));
        Assert.Contains(
            PolicyDiff.Describe(Example.ThreeTenants.Check().Datacentre, Copied.Check().Datacentre),
            change => change.Code == PolicyChangeCode.Volume
                && change.Sentence.Contains("made as a copy of base", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(From, "from: {volume: bass}", "depends-on-left-out unknown-volume")]
    [InlineData(From, "from: {volume: web-1-data}", "copy-of-itself depends-on-left-out")]
    [InlineData("name: base\n", "name: base\nfrom: {volume: web-1-data}\n", "copy-of-itself depends-on-left-out")]
    [InlineData("name: base\ndomain: web\nsizeMiB: 16", "name: base\ndomain: web\nsizeMiB: 17",
        "depends-on-left-out volume-too-small")]
    [InlineData("name: base\ndomain: web", "name: base\ndomain: ledger", "copy-of-another-domain depends-on-left-out")]
    [InlineData(From, "from: {volume: base, image: guest}", "depends-on-left-out two-sources")]
    [InlineData(From, "from: {}", "depends-on-left-out missing-member")]
    [InlineData(From, "access: read", "depends-on-left-out snapshot-of-nothing")]
    [InlineData(From, "access: maybe", "depends-on-left-out unknown-enum-value")]
    [InlineData("storage:\n  confidentiality: required", "storage:\n  confidentiality: none",
        "content-needs-ciphertext depends-on-left-out")]
    [InlineData("name: base\n", "name: base\nfrom: {image: gast}\n", "depends-on-left-out unknown-image")]
    public void What_is_wrong_with_a_copy_is_a_finding_and_the_volume_is_left_out(
        string old, string mistake, string codes)
    {
        PolicyCheckResult result = Copied.With(Web, old, mistake).Check();
        Assert.Equal(codes, Codes(result));
        Assert.DoesNotContain(Volume, result.Datacentre.Machinery.Volumes.Keys);
    }

    [Fact]
    public void A_ring_of_three_copies_is_left_out_and_what_is_copied_from_it_as_well()
    {
        Example ring = Copied
            .With(Web, "kind: Volume\nname: base\n",
                "kind: Volume\nname: third\nfrom: {volume: second}\ndomain: web\nsizeMiB: 16\n"
                + "wipe: crypto-erase\n---\nkind: Volume\nname: second\nfrom: {volume: base}\ndomain: web\n"
                + "sizeMiB: 16\nwipe: crypto-erase\n---\nkind: Volume\nname: base\nfrom: {volume: third}\n");
        PolicyCheckResult result = ring.Check();
        Assert.Equal(3, result.Findings.Count(one => one.Code == FindingCode.CopyOfItself));
        Assert.DoesNotContain(Volume, result.Datacentre.Machinery.Volumes.Keys);
        Assert.DoesNotContain(Machine, result.Datacentre.Machinery.Compartments.Keys);
    }

    [Fact]
    public void A_machine_that_would_write_a_snapshot_is_left_out_and_its_reader_is_not()
    {
        Example snapshot = Copied.With(Web, From, $"{From}\naccess: read");
        PolicyCheckResult written = snapshot.Check();
        Finding finding = Assert.Single(written.Findings);
        Assert.Equal((FindingCode.SnapshotWritten, "/disks/0/access"), (finding.Code, finding.Pointer));
        Assert.DoesNotContain(Machine, written.Datacentre.Machinery.Compartments.Keys);
        PolicyCheckResult read = snapshot.With(Web, Disk, "{volume: web-1-data, access: read}").Check();
        Assert.Empty(read.Findings);
        Assert.Contains(Machine, read.Datacentre.Machinery.Compartments.Keys);
    }

    [Fact]
    public void The_plan_of_the_copy_has_what_it_is_a_copy_of_to_be_read_and_nothing_else_has()
    {
        HostPlan plan = Refine.ForHost(
            Copied.Check().Datacentre, ExamplePlacements.All, ExamplePlacements.Host("host-1"), ExamplePlacements.Now);
        DiskPlan[] disks = [.. plan.Domains.SelectMany(one => one.Compartments).SelectMany(one => one.Disks)];
        DiskPlan copy = Assert.Single(disks, one => one.CopyOf is not null);
        Assert.Equal(Volume, copy.Volume.ToString());
        DiskPlan source = Assert.IsType<DiskPlan>(copy.CopyOf);
        Assert.Equal(("base", 16, true, VolumeAccess.Read),
            (source.Volume.Name.Text, source.SizeMib, source.Encrypted, source.Access));
        Assert.NotEqual(copy.FileName, source.FileName);
        Assert.Null(source.CopyOf);
    }

    private static VolumeModel Only(PolicyCheckResult result)
    {
        Assert.Empty(result.Findings);
        return result.Datacentre.Machinery.Volumes[Volume];
    }

    private static string Codes(PolicyCheckResult result) => string.Join(
        ' ', result.Findings.Select(one => WireText.Of(one.Code)).Distinct().Order(StringComparer.Ordinal));
}
