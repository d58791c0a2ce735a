using System.Collections.Immutable;
using System.Text;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>Volumes that begin with the disk of an image: what is said and what is wrong.</summary>
public sealed class VolumeFromImageTests
{
    private const string Images = "bank/images.yaml", Web = "bank/web.yaml";
    private static readonly string Digest = new('a', 64);

    private static readonly string Volume = $"{PartyId.Unsigned("bank")}/web-1-data";

    private static readonly string[] Names = ["vmlinuz", "initrd.gz", "base.raw"];

    private static readonly Example Filled = Example.ThreeTenants
        .With(Images, "arguments:", $"disk: {{sha256: {Digest}, sizeMiB: 8}}\narguments:")
        .With(Web, "name: web-1-data\n", "name: web-1-data\nfrom: {image: guest}\n");

    [Fact]
    public void What_a_volume_begins_with_is_read_and_its_change_is_told()
    {
        PolicyCheckResult result = Filled.Check();
        Assert.Empty(result.Findings);
        Assert.Equal(
            PolicyChangeCode.Volume,
            Assert.Single(
                PolicyDiff.Describe(Example.ThreeTenants.Check().Datacentre, result.Datacentre),
                change => change.Sentence.Contains("made from the image guest", StringComparison.Ordinal)).Code);
        ImageModel image = result.Datacentre.Machinery.Images.Values.Single(
            one => one.Origin.OwnerName == "bank" && one.Ref.Name.Text == "guest");
        Assert.Equal(new DiskContent(Digest, 8), image.Disk);
    }

    [Theory]
    [InlineData(Images, "disk: {sha256: ", "disc: {sha256: ", "depends-on-left-out unknown-member")]
    [InlineData(Images, ", sizeMiB: 8}", "}", "depends-on-left-out missing-member")]
    [InlineData(Images, ", sizeMiB: 8}", ", sizeMiB: 0}", "depends-on-left-out out-of-range")]
    [InlineData(Images, ", sizeMiB: 8}", ", sizeMiB: 17}", "depends-on-left-out volume-too-small")]
    [InlineData(Images, ", sizeMiB: 8}", ", sizeMiB: 8, format: raw}", "depends-on-left-out unknown-member")]
    [InlineData(Web, "from: {image: guest}", "from: {image: gast}", "depends-on-left-out unknown-image")]
    [InlineData(Web, "from: {image: guest}", "from: {file: base.raw}",
        "depends-on-left-out missing-member unknown-member")]
    [InlineData(Web, "from: {image: guest}", "from: guest", "depends-on-left-out wrong-type")]
    [InlineData(Web, "storage:\n  confidentiality: required", "storage:\n  confidentiality: none",
        "content-needs-ciphertext depends-on-left-out")]
    public void What_is_wrong_with_it_is_a_finding_and_the_volume_is_left_out(
        string file, string old, string mistake, string codes)
    {
        PolicyCheckResult result = Filled.With(file, old, mistake).Check();
        Assert.Equal(codes, string.Join(' ', result.Findings.Select(one => WireText.Of(one.Code)).Distinct()
            .Order(StringComparer.Ordinal)));
        Assert.DoesNotContain(Volume, result.Datacentre.Machinery.Volumes.Keys);
    }

    [Fact]
    public void An_image_that_is_used_and_has_no_disk_is_a_finding()
    {
        PolicyCheckResult result = Filled.With(Images, $"disk: {{sha256: {Digest}, sizeMiB: 8}}\n", "").Check();
        Assert.Contains(
            result.Findings, one => (one.Code, one.Pointer) == (FindingCode.ImageWithoutDisk, "/from/image"));
        Assert.DoesNotContain(Volume, result.Datacentre.Machinery.Volumes.Keys);
    }

    [Fact]
    public void Signing_puts_the_digest_in_the_place_of_the_file_and_keeps_the_size()
    {
        PolicyDocument image = Example.ThreeTenants
            .With(Images, "arguments:", "disk: {file: base.raw, sizeMiB: 8}\narguments:").Read().Documents
            .Single(one => one.Origin.OwnerName == "bank" && one.Origin.Kind == StatementKind.Image);
        var files = Names.ToImmutableDictionary(name => name, _ => Digest);
        SignedBody.Ready ready = Assert.IsType<SignedBody.Ready>(
            image.ToSignedBody(SigningMaterial.Of(PartyNames.None) with { FileDigests = files }));
        Assert.Contains(
            $"\"disk\":{{\"sha256\":\"{Digest}\",\"sizeMiB\":8}}", Encoding.UTF8.GetString(ready.Canonical.Span),
            StringComparison.Ordinal);
        Assert.IsType<SignedBody.Unready>(image.ToSignedBody(
            SigningMaterial.Of(PartyNames.None) with { FileDigests = files.Remove("base.raw") }));
    }
}
