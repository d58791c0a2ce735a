using System.Collections.Immutable;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// Whether a file that somebody brings may become the raw content of a disk, and as what it is to be read: decided
/// here, before any tool sees the file. Raw bytes are taken as they are; qcow2, VMDK and VDI are converted when nothing
/// in them names another file, is encrypted, or claims more than it has. Everything else is refused: whoever has it
/// converts it where it came from. Made only by <see cref="Judge"/>.
/// </summary>
public sealed class DiskImport
{
    /// <summary>The largest disk that is taken in unless the caller asks for less: 1 TiB.</summary>
    public const long LargestBytes = 1L << 40;

    private DiskImport(DiskFormat? format, long virtualBytes, ImmutableArray<DiskRefusal> refusals)
    {
        Format = format;
        VirtualBytes = virtualBytes;
        Refusals = refusals;
    }

    /// <summary>The one format to read it as; null for raw. Without meaning when it is refused.</summary>
    public DiskFormat? Format { get; }

    /// <summary>How many bytes the disk has that a machine would see; 0 when it is refused.</summary>
    public long VirtualBytes { get; }

    /// <summary>Every reason against it; empty when it may be taken in.</summary>
    public ImmutableArray<DiskRefusal> Refusals { get; }

    /// <summary>Whether it may be taken in.</summary>
    public bool IsAccepted => Refusals.IsEmpty;

    /// <summary>Judges a file; throws only what the reader of the file throws.</summary>
    /// <param name="file">The file.</param>
    /// <param name="largestBytes">The largest disk that is acceptable, at most <see cref="LargestBytes"/>.</param>
    public static DiskImport Judge(DiskBytes file, long largestBytes)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(largestBytes, LargestBytes);
        DiskFinding found = DiskInspector.Inspect(file, largestBytes);
        if (found.IsRaw)
        {
            return new DiskImport(null, file.Length, []);
        }

        if (found.Matches is not [{ Format: DiskFormat.Qcow2 or DiskFormat.Vmdk or DiskFormat.Vdi } one])
        {
            return new DiskImport(null, 0, found.Refusals);
        }

        ImmutableArray<DiskRefusal> refusals =
            [.. found.Refusals.Where(refusal => refusal.Code != DiskRefusalCode.NotRaw)];
        if (one.VirtualBytes is null or 0 || one.VirtualBytes % DiskBytes.SectorBytes != 0)
        {
            refusals = refusals.Add(new DiskRefusal(
                DiskRefusalCode.NotWholeSectors, "Its header gives a size that is not whole sectors of 512 bytes."));
        }

        return refusals.IsEmpty
            ? new DiskImport(one.Format, (long)(one.VirtualBytes ?? 0), [])
            : new DiskImport(null, 0, refusals);
    }
}
