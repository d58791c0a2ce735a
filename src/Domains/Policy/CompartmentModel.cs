using System.Collections.Immutable;
using System.Net;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>A machine as its tenant's newest statement describes it.</summary>
public sealed record CompartmentModel
{
    /// <summary>The machine's name.</summary>
    public required CompartmentRef Ref { get; init; }
    /// <summary>Virtual processors, 1 to 64.</summary>
    public required int Cpus { get; init; }
    /// <summary>Memory in MiB, 64 to 1,048,576.</summary>
    public required int MemoryMib { get; init; }
    /// <summary>The image it starts from.</summary>
    public required StatementName Image { get; init; }
    /// <summary>What starts the image's kernel.</summary>
    public required MachineFirmware Firmware { get; init; }
    /// <summary>Whether it has a TPM of its own.</summary>
    public required MachineTpm Tpm { get; init; }
    /// <summary>Its disks, in order: the first is <c>/dev/vda</c>.</summary>
    public required ImmutableArray<DiskModel> Disks { get; init; }
    /// <summary>Its network ports, in order; the domains they name are the domains it is a member of.</summary>
    public required ImmutableArray<NicModel> Nics { get; init; }
    /// <summary>Its other devices.</summary>
    public required ImmutableArray<DeviceKind> Devices { get; init; }
    /// <summary>Where it may run.</summary>
    public required PlacementDemand Placement { get; init; }
    /// <summary>Whether a host may restart it without asking its tenant's key service; null for never.</summary>
    public RestartTerms? Restart { get; init; }
    /// <summary>The statement.</summary>
    public required StatementOrigin Origin { get; init; }

    /// <summary>
    /// Whether its first disk can be a boot volume: there is one, and the machine cannot write it. Nobody can state the
    /// content of what a machine writes.
    /// </summary>
    public bool HasReadOnlyFirstDisk => !Disks.IsEmpty && Disks[0].Access == VolumeAccess.Read;
}

/// <summary>When a host may restart a machine without asking its tenant's key service.</summary>
/// <param name="Within">For so long after a release of the machine's keys; a minute to seven days.</param>
public sealed record RestartTerms(TimeSpan Within);

/// <summary>A volume attached to a machine: of its own tenant, or of another that lends it by a flow.</summary>
public sealed record DiskModel(VolumeRef Volume, VolumeAccess Access);

/// <summary>A port of a machine in one domain of the same tenant. At least one address is present.</summary>
public sealed record NicModel(StatementName Domain, IPAddress? Ipv4, IPAddress? Ipv6)
{
    /// <summary>How much may pass it; null for whatever the host carries.</summary>
    public PortLimit? Limit { get; init; }
}

/// <summary>How much may pass a machine's port, 10^6 bits a second of whole frames; null for no limit.</summary>
/// <param name="InMbit">To the machine.</param>
/// <param name="OutMbit">From the machine.</param>
public sealed record PortLimit(int? InMbit, int? OutMbit)
{
    /// <summary>The largest that can be stated.</summary>
    public const int Most = 400_000;
}

/// <summary>Placement rules.</summary>
/// <param name="Hosts">Host names it may run on; null = any host its domains admit.</param>
/// <param name="ApartFrom">Machines of the same tenant that must be on other hosts.</param>
/// <param name="TogetherWith">Machines of the same tenant that must be on the same host.</param>
public sealed record PlacementDemand(
    ImmutableArray<StatementName>? Hosts,
    ImmutableArray<StatementName> ApartFrom,
    ImmutableArray<StatementName> TogetherWith);

/// <summary>A virtual disk as its tenant's newest statement describes it.</summary>
/// <param name="Ref">The volume's name.</param>
/// <param name="Domain">Its colour: the domain that owns it.</param>
/// <param name="SizeMib">Usable size, 1 to 16,777,216 MiB.</param>
/// <param name="Wipe">How it is destroyed.</param>
/// <param name="Origin">The statement.</param>
public sealed record VolumeModel(
    VolumeRef Ref, StatementName Domain, int SizeMib, WipeMethod Wipe, StatementOrigin Origin)
{
    /// <summary>Under which conditions it may be opened; null for none of its own.</summary>
    public MountTerms? Mount { get; init; }

    /// <summary>
    /// The image of its tenant whose disk it begins with, written before its first machine starts; null for blank. It
    /// says how the volume is made and nothing of one that is there already.
    /// </summary>
    public StatementName? FromImage { get; init; }

    /// <summary>
    /// The volume of its domain that it is a copy of, made before its first machine starts; null when it is none. Never
    /// beside <see cref="FromImage"/>; like that it says how the volume is made.
    /// </summary>
    public StatementName? FromVolume { get; init; }

    /// <summary>Whether its key service releases it for the content that its statement names, and for that alone.
    /// </summary>
    public bool BeginsWithContent => FromImage is not null || FromVolume is not null;

    /// <summary>The most that any machine may do with it: a volume that is only read is a snapshot.</summary>
    public VolumeAccess Access { get; init; } = VolumeAccess.Write;

    /// <summary>The domain that owns it, with its tenant.</summary>
    public DomainRef Colour => new(Ref.Tenant, Domain);

    /// <summary>Who may have it open at the same time.</summary>
    public VolumeSharing Sharing { get; init; } = VolumeSharing.Exclusive;
}

/// <summary>The content that a disk begins with.</summary>
/// <param name="Sha256">Digest of all of it, lower hex; in an authored document possibly <c>file:NAME</c>.</param>
/// <param name="SizeMib">Its length, 1 to 16,777,216 MiB.</param>
public sealed record DiskContent(string Sha256, int SizeMib);

/// <summary>When a volume may be opened.</summary>
/// <param name="Images">The images that the machine may start from, of the volume's owner; null for any.</param>
/// <param name="Hosts">The names of the hosts that may open it; null for any.</param>
public sealed record MountTerms(ImmutableArray<StatementName>? Images, ImmutableArray<StatementName>? Hosts)
{
    /// <summary>After which events it may be opened again; null for any.</summary>
    public ImmutableArray<MountEvent>? After { get; init; }
}

/// <summary>Boot software as its tenant's newest statement describes it.</summary>
/// <param name="Ref">The image's name.</param>
/// <param name="KernelSha256">Digest of the kernel, lower hex; in an authored document possibly
/// <c>file:NAME</c>.</param>
/// <param name="InitrdSha256">Digest of the initrd, lower hex; in an authored document possibly
/// <c>file:NAME</c>.</param>
/// <param name="FirmwareSha256">
/// Digest of the UEFI firmware that machines with <c>firmware: ovmf</c> start with, lower hex; in an authored document
/// possibly <c>file:NAME</c>; null when none is stated, and then no such machine is admitted.
/// </param>
/// <param name="BootVolumeSha256">
/// Digest of the whole content of the volume that machines have as their first disk, every usable byte of it and
/// nothing else, lower hex; in an authored document possibly <c>file:NAME</c>; null when none is stated, and then no
/// volume is measured.
/// </param>
/// <param name="Arguments">Kernel command line, without the part that names the machine.</param>
/// <param name="Origin">The statement.</param>
public sealed record ImageModel(
    ImageRef Ref, string KernelSha256, string InitrdSha256, string? FirmwareSha256, string? BootVolumeSha256,
    string Arguments, StatementOrigin Origin)
{
    /// <summary>What volumes made from it begin with; null when it has no disk.</summary>
    public DiskContent? Disk { get; init; }
}
