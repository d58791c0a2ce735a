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
    [InlineData(6 << 20, 4 << 20)]
    [InlineData(5 << 20, 4 << 20)]
    public void Accepts_the_length_that_an_earlier_revision_stated_and_says_so(long planned, long former)
    {
        VolumeContent content = VolumeContent.Check(DiskImage.Vector("luks1").Bytes, planned, 1 << 20, former);
        Assert.Empty(content.Refusals);
        Assert.Equal(former, content.FormerBytes);
        Assert.Equal(
            VolumeContent.Check(DiskImage.Vector("luks1").Bytes, Data).HeaderDigest, content.HeaderDigest);
        Assert.Null(VolumeContent.Check(DiskImage.Vector("luks1").Bytes, Data, former, 8 << 20).FormerBytes);
    }

    [Theory]
    [InlineData(6 << 20, 5 << 20)]
    [InlineData(3 << 20, 4 << 20)]
    public void Refuses_a_length_that_no_revision_stated_and_one_that_would_become_smaller(long planned, long former)
    {
        VolumeContent content = VolumeContent.Check(DiskImage.Vector("luks1").Bytes, planned, former);
        Assert.EndsWith("[volume-length]", Assert.Single(content.Refusals), StringComparison.Ordinal);
        Assert.Null(content.FormerBytes);
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
