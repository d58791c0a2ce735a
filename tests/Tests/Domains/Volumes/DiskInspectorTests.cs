using System.Diagnostics;
using Bailiwick.Domains.Volumes;

namespace Bailiwick.Tests.Domains.Volumes;

/// <summary>
/// What a disk file could be taken for, on files that the real tools made and on ones made to deceive.
/// </summary>
public sealed class DiskInspectorTests
{
    private const long Largest = 1L << 40;
    private static readonly string[] AtTheEnd = ["vhd-fixed", "optical", "raw", "gpt", "mbr"];

    public static TheoryData<string> Vectors => [.. DiskImage.Names];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_file_of_a_real_tool_is_recognised_as_what_it_is_and_only_raw_is_raw(string name)
    {
        DiskImage image = DiskImage.Vector(name);
        DiskFinding found = DiskInspector.Inspect(image.Bytes, Largest);
        Assert.Equal(image.Formats, found.Matches.Select(match => match.Format.ToString()));
        Assert.Equal(image.Formats.Length == 0, found.IsRaw);
        Assert.Equal(image.Formats.Length > 0, found.Refusals.Any(one => one.Code == DiskRefusalCode.NotRaw));
        Assert.DoesNotContain(found.Refusals, one => one.Code is DiskRefusalCode.Ambiguous or DiskRefusalCode.TooCostly
            or DiskRefusalCode.Malformed or DiskRefusalCode.UnknownFeatures or DiskRefusalCode.TableTooLarge);
    }

    [Theory]
    [InlineData("qcow2", 4L << 20)]
    [InlineData("qcow", 4L << 20)]
    [InlineData("qed", 4L << 20)]
    [InlineData("vmdk", 4L << 20)]
    [InlineData("vmdk-stream", 4L << 20)]
    [InlineData("vmdk-flat", 4L << 20)]
    [InlineData("vdi", 4L << 20)]
    [InlineData("vhdx", 4L << 20)]
    [InlineData("parallels", 4L << 20)]
    [InlineData("qcow2-petabyte", 1L << 50)]
    public void The_size_that_a_machine_would_see_is_read(string name, long size)
    {
        DiskMatch match = Assert.Single(DiskInspector.Inspect(DiskImage.Vector(name).Bytes, Largest).Matches);
        Assert.Equal((ulong)size, match.VirtualBytes);
    }

    [Theory]
    [InlineData("qcow-backing", "qcow", DiskRefusalCode.BackingFile, "/etc/shadow")]
    [InlineData("qcow2-backing", "qcow2", DiskRefusalCode.BackingFile, "/etc/shadow")]
    [InlineData("qcow2-backing-json", "qcow2", DiskRefusalCode.BackingFile, "json:{\"driver\"")]
    [InlineData("qed-backing", "qed", DiskRefusalCode.BackingFile, "/etc/shadow")]
    [InlineData("qcow2-data-file", "qcow2", DiskRefusalCode.DataFile, "other.raw")]
    [InlineData("qcow2-luks", "qcow2", DiskRefusalCode.Encrypted, "LUKS")]
    [InlineData("qcow2-snapshot", "qcow2", DiskRefusalCode.Snapshots, "1")]
    [InlineData("vmdk-flat", "vmdk", DiskRefusalCode.Extents, "-flat")]
    [InlineData("qcow2-petabyte", "qcow2", DiskRefusalCode.TooLarge, "")]
    public void What_is_wrong_beside_the_format_is_named(string name, string good, DiskRefusalCode code, string fact)
    {
        DiskFinding found = DiskInspector.Inspect(DiskImage.Vector(name).Bytes, Largest);
        Assert.Equal([DiskRefusalCode.NotRaw, code], found.Refusals.Select(one => one.Code).Distinct());
        Assert.True(fact.Length == 0
            || found.Matches[0].Facts.Any(one => one.Value.Contains(fact, StringComparison.Ordinal)));
        DiskFinding control = DiskInspector.Inspect(DiskImage.Vector(good).Bytes, Largest);
        Assert.Equal([DiskRefusalCode.NotRaw], control.Refusals.Select(one => one.Code));
    }

