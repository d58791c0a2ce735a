using Bailiwick.Domains.Volumes;

namespace Bailiwick.Tests.Domains.Volumes;

/// <summary>What may become the content of a disk, on files of real tools and on ones made to deceive.</summary>
public sealed class DiskImportTests
{
    private const long Largest = DiskImport.LargestBytes;

    [Theory]
    [InlineData("raw", null)]
    [InlineData("mbr", null)]
    [InlineData("gpt", null)]
    [InlineData("qcow2", DiskFormat.Qcow2)]
    [InlineData("qcow2-v2", DiskFormat.Qcow2)]
    [InlineData("qcow2-extended", DiskFormat.Qcow2)]
    [InlineData("vmdk", DiskFormat.Vmdk)]
    [InlineData("vmdk-stream", DiskFormat.Vmdk)]
    [InlineData("vdi", DiskFormat.Vdi)]
    [InlineData("vdi-static", DiskFormat.Vdi)]
    public void An_honest_file_is_taken_in_as_what_it_is(string name, DiskFormat? format)
    {
        DiskImage image = DiskImage.Vector(name);
        DiskImport found = DiskImport.Judge(image.Bytes, Largest);
        Assert.True(found.IsAccepted, string.Join(" ", found.Refusals.Select(one => one.Sentence)));
        Assert.Equal(format, found.Format);
        Assert.Equal(
            format is null ? image.Content.Length : name == "vdi-static" ? 1L << 20 : 4L << 20, found.VirtualBytes);
    }

    [Theory]
    [InlineData("qcow2-backing", DiskRefusalCode.BackingFile)]
    [InlineData("qcow2-backing-json", DiskRefusalCode.BackingFile)]
    [InlineData("qcow2-data-file", DiskRefusalCode.DataFile)]
    [InlineData("qcow2-luks", DiskRefusalCode.Encrypted)]
    [InlineData("qcow2-snapshot", DiskRefusalCode.Snapshots)]
    [InlineData("qcow2-petabyte", DiskRefusalCode.TooLarge)]
    [InlineData("vmdk-flat", DiskRefusalCode.NotRaw)]
    [InlineData("qcow", DiskRefusalCode.NotRaw)]
    [InlineData("qed", DiskRefusalCode.NotRaw)]
    [InlineData("vhd", DiskRefusalCode.NotRaw)]
    [InlineData("vhd-fixed", DiskRefusalCode.NotRaw)]
    [InlineData("vhdx", DiskRefusalCode.NotRaw)]
    [InlineData("parallels", DiskRefusalCode.NotRaw)]
    [InlineData("optical", DiskRefusalCode.NotRaw)]
    [InlineData("luks1", DiskRefusalCode.NotRaw)]
    [InlineData("luks2", DiskRefusalCode.NotRaw)]
    public void Everything_else_is_refused_with_its_reason(string name, DiskRefusalCode code)
    {
        DiskImport found = DiskImport.Judge(DiskImage.Vector(name).Bytes, Largest);
        Assert.False(found.IsAccepted);
        Assert.Contains(found.Refusals, one => one.Code == code);
        Assert.Equal(0, found.VirtualBytes);
    }

    [Fact]
    public void Refuses_a_first_table_of_a_million_entries() =>
        Refused(DiskImage.Vector("qcow2").Big32(36, 1_000_000), DiskRefusalCode.TableTooLarge);

    [Fact]
    public void Refuses_a_file_that_is_also_an_optical_disc() => Refused(
        DiskImage.Vector("qcow2").Put(32 * 1024, 1).Put((32 * 1024) + 1, "CD001"), DiskRefusalCode.Ambiguous);

    [Fact]
    public void Refuses_a_header_that_is_cut_off() =>
        Refused(DiskImage.Vector("qcow2").Resize(64), DiskRefusalCode.Truncated);

    [Fact]
    public void Refuses_a_disk_of_no_size() =>
        Refused(DiskImage.Vector("qcow2").Big64(24, 0), DiskRefusalCode.NotWholeSectors);

    [Fact]
    public void Refuses_more_than_the_caller_allows_and_takes_exactly_that()
    {
        Assert.False(DiskImport.Judge(DiskImage.Vector("qcow2").Bytes, (4L << 20) - 512).IsAccepted);
        Assert.True(DiskImport.Judge(DiskImage.Vector("qcow2").Bytes, 4L << 20).IsAccepted);
    }

    [Fact]
    public void Refuses_a_parent_that_stands_where_QEMU_looks_and_not_where_the_header_points()
    {
        // The descriptor is said to be at the third sector; QEMU reads the parent's name from the second on.
        DiskImage image = DiskImage.Vector("vmdk").Little64(28, 2)
            .Put(512, "parentFileNameHint=\"/etc/shadow\"\n");
        Refused(image, DiskRefusalCode.BackingFile);
    }

    private static void Refused(DiskImage image, DiskRefusalCode code)
    {
        DiskImport found = DiskImport.Judge(image.Bytes, Largest);
        Assert.False(found.IsAccepted);
        Assert.Contains(found.Refusals, one => one.Code == code);
    }
}
