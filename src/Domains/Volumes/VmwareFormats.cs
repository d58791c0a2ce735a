using System.Globalization;
using System.Text;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// VMware's formats (Virtual Disk Format 5.0; block/vmdk.c). A descriptor is text in which every path of the host can
/// be named as a part of the disk; it may be the whole file, begin after comments and blank lines, or be inside of a
/// binary extent, whose capacity of 0 makes it count. It is looked for at every sector of the head.
/// </summary>
internal static class VmwareFormats
{
    private const ulong DirectoryAtEnd = ulong.MaxValue, UsualDescriptor = 1;
    private static readonly string[] Access = ["RW", "RDONLY", "NOACCESS"];

    private static ReadOnlySpan<byte> Signature => "# disk descriptorfile"u8;

    public static IEnumerable<FormatReading> Read(DiskReads file)
    {
        if (file.Head is [(byte)'K', (byte)'D', (byte)'M', (byte)'V', ..])
        {
            yield return Hosted(file);
        }
        else if (file.Head is [(byte)'C', (byte)'O', (byte)'W', (byte)'D', ..])
        {
            FormatReading found = new FormatReading(DiskFormat.Vmdk).Variant("COWD");
            found.Needs(file, 0, 44, "header");
            found.Size(Field32(file.Head, 12), DiskBytes.SectorBytes);
            yield return found;
        }
        else if (file.Head is [0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0, ..])
        {
            FormatReading found = new FormatReading(DiskFormat.Vmdk).Variant("seSparse");
            found.Needs(file, 0, DiskBytes.SectorBytes, "header");
            found.Size(Field64(file.Head, 16), DiskBytes.SectorBytes);
            yield return found;
        }

        if (DescriptorAt(file.Head) is { } at)
        {
            FormatReading found = new FormatReading(DiskFormat.VmdkDescriptor)
                .Variant(string.Create(CultureInfo.InvariantCulture, $"text at byte {at}"));
            Descriptor(found, file.At(at, DiskLimits.DescriptorBytes), isWhole: true);
            yield return found;
        }
    }

    private static uint Field32(ReadOnlySpan<byte> header, int at) => header.Little32(at);

    private static ulong Field64(ReadOnlySpan<byte> header, int at) => header.Little64(at);

    private static FormatReading Hosted(DiskReads file)
    {
        FormatReading found = new FormatReading(DiskFormat.Vmdk).Variant("KDMV");
        found.Needs(file, 0, 79, "header");
        ReadOnlySpan<byte> head = file.Head;
        if (head.Little64(56) == DirectoryAtEnd)
        {
            // The header that counts is then the second-last sector (a stream-optimised extent).
            byte[] footer = file.At(file.Length - (2 * DiskBytes.SectorBytes), DiskBytes.SectorBytes);
            if (footer is [(byte)'K', (byte)'D', (byte)'M', (byte)'V', ..])
            {
                head = footer;
            }
            else
            {
                found.Damaged("The footer that its header promises is not there", DiskRefusalCode.Truncated);
            }
        }

        found.Size(head.Little64(12), DiskBytes.SectorBytes);
        ulong offset = head.Little64(28);
        if (offset != UsualDescriptor)
        {
            // QEMU looks for the parent's name behind the header, wherever the header says that the descriptor is.
            Descriptor(found, file.At(DiskBytes.SectorBytes, DiskLimits.DescriptorBytes), isWhole: false);
        }

        if (offset != 0)
        {
            ulong sectors = Math.Min(head.Little64(36), DiskLimits.DescriptorBytes / DiskBytes.SectorBytes);
            offset = offset > long.MaxValue / DiskBytes.SectorBytes ? long.MaxValue : offset * DiskBytes.SectorBytes;
            found.Needs(file, offset, sectors * DiskBytes.SectorBytes, "descriptor");
            Descriptor(
                found, file.At(offset, (int)sectors * DiskBytes.SectorBytes), isWhole: head.Little64(12) == 0);
        }

        return found;
    }

    /// <summary>
    /// Where QEMU would see a descriptor, or a sector of the head begins like one; null when none does.
    /// </summary>
    private static long? DescriptorAt(ReadOnlySpan<byte> head)
    {
        if (LooksLikeDescriptor(head))
        {
            return 0;
        }

        Span<byte> lower = stackalloc byte[Signature.Length];
        for (int at = 0; at + Signature.Length <= head.Length; at += DiskBytes.SectorBytes)
        {
            Ascii.ToLower(head.Slice(at, Signature.Length), lower, out int written);
            if (written == Signature.Length && lower.SequenceEqual(Signature)
                && head is not [(byte)'K', (byte)'D', (byte)'M', (byte)'V', ..])
            {
                return at;
            }
        }

        return null;
    }

    /// <summary>Comments and blank lines, and then <c>version=1</c>, 2 or 3: as vmdk_probe has it.</summary>
    private static bool LooksLikeDescriptor(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = (end < 0 ? text : text[..end]).TrimEnd((byte)'\r');
            if (line.Length == 9 && line.StartsWith("version="u8) && line[8] is >= (byte)'1' and <= (byte)'3')
            {
                return end >= 0;
            }

            if (end < 0 || (line is not [(byte)'#', ..] && line.ContainsAnyExcept((byte)' ', (byte)'\t')))
            {
                return false;
            }

            text = text[(end + 1)..];
        }

        return false;
    }

    /// <param name="found">Gathers.</param>
    /// <param name="text">The descriptor.</param>
    /// <param name="isWhole">Whether it is what describes the disk, and not only repeats the header.</param>
    private static void Descriptor(FormatReading found, ReadOnlySpan<byte> text, bool isWhole)
    {
        int extents = 0;
        ulong sectors = 0;
        foreach (Range range in text.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = text[range].Trim((byte)' ').TrimEnd((byte)'\r').TrimEnd((byte)0);
            string shown = HeaderFields.Shown(line);
            string key = shown.Split('=')[0].Trim();
            if (key.Equals("createType", StringComparison.OrdinalIgnoreCase))
            {
                found.Variant(shown);
            }
            else if (key.Equals("parentFileNameHint", StringComparison.OrdinalIgnoreCase))
            {
                found.Names(DiskFactKind.BackingFile, DiskRefusalCode.BackingFile, line);
            }
            else if (shown.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var access, var size, _, ..]
                && Access.Contains(access, StringComparer.OrdinalIgnoreCase))
            {
                bool known = ulong.TryParse(size, CultureInfo.InvariantCulture, out ulong count);
                sectors = !known ? sectors : count > ulong.MaxValue - sectors ? ulong.MaxValue : sectors + count;
                if (++extents > DiskLimits.Extents)
                {
                    found.Damaged("It names more extents than anybody needs");
                    break;
                }

                if (isWhole || shown.Contains('/', StringComparison.Ordinal)
                    || shown.Contains(':', StringComparison.Ordinal))
                {
                    found.Names(DiskFactKind.Extent, DiskRefusalCode.Extents, line);
                }
            }
        }

        if (isWhole)
        {
            found.Size(sectors, DiskBytes.SectorBytes);
        }
    }
}
