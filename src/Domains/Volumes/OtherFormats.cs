using System.Globalization;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// The other formats that QEMU reads: VDI, VHD, VHDX, Parallels, Bochs, cloop and DMG, by the marks that its drivers go
/// by (block/*.c). The marks at the end are taken wherever they begin in the last three sectors.
/// </summary>
internal static class OtherFormats
{
    private const uint VdiSignature = 0xbeda107f;
    private const int VhdDifferencing = 4, VhdFixed = 2;

    private static ReadOnlySpan<byte> CloopScript => "#!/bin/sh\n#V2.0 Format\n"u8;

    public static IEnumerable<FormatReading> Read(DiskReads file)
    {
        FormatReading?[] found =
        [
            Vdi(file), Vhd(file), VhdxFormat.Read(file), Parallels(file), Bochs(file), Cloop(file), Dmg(file),
        ];
        return found.OfType<FormatReading>();
    }

    private static FormatReading? Vdi(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        if (head.Little32(0x40) != VdiSignature)
        {
            return null;
        }

        FormatReading found = new FormatReading(DiskFormat.Vdi)
            .Variant(head.Little32(0x4c).ToString(CultureInfo.InvariantCulture));
        found.Needs(file, 0, 0x200, "header");
        found.VirtualBytes = head.Little64(0x170);
        if (head.Part(0x1a8, 16).ContainsAnyExcept((byte)0))
        {
            found.Add(
                DiskFactKind.BackingFile, Convert.ToHexStringLower(head.Part(0x1a8, 16)),
                DiskRefusalCode.BackingFile, "It is a difference to another disk.");
        }

        found.Needs(file, head.Little32(0x154), 4UL * head.Little32(0x180), "block map");
        return found;
    }

    private static FormatReading? Vhd(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head, tail = file.Tail;
        int at = tail.IndexOf("conectix"u8);
        bool first = head.StartsWith("conectix"u8);
        if (!first && at < 0)
        {
            return null;
        }

        ReadOnlySpan<byte> footer = first ? head : tail[at..];
        uint type = footer.Big32(60);
        FormatReading found = new FormatReading(DiskFormat.Vhd)
            .Variant(type switch { VhdFixed => "fixed", 3 => "dynamic", VhdDifferencing => "differencing", _ => "?" });
        if (footer.Length < 85)
        {
            found.Damaged("The footer is not all there", DiskRefusalCode.Truncated);
        }

        found.VirtualBytes = footer.Big64(48);
        if (type == VhdFixed)
        {
            return found;
        }

        ReadOnlySpan<byte> dynamic = file.At(footer.Big64(16), 1024);
        if (!dynamic.StartsWith("cxsparse"u8))
        {
            found.Damaged("The header of its blocks is not where it says", DiskRefusalCode.Truncated);
        }
        else
        {
            found.Needs(file, dynamic.Big64(16), 4UL * dynamic.Big32(28), "block table");
        }

        if (type == VhdDifferencing)
        {
            found.Names(DiskFactKind.BackingFile, DiskRefusalCode.BackingFile, dynamic.Part(64, 512));
        }

        return found;
    }

    private static FormatReading? Parallels(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        bool old = head.StartsWith("WithoutFreeSpace"u8);
        if (!old && !head.StartsWith("WithouFreSpacExt"u8))
        {
            return null;
        }

        FormatReading found = new FormatReading(DiskFormat.Parallels).Variant(old ? "old" : "extended");
        found.Needs(file, 0, 64, "header");
        found.Size(old ? head.Little32(36) : head.Little64(36), DiskBytes.SectorBytes);
        found.Needs(file, 64, 4UL * head.Little32(32), "block table");
        return found;
    }

    private static FormatReading? Bochs(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        if (!head.StartsWith("Bochs Virtual HD Image"u8))
        {
            return null;
        }

        FormatReading found = new FormatReading(DiskFormat.Bochs).Variant(HeaderFields.Shown(head.Part(48, 7)));
        found.Needs(file, 0, DiskBytes.SectorBytes, "header");
        found.VirtualBytes = head.Little64(head.Little32(64) == 0x10000 ? 84 : 88);
        found.Needs(file, head.Little32(68), 4UL * head.Little32(72), "catalogue");
        return found;
    }

    private static FormatReading? Cloop(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        if (!head.StartsWith(CloopScript))
        {
            return null;
        }

        FormatReading found = new(DiskFormat.Cloop);
        found.Needs(file, 0, 136, "header");
        found.Size(head.Big32(128), head.Big32(132) is 0 ? 1UL : head.Big32(132));
        found.Needs(file, 136, 8UL * head.Big32(132), "block table");
        return found;
    }

    private static FormatReading? Dmg(DiskReads file)
    {
        ReadOnlySpan<byte> tail = file.Tail;
        int at = tail.IndexOf("koly"u8);
        if (at < 0)
        {
            return null;
        }

        FormatReading found = new(DiskFormat.Dmg);
        ReadOnlySpan<byte> trailer = tail[at..];
        if (trailer.Length < DiskBytes.SectorBytes)
        {
            found.Damaged("The trailer is not all there", DiskRefusalCode.Truncated);
        }

        found.Size(trailer.Big64(0x1ec), DiskBytes.SectorBytes);
        found.Needs(file, trailer.Big64(0xd8), trailer.Big64(0xe0), "property list");
        return found;
    }
}