    [Fact]
    public void A_raw_disk_is_raw_with_its_partition_tables_and_whatever_was_written_on_it()
    {
        Assert.Equal(new PartitionTables(true, true), Inspect(DiskImage.Vector("gpt")).Partitions);
        Assert.Equal(new PartitionTables(true, false), Inspect(DiskImage.Vector("mbr")).Partitions);
        Assert.Equal(new PartitionTables(false, false), Inspect(DiskImage.Vector("raw")).Partitions);
        // The same bytes are a format only where a program would look for them.
        Assert.True(Inspect(DiskImage.Vector("raw").Put(512, "QFI\xfb\0\0\0\u0003").Put(1 << 20, "conectix")).IsRaw);
        Assert.False(Inspect(DiskImage.Vector("raw").Put(0, "QFI\xfb\0\0\0\u0003")).IsRaw);
    }

    public static TheoryData<string> Deceptions => [.. Made.Keys, .. Several.Keys];

    /// <summary>What no tool makes, or not here; each must have the format and the reasons.</summary>
    private static Dictionary<string, Deception> Made => new()
    {
        ["a million entries"] = new(
            () => DiskImage.Vector("qcow2").Big32(36, 1_000_000), [DiskFormat.Qcow2],
            [DiskRefusalCode.TableTooLarge, DiskRefusalCode.Truncated]),
        ["unknown features"] = new(
            () => DiskImage.Vector("qcow2").Big64(72, 1UL << 40), [DiskFormat.Qcow2],
            [DiskRefusalCode.UnknownFeatures]),
        ["the data-file bit alone"] = new(
            () => DiskImage.Vector("qcow2").Big64(72, 4), [DiskFormat.Qcow2], [DiskRefusalCode.DataFile]),
        ["an unknown version"] = new(
            () => DiskImage.Vector("qcow2").Big32(4, 9), [DiskFormat.Qcow2], [DiskRefusalCode.Malformed]),
        ["clusters of no size"] = new(
            () => DiskImage.Vector("qcow2").Big32(20, 63), [DiskFormat.Qcow2], [DiskRefusalCode.Malformed]),
        ["a table behind everything"] = new(
            () => DiskImage.Vector("qcow2").Big64(40, ulong.MaxValue), [DiskFormat.Qcow2], [DiskRefusalCode.Truncated]),
        ["a backing file behind everything"] = new(
            () => DiskImage.Vector("qcow2").Big64(8, ulong.MaxValue).Big32(16, uint.MaxValue), [DiskFormat.Qcow2],
            [DiskRefusalCode.BackingFile]),
        ["QED with features"] = new(
            () => DiskImage.Vector("qed").Little64(16, 1UL << 9), [DiskFormat.Qed], [DiskRefusalCode.UnknownFeatures]),
        ["memory as a disk"] = new(
            () => Text("# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 8 FLAT \"/dev/mem\" 0\n"),
            [DiskFormat.VmdkDescriptor], [DiskRefusalCode.Extents]),
        ["a descriptor after comments"] = new(
            () => Text("# one\r\n   \r\n\n# two\r\nversion=3\r\nRW 8 FLAT \"/etc/shadow\" 0\r\n"),
            [DiskFormat.VmdkDescriptor], [DiskRefusalCode.Extents]),
        ["a descriptor at a sector"] = new(
            () => DiskImage.Zero(1 << 20).Put(2560, "# DISK DescriptorFile\nRW 8 VMFS \"/etc/shadow\"\n"),
            [DiskFormat.VmdkDescriptor], [DiskRefusalCode.Extents]),
        ["a descriptor with a parent"] = new(
            () => Text("version=1\nparentFileNameHint=\"/etc/shadow\"\n"), [DiskFormat.VmdkDescriptor],
            [DiskRefusalCode.BackingFile]),
        ["a sparse extent whose descriptor counts"] = new(
            () => DiskImage.Vector("vmdk").Little64(12, 0), [DiskFormat.Vmdk], [DiskRefusalCode.Extents]),
        ["a sparse extent that names a path"] = new(
            () => DiskImage.Vector("vmdk").Put(512, "RW 8 FLAT \"/dev/mem\" 0\n"), [DiskFormat.Vmdk],
            [DiskRefusalCode.Extents]),
        ["ESX sparse"] = new(() => DiskImage.Zero(4096).Put(0, "COWD"), [DiskFormat.Vmdk], []),
        ["seSparse"] = new(() => DiskImage.Zero(4096).Put(0, 0xbe, 0xba, 0xfe, 0xca), [DiskFormat.Vmdk], []),
        ["a differencing VHD"] = new(
            () => DiskImage.Vector("vhd").Big32(60, 4), [DiskFormat.Vhd], [DiskRefusalCode.BackingFile]),
        ["VHD that lost a byte at its end"] = new(
            () => DiskImage.Vector("vhd-fixed").Cut(1), [DiskFormat.Vhd], []),
        ["a differencing VDI"] = new(
            () => DiskImage.Vector("vdi").Put(0x1a8, 1), [DiskFormat.Vdi], [DiskRefusalCode.BackingFile]),
        ["Bochs"] = new(() => DiskImage.Zero(4096).Put(0, "Bochs Virtual HD Image"), [DiskFormat.Bochs], []),
        ["cloop"] = new(() => DiskImage.Zero(4096).Put(0, "#!/bin/sh\n#V2.0 Format\n"), [DiskFormat.Cloop], []),
        ["DMG"] = new(() => DiskImage.Zero(4096).Put(3584, "koly"), [DiskFormat.Dmg], []),
        ["UDF"] = new(() => DiskImage.Zero(1 << 20).Put(34817, "NSR03"), [DiskFormat.Optical], []),
        ["options"] = new(() => Text("\ufeff  json:{\"driver\":\"raw\"}"), [DiskFormat.Options], []),
        ["options as an object"] = new(
            () => Text("{ \"driver\": \"file\", \"filename\": \"/etc/shadow\" }"), [DiskFormat.Options], []),
        ["LUKS of the future"] = new(() => DiskImage.Zero(8192).Put(0, "LUKS\xba\xbe\0\u0003"), [DiskFormat.Luks2],
            [DiskRefusalCode.Encrypted]),
        ["a second LUKS2 header alone"] = new(
            () => DiskImage.Vector("luks2").Put(0, new byte[16384]), [DiskFormat.Luks2], []),
        ["a bootable disc"] = new(
            () => DiskImage.Vector("optical").Put(510, 0x55, 0xaa), [DiskFormat.Optical], []),
    };

