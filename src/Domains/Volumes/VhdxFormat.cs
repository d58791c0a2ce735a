namespace Bailiwick.Domains.Volumes;

/// <summary>Hyper-V's format, as far as the size of the disk and its parent ([MS-VHDX] 2.2, 2.6).</summary>
internal static class VhdxFormat
{
    private const int RegionTable = 192 * 1024, TableBytes = 64 * 1024, EntryBytes = 32, ParentBit = 2;

    private static ReadOnlySpan<byte> MetadataRegion =>
        [0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e];

    private static ReadOnlySpan<byte> SizeItem =>
        [0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8];

    private static ReadOnlySpan<byte> ParametersItem =>
        [0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b];

    public static FormatReading? Read(DiskReads file)
    {
        ReadOnlySpan<byte> head = file.Head;
        if (!head.StartsWith("vhdxfile"u8))
        {
            return null;
        }

        FormatReading found = new(DiskFormat.Vhdx);
        ReadOnlySpan<byte> regions = file.At(RegionTable, TableBytes);
        if (!regions.StartsWith("regi"u8))
        {
            found.Damaged("The table of regions is not there", DiskRefusalCode.Truncated);
            return found;
        }

        int entry = Find(regions, 16, regions.Little32(8), MetadataRegion);
        ulong at = entry < 0 ? ulong.MaxValue : regions.Little64(entry + 16);
        ReadOnlySpan<byte> metadata = file.At(at, TableBytes);
        if (!metadata.StartsWith("metadata"u8))
        {
            found.Damaged("The table of metadata is not there", DiskRefusalCode.Truncated);
            return found;
        }

        found.VirtualBytes = Item(file, at, metadata, SizeItem) is { Length: 8 } size ? Little(size) : null;
        if (Item(file, at, metadata, ParametersItem) is { Length: 8 } parameters
            && (Little(parameters) >> 32 & ParentBit) != 0)
        {
            found.Add(
                DiskFactKind.BackingFile, "", DiskRefusalCode.BackingFile, "It is a difference to another disk.");
        }

        return found;
    }

    private static ulong Little(ReadOnlySpan<byte> item) => item.Little64(0);

    private static byte[] Item(DiskReads file, ulong region, ReadOnlySpan<byte> metadata, ReadOnlySpan<byte> id)
    {
        int entry = Find(metadata, EntryBytes, metadata.Little16(10), id);
        return entry < 0 ? [] : file.At(region + metadata.Little32(entry + 16), 8);
    }

    private static int Find(ReadOnlySpan<byte> table, int first, uint count, ReadOnlySpan<byte> id)
    {
        for (int i = 0; i < Math.Min(count, DiskLimits.VhdxEntries); i++)
        {
            int at = first + (i * EntryBytes);
            if (table.Part(at, id.Length).SequenceEqual(id))
            {
                return at;
            }
        }

        return -1;
    }
}
