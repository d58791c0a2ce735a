using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Differences;

/// <summary>What changes in machines, volumes and images.</summary>
internal static class MachineDifferences
{
    /// <summary>Adds the differences.</summary>
    public static void Add(List<PolicyChange> changes, CheckedDatacentre before, CheckedDatacentre after)
    {
        var (old, now) = (before.Machinery, after.Machinery);
        changes.Sets(
            PolicyChangeCode.Machine, old.Compartments.Keys, now.Compartments.Keys,
            key => $"The machine {Name(now.Compartments[key].Origin)} is new, in {Domains(now.Compartments[key])}.",
            key => $"The machine {Name(old.Compartments[key].Origin)} is gone.");
        foreach (var key in old.Compartments.Keys.Intersect(now.Compartments.Keys))
        {
            Machine(changes, old.Compartments[key], now.Compartments[key]);
        }

        changes.Sets(
            PolicyChangeCode.Volume, old.Volumes.Keys, now.Volumes.Keys,
            key => $"The volume {Name(now.Volumes[key].Origin)} is new.",
            key => $"The volume {Name(old.Volumes[key].Origin)} is gone.");
        foreach (var key in old.Volumes.Keys.Intersect(now.Volumes.Keys))
        {
            changes.Other(
                PolicyChangeCode.Volume, Words(old.Volumes[key]), Words(now.Volumes[key]),
                $"Volume {Name(now.Volumes[key].Origin)}");
        }

        changes.Sets(
            PolicyChangeCode.Software, old.Images.Keys, now.Images.Keys,
            key => $"The image {Name(now.Images[key].Origin)} is new.",
            key => $"The image {Name(old.Images[key].Origin)} is gone.");
        foreach (var key in old.Images.Keys.Intersect(now.Images.Keys))
        {
            changes.Other(
                PolicyChangeCode.Software, Words(old.Images[key]), Words(now.Images[key]),
                $"Image {Name(now.Images[key].Origin)}");
        }
    }

    private static void Machine(List<PolicyChange> changes, CompartmentModel old, CompartmentModel now)
    {
        var name = Name(now.Origin);
        changes.Sets(
            PolicyChangeCode.Membership, old.Nics.Select(nic => nic.Domain), now.Nics.Select(nic => nic.Domain),
            domain => $"{name} joins {domain}.", domain => $"{name} leaves {domain}.");
        changes.Sets(
            PolicyChangeCode.Membership, old.Disks, now.Disks,
            disk => $"{name} may {WireText.Of(disk.Access)} the volume {Shown(now, disk)}.",
            disk => $"{name} may no longer {WireText.Of(disk.Access)} the volume {Shown(old, disk)}.");
        changes.Other(PolicyChangeCode.MachineDescription, $"{old.Image}", $"{now.Image}", $"Image of {name}");
        changes.Other(
            PolicyChangeCode.MachineDescription, WireText.Of(old.Firmware), WireText.Of(now.Firmware),
            $"Firmware of {name}");
        changes.Other(
            PolicyChangeCode.MachineDescription, WireText.Of(old.Tpm), WireText.Of(now.Tpm), $"TPM of {name}");
        changes.Other(PolicyChangeCode.MachineDescription, $"{old.Cpus}", $"{now.Cpus}", $"Processors of {name}");
        changes.Other(PolicyChangeCode.MachineDescription, $"{old.MemoryMib}", $"{now.MemoryMib}",
            $"MiB of memory of {name}");
        changes.Other(PolicyChangeCode.MachineDescription, Addresses(old), Addresses(now), $"Addresses of {name}");
        changes.Other(PolicyChangeCode.MachineDescription, Limits(old), Limits(now), $"Bandwidth of {name}");
        changes.Other(
            PolicyChangeCode.MachineDescription, string.Join(", ", old.Devices.Select(WireText.Of)),
            string.Join(", ", now.Devices.Select(WireText.Of)), $"Devices of {name}");
        changes.Other(PolicyChangeCode.MachineDescription, Words(old.Placement), Words(now.Placement),
            $"Placement of {name}");
        changes.Number(
            PolicyChangeCode.MachineDescription, Minutes(old.Restart), Minutes(now.Restart), PolicyEffect.Opens,
            $"Minutes within which {name} may be restarted without its key service");
    }

    private static string Shown(CompartmentModel machine, DiskModel disk) =>
        disk.Volume.Tenant == machine.Ref.Tenant
            ? disk.Volume.Name.Text : $"{disk.Volume.Name} of the tenant {disk.Volume.Tenant.Short}";

    private static string Name(StatementOrigin origin) => $"{origin.OwnerName}/{origin.Name}";

    private static string Domains(CompartmentModel machine) =>
        string.Join(" and ", machine.Nics.Select(nic => nic.Domain.Text));

    private static string Addresses(CompartmentModel machine) => string.Join(
        ", ", machine.Nics.Select(nic => $"{nic.Domain} {nic.Ipv4?.ToString() ?? "-"} {nic.Ipv6?.ToString() ?? "-"}"));

    private static string Limits(CompartmentModel machine) => string.Join(
        ", ", machine.Nics.Select(nic => $"{nic.Domain} {Mbit(nic.Limit?.InMbit)} in {Mbit(nic.Limit?.OutMbit)} out"));

    private static string Mbit(int? limit) => limit is { } mbit ? $"{mbit} Mbit/s" : "unlimited";

    private static string Words(PlacementDemand placement) =>
        $"hosts {(placement.Hosts is { } hosts ? List(hosts) : "any")}, apart from {List(placement.ApartFrom)}, "
        + $"together "
        + $"with {List(placement.TogetherWith)}";

    private static string List(IEnumerable<StatementName> names) =>
        string.Join(", ", names) is { Length: > 0 } text ? text : "none";

    private static long Minutes(RestartTerms? terms) => (long)(terms?.Within.TotalMinutes ?? 0);

    private static string Words(VolumeModel volume) =>
        $"{volume.SizeMib} MiB of {volume.Domain}, destroyed by {WireText.Of(volume.Wipe)}, made "
        + $"{Beginning(volume)}, "
        + (volume.Access == VolumeAccess.Read ? "never written by a machine, " : "")
        + $"{Words(volume.Sharing)} "
        + $"opened from {Any(volume.Mount?.Images)} image and on {Any(volume.Mount?.Hosts)} host"
        + (volume.Mount?.After is { } after ? $", again after {string.Join(" or ", after.Select(WireText.Of))}" : "");

    private static string Beginning(VolumeModel volume) => (volume.FromImage, volume.FromVolume) switch
    {
        ({ } image, _) => $"from the image {image}",
        (_, { } source) => $"as a copy of {source}",
        _ => "blank",
    };

    private static string Words(VolumeSharing sharing) => sharing switch
    {
        VolumeSharing.Exclusive => "for one machine at a time,",
        VolumeSharing.Readers => "for one machine that writes and any number that read,",
        VolumeSharing.Writers => "for several machines that write,",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static string Any(System.Collections.Immutable.ImmutableArray<StatementName>? names) =>
        names is { } some ? List(some) : "any";

    private static string Words(ImageModel image) =>
        $"kernel {image.KernelSha256}, initrd {image.InitrdSha256}, firmware {image.FirmwareSha256 ?? "none"}, "
        + $"boot volume {image.BootVolumeSha256 ?? "not stated"}, "
        + $"disk {(image.Disk is { } disk ? $"{disk.Sha256} of {disk.SizeMib} MiB" : "none")}, "
        + $"arguments '{image.Arguments}'";
}