    /// <summary>Files that are several things at once, or nothing.</summary>
    private static Dictionary<string, Deception> Several => new()
    {
        ["qcow2 and a disc"] = new(
            () => DiskImage.Vector("qcow2").Put(32769, "CD001"), [DiskFormat.Qcow2, DiskFormat.Optical],
            [DiskRefusalCode.Ambiguous]),
        ["qcow2 and VHD"] = new(
            () => DiskImage.Vector("qcow2").Resize(1 << 20).Put((1 << 20) - 512, "conectix"),
            [DiskFormat.Qcow2, DiskFormat.Vhd], [DiskRefusalCode.Ambiguous]),
        ["qcow2 and a descriptor"] = new(
            () => DiskImage.Vector("qcow2").Put(1024, "# Disk DescriptorFile\nversion=1\n"),
            [DiskFormat.Qcow2, DiskFormat.VmdkDescriptor], [DiskRefusalCode.Ambiguous]),
        ["LUKS and DMG"] = new(
            () => DiskImage.Vector("luks1").Put(2_068_480 + (4 << 20) - 1000, "koly"),
            [DiskFormat.Luks1, DiskFormat.Dmg], [DiskRefusalCode.Ambiguous]),
        ["half a sector"] = new(() => DiskImage.Zero(768), [], [DiskRefusalCode.NotWholeSectors]),
        ["nothing"] = new(() => DiskImage.Zero(0), [], [DiskRefusalCode.NotWholeSectors]),
    };

