using System.Collections.Immutable;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// Says what a disk file could be taken for, without any tool that would follow what it says. It knows every format
/// that QEMU 7.2 recognises by content, and those that OpenStack learnt to look for (CVE-2015-1850 to CVE-2024-40767):
/// what one program takes for raw bytes another one follows to a file of the host. All that matches is reported, and
/// one match is enough to be no raw disk. It reads the first 64 KiB, the last three sectors and what the headers point
/// to, never more than <see cref="DiskLimits.InspectionBytes"/>, and throws only what the reader of the file throws.
/// </summary>
public static class DiskInspector
{
    private const int OpticalDescriptors = 32 * 1024, OpticalSector = 2048, OptionText = 4096;
    private static readonly long[] SecondLuksHeaders =
    [
        0x4000, 0x8000, 0x10000, 0x20000, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000,
    ];

    private static readonly byte[][] OpticalMarks = [[.. "CD001"u8], [.. "BEA01"u8], [.. "NSR02"u8], [.. "NSR03"u8]];

    /// <summary>Looks into a file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="largestBytes">The largest disk that is acceptable, in bytes, however small the file.</param>
    public static DiskFinding Inspect(DiskBytes bytes, long largestBytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(largestBytes);
        DiskReads file = new(bytes);
        FormatReading[] found =
        [
            .. Luks(file).Concat(QemuFormats.Read(file)).Concat(VmwareFormats.Read(file))
                .Concat(OtherFormats.Read(file)).Concat(Optical(file)).Concat(Options(file))
                .OrderBy(one => one.Format),
        ];
        return new DiskFinding(
            [.. found.Select(one => one.Match)], Partitions(file), Judge(file, found, (ulong)largestBytes));
    }

    private static ImmutableArray<DiskRefusal> Judge(DiskReads file, FormatReading[] found, ulong largestBytes)
    {
        List<DiskRefusal> refusals = [];
        if (found.Length > 0)
        {
            string formats = string.Join(", ", found.Select(one => one.Format).Distinct());
            refusals.Add(new DiskRefusal(
                DiskRefusalCode.NotRaw,
                $"It is not raw: its bytes are those of {formats}. Convert it where it came from."));
        }

        if (found.Select(one => one.Format).Distinct().Count() > 1)
        {
            refusals.Add(new DiskRefusal(
                DiskRefusalCode.Ambiguous, "It is several formats at once: what it is depends on who reads it."));
        }

        ulong largest = found.Select(one => one.VirtualBytes ?? 0).Append((ulong)file.Length).Max();
        if (largest > largestBytes)
        {
            refusals.Add(new DiskRefusal(
                DiskRefusalCode.TooLarge, $"The disk would have {largest} bytes, and {largestBytes} are allowed."));
        }

        if (found.Length == 0 && (file.Length == 0 || file.Length % DiskBytes.SectorBytes != 0))
        {
            refusals.Add(new DiskRefusal(
                DiskRefusalCode.NotWholeSectors, $"Its {file.Length} bytes are not whole sectors of 512."));
        }

        refusals.AddRange(found.SelectMany(one => one.Refusals));
        if (file.Spent)
        {
            refusals.Add(new DiskRefusal(
                DiskRefusalCode.TooCostly, "To look at all that its headers point to would cost too much."));
        }

        return [.. refusals.Distinct()];
    }

    private static IEnumerable<FormatReading> Luks(DiskReads file)
    {
        if (file.Head is [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xba, 0xbe, var high, var low, ..])
        {
            int version = (high << 8) | low;
            FormatReading found = new FormatReading(version == 1 ? DiskFormat.Luks1 : DiskFormat.Luks2)
                .Variant($"version {version}");
            found.Needs(file, 0, version == 1 ? 592UL : 4096UL, "header");
            found.Encrypted("LUKS");
            yield return found;
            if (version != 1)
            {
                yield break;
            }
        }
        else if (file.Head is [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xba, 0xbe, ..])
        {
            FormatReading found = new(DiskFormat.Luks1);
            found.Needs(file, 0, 592, "header");
            yield return found;
        }

        // cryptsetup takes the second header when the first one is damaged.
        if (SecondLuksHeaders.FirstOrDefault(at => file.At(at, 6) is
            [(byte)'S', (byte)'K', (byte)'U', (byte)'L', 0xba, 0xbe]) is var second and > 0)
        {
            yield return new FormatReading(DiskFormat.Luks2).Variant($"second header at byte {second}");
        }
    }

    private static IEnumerable<FormatReading> Optical(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        for (int at = OpticalDescriptors; at < head.Length; at += OpticalSector)
        {
            byte[] mark = head.Part(at + 1, 5).ToArray();
            if (!OpticalMarks.Any(one => one.SequenceEqual(mark)))
            {
                continue;
            }

            FormatReading found = new FormatReading(DiskFormat.Optical).Variant(HeaderFields.Shown(mark));
            found.Needs(file, (ulong)at, OpticalSector, "volume descriptor");
            if (head[at] == 1)
            {
                found.Size(head.Little32(at + 80), Math.Max(1UL, head.Little16(at + 128)));
            }

            return [found];
        }

        return [];
    }

    /// <summary>QEMU reads no disk as its own options; what reads like them was not written by a machine.</summary>
    private static IEnumerable<FormatReading> Options(DiskReads file)
    {
        ReadOnlySpan<byte> text = ((ReadOnlySpan<byte>)file.Head).Part(0, OptionText);
        if (text.StartsWith((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf]))
        {
            text = text[3..];
        }

        text = text.TrimStart(" \t\r\n"u8);
        bool options = text.StartsWith("json:"u8)
            || (text is [(byte)'{', ..] && (text.IndexOf("\"driver\""u8) > 0 || text.IndexOf("\"file\""u8) > 0
                || text.IndexOf("\"filename\""u8) > 0));
        return options ? [new FormatReading(DiskFormat.Options).Variant(HeaderFields.Shown(text.Part(0, 64)))] : [];
    }

    private static PartitionTables Partitions(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        return new PartitionTables(
            head.Part(510, 2).SequenceEqual((ReadOnlySpan<byte>)[0x55, 0xaa]),
            head.Part(512, 8).SequenceEqual("EFI PART"u8) || head.Part(4096, 8).SequenceEqual("EFI PART"u8));
    }
}
