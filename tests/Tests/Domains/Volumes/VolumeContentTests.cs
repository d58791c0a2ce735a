using Bailiwick.Domains.Volumes;

namespace Bailiwick.Tests.Domains.Volumes;

/// <summary>What may be attached as an encrypted volume.</summary>
public sealed class VolumeContentTests
{
    private const long Data = 4 << 20;

    [Fact]
    public void Accepts_what_QEMU_makes_of_exactly_the_planned_length()
    {
        VolumeContent content = VolumeContent.Check(DiskImage.Vector("luks1").Bytes, Data);
        Assert.Empty(content.Refusals);
        Assert.NotNull(content.HeaderDigest);
    }

    [Theory]
    [InlineData(512, "[volume-length]")]
    [InlineData(-512, "[volume-length]")]
    [InlineData(1, "[volume-length]")]
    public void Refuses_another_length(int more, string code)
    {
        DiskImage image = DiskImage.Vector("luks1");
        VolumeContent content = VolumeContent.Check(image.Resize(image.Content.Length + more).Bytes, Data);
        Assert.EndsWith(code, Assert.Single(content.Refusals), StringComparison.Ordinal);
        Assert.Null(content.HeaderDigest);
    }

    [Theory]
    [InlineData("qcow2-backing", "[luks-not-luks]")]
    [InlineData("raw", "[luks-not-luks]")]
    [InlineData("vmdk-flat", "[luks-not-luks]")]
    [InlineData("luks1-two-keys", "[luks-several-active-slots]")]
    [InlineData("luks1-sha1", "[luks-hash]")]
    [InlineData("luks2", "[luks-version]")]
    public void Refuses_every_other_content(string name, string code)
    {
        VolumeContent content = VolumeContent.Check(DiskImage.Vector(name).Bytes, Data);
        Assert.Contains(content.Refusals, one => one.EndsWith(code, StringComparison.Ordinal));
        Assert.Null(content.HeaderDigest);
    }

    [Fact]
    public void Refuses_a_header_that_is_something_else_at_the_same_time_and_looks_at_no_data()
    {
        DiskImage image = DiskImage.Vector("luks1").Put(32769, "CD001");
        Assert.Contains("[volume-ambiguous]", Assert.Single(VolumeContent.Check(image.Bytes, Data).Refusals));
        // The last sectors are data, which may be any bytes.
        image = DiskImage.Vector("luks1").Put((int)(2_068_480 + Data - 512), "conectix");
        Assert.Empty(VolumeContent.Check(image.Bytes, Data).Refusals);
    }
}