    [Theory]
    [MemberData(nameof(Deceptions))]
    public void Refuses_what_was_made_to_deceive_with_every_reason(string name)
    {
        var (make, formats, reasons) = Made.GetValueOrDefault(name) ?? Several[name];
        DiskFinding found = Inspect(make());
        Assert.Equal(formats, found.Matches.Select(match => match.Format).Distinct());
        Assert.False(found.IsRaw);
        Assert.Empty(reasons.Except(found.Refusals.Select(one => one.Code)));
        Assert.All(found.Refusals, one => Assert.DoesNotContain('\n', one.Sentence));
    }

    [Fact]
    public void Refuses_raw_that_is_larger_than_allowed()
    {
        Assert.True(DiskInspector.Inspect(DiskImage.Vector("raw").Bytes, 4 << 20).IsRaw);
        Assert.Equal(
            [DiskRefusalCode.TooLarge],
            DiskInspector.Inspect(DiskImage.Vector("raw").Bytes, (4 << 20) - 1).Refusals.Select(one => one.Code));
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Cut_off_at_any_byte_a_format_does_not_become_raw(string name)
    {
        DiskImage image = DiskImage.Vector(name);
        if (AtTheEnd.Contains(name))
        {
            return;
        }

        for (int length = 1; length < Math.Min(image.Content.Length, 300_000); length += length < 1024 ? 1 : 509)
        {
            DiskBytes cut = image.Bytes.First(length);
            Assert.False(DiskInspector.Inspect(cut, Largest).IsRaw, $"{name} of {length} bytes");
        }

        Assert.False(DiskInspector.Inspect(image.Bytes.First(512), Largest).IsRaw);
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Reads_little_whatever_the_headers_say(string name)
    {
        DiskImage image = DiskImage.Vector(name);
        Random random = new(7);
        for (int i = 0; i < 200; i++)
        {
            (long bytes, int reads) = image.Cost;
            DiskInspector.Inspect(image.Bytes, Largest);
            LuksReader.Read(image.Bytes);
            Assert.InRange(image.Cost.Bytes - bytes, 0, 2 * DiskLimits.InspectionBytes);
            Assert.InRange(image.Cost.Reads - reads, 0, 2 * DiskLimits.InspectionReads);
            byte[] wild = new byte[8];
            random.NextBytes(wild);
            image.Put(random.Next(8, Math.Min(512, image.Content.Length - 8)), wild);
        }
    }

    [Fact]
    public void A_look_takes_less_than_a_millisecond()
    {
        DiskImage image = DiskImage.Vector("luks1");
        for (int i = 0; i < 50; i++)
        {
            DiskInspector.Inspect(image.Bytes, Largest);
        }

        TimeSpan best = Enumerable.Range(0, 20).Min(_ =>
        {
            long began = Stopwatch.GetTimestamp();
            DiskInspector.Inspect(image.Bytes, Largest);
            return Stopwatch.GetElapsedTime(began);
        });
        Assert.True(best.TotalMilliseconds < 1, $"{best.TotalMilliseconds} ms");
    }

    private static DiskFinding Inspect(DiskImage image) => DiskInspector.Inspect(image.Bytes, Largest);

    private static DiskImage Text(string text) =>
        DiskImage.Zero(4096).Put(0, System.Text.Encoding.UTF8.GetBytes(text));

    private sealed record Deception(Func<DiskImage> Make, DiskFormat[] Formats, DiskRefusalCode[] Reasons);
}
