using System.Collections.Immutable;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// Everything that a program might take a disk file for, and whether it may be taken in as the raw bytes of a disk.
/// Made only by <see cref="DiskInspector"/>.
/// </summary>
public sealed class DiskFinding
{
    internal DiskFinding(
        ImmutableArray<DiskMatch> matches, PartitionTables partitions, ImmutableArray<DiskRefusal> refusals)
    {
        Matches = matches;
        Partitions = partitions;
        Refusals = refusals;
    }

    /// <summary>All formats that match, in the order of <see cref="DiskFormat"/>; none for raw bytes.</summary>
    public ImmutableArray<DiskMatch> Matches { get; }

    /// <summary>The partition tables: facts of a raw disk, and of no weight.</summary>
    public PartitionTables Partitions { get; }

    /// <summary>Every reason against taking the file in as raw; empty when it may be.</summary>
    public ImmutableArray<DiskRefusal> Refusals { get; }

    /// <summary>Whether nothing but raw bytes can be seen in it, of an acceptable size.</summary>
    public bool IsRaw => Refusals.IsEmpty;
}

/// <summary>The formats of disk files that are recognised, so that they can be refused. Closed.</summary>
public enum DiskFormat
{
    /// <summary>LUKS, version 1: what QEMU's own driver reads.</summary>
    Luks1 = 1,

    /// <summary>LUKS of another version, or the second header of LUKS2 without the first.</summary>
    Luks2,

    /// <summary>QEMU copy-on-write, version 1.</summary>
    Qcow,

    /// <summary>QEMU copy-on-write, version 2, 3 or one that nobody knows.</summary>
    Qcow2,

    /// <summary>QEMU enhanced disk.</summary>
    Qed,

    /// <summary>VMware's binary extents: hosted sparse (KDMV), ESX sparse (COWD), seSparse.</summary>
    Vmdk,

    /// <summary>VMware's descriptor: text that names the files in which the disk is.</summary>
    VmdkDescriptor,

    /// <summary>VirtualBox.</summary>
    Vdi,

    /// <summary>Virtual PC: the footer may be at the end only.</summary>
    Vhd,

    /// <summary>Hyper-V.</summary>
    Vhdx,

    /// <summary>Parallels.</summary>
    Parallels,

    /// <summary>Bochs, growing.</summary>
    Bochs,

    /// <summary>Compressed loop, version 2.</summary>
    Cloop,

    /// <summary>Apple's disk image (UDIF): a trailer at the end.</summary>
    Dmg,

    /// <summary>A compact disc (ECMA-119) or a UDF file system (ECMA-167): a volume descriptor at 32 KiB.</summary>
    Optical,

    /// <summary>Text that QEMU would follow as a name of a disk: <c>json:</c>, or the options themselves.</summary>
    Options,
}

/// <summary>One format that matches, with what its header says: unverified, for people.</summary>
/// <param name="Format">The format.</param>
/// <param name="VirtualBytes">The size of the disk that a machine would see; null when the header has none.</param>
/// <param name="Facts">What else its header says.</param>
public sealed record DiskMatch(DiskFormat Format, ulong? VirtualBytes, ImmutableArray<DiskFact> Facts);

/// <summary>One thing that a header says.</summary>
/// <param name="Kind">What.</param>
/// <param name="Value">How much, or which name: printable, of at most 256 characters.</param>
public sealed record DiskFact(DiskFactKind Kind, string Value);

/// <summary>The kinds of facts of a header. Closed.</summary>
public enum DiskFactKind
{
    /// <summary>The version, or the kind within the format.</summary>
    Variant = 1,

    /// <summary>The file that the disk is a difference to.</summary>
    BackingFile,

    /// <summary>The file in which the data is.</summary>
    DataFile,

    /// <summary>A file that is a part of the disk.</summary>
    Extent,

    /// <summary>Its own encryption.</summary>
    Encryption,

    /// <summary>How many snapshots are in it.</summary>
    Snapshots,

    /// <summary>How many entries its first table has.</summary>
    TableEntries,

    /// <summary>Features that nobody knows, as bits.</summary>
    UnknownFeatures,

    /// <summary>A header that is not where it belongs, or not whole.</summary>
    Damage,
}

/// <summary>Which partition tables there are.</summary>
/// <param name="Mbr">The signature of a master boot record.</param>
/// <param name="Gpt">A header of a GUID partition table behind a sector of 512 or 4096 bytes.</param>
public sealed record PartitionTables(bool Mbr, bool Gpt);

/// <summary>One reason against taking a file in as raw.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people, with the values.</param>
public sealed record DiskRefusal(DiskRefusalCode Code, string Sentence);

/// <summary>Every reason against taking a file in as raw. Closed.</summary>
public enum DiskRefusalCode
{
    /// <summary>It has a format of its own.</summary>
    NotRaw = 1,

    /// <summary>It has several formats at once: what it is depends on who reads it.</summary>
    Ambiguous,

    /// <summary>The disk would be larger than allowed.</summary>
    TooLarge,

    /// <summary>The header, or what it points to, is not all there.</summary>
    Truncated,

    /// <summary>It is not made of whole sectors of 512 bytes, or of none.</summary>
    NotWholeSectors,

    /// <summary>It names a file that it is a difference to.</summary>
    BackingFile,

    /// <summary>It names a file in which its data is.</summary>
    DataFile,

    /// <summary>It names files that are parts of it.</summary>
    Extents,

    /// <summary>It is encrypted by a format of its own.</summary>
    Encrypted,

    /// <summary>It has snapshots in it.</summary>
    Snapshots,

    /// <summary>A table is larger than the disk needs.</summary>
    TableTooLarge,

    /// <summary>It has features that nobody knows.</summary>
    UnknownFeatures,

    /// <summary>A header is not as its format has it.</summary>
    Malformed,

    /// <summary>To look at all its headers would have cost too much.</summary>
    TooCostly,
}
