using System.Globalization;
using System.Net;
using System.Text;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>Machines as they must look on a host.</summary>
internal static class Machines
{
    public static CompartmentPlan Of(Scene scene, HostModel host, CompartmentModel machine) => Of(
        scene, host, machine, [.. machine.Nics.Select((_, index) => DeviceNames.TapMac(machine.Ref, index))]);

    private static CompartmentPlan Of(
        Scene scene, HostModel host, CompartmentModel machine, string[] macs) => new()
    {
        Ref = machine.Ref,
        DisplayName = Display.Of(machine),
        MachineName = DeviceNames.Machine(machine.Ref),
        Uuid = DeviceNames.MachineUuid(machine.Ref),
        Cpus = machine.Cpus,
        MemoryMib = machine.MemoryMib,
        Boot = Boot(scene, machine, macs),
        Tpm = machine.Tpm == MachineTpm.Required
            ? new MachineTpmPlan(
                DeviceNames.TpmState(machine.Ref),
                new Reason($"{machine.Origin} demands a TPM of its own.", [machine.Origin]))
            : null,
        Disks = [.. machine.Disks.Select((disk, index) => Disk(scene, host, machine, disk, index))],
        Ports = [.. machine.Nics.Select((nic, index) => Port(scene, machine, nic, index, macs[index]))],
        Devices =
        [
            .. machine.Devices.Distinct().Order().Select(kind => new DevicePlan(
                kind, new Reason($"{machine.Origin} has the device.", [machine.Origin]))),
        ],
        Reason = new Reason(
            $"{Display.Of(machine)} is placed on {Display.Of(host)} and admitted there.",
            scene.WhyAdmitted(machine.Ref)),
    };

    private static BootPlan Boot(Scene scene, CompartmentModel machine, string[] macs)
    {
        var image = scene.Datacentre.Machinery.Images[new ImageRef(machine.Ref.Tenant, machine.Image).ToString()];
        return new BootPlan(
            image.KernelSha256, image.InitrdSha256,
            machine.Firmware == MachineFirmware.Ovmf ? image.FirmwareSha256 : null, image.BootVolumeSha256,
            Arguments(scene, machine, image, macs),
            new Reason($"{machine.Origin} starts from {image.Origin}.", [machine.Origin, image.Origin]));
    }

    /// <summary>The image's arguments, then who the machine is and which addresses its ports have.</summary>
    private static string Arguments(Scene scene, CompartmentModel machine, ImageModel image, string[] macs)
    {
        var text = new StringBuilder(image.Arguments.Trim());
        text.Append(text.Length > 0 ? " " : "").Append("bailiwick.machine=").Append(Display.Of(machine));
        for (var index = 0; index < machine.Nics.Length; index++)
        {
            var nic = machine.Nics[index];
            var domain = Domain(scene, machine, nic);
            text.Append(CultureInfo.InvariantCulture, $" bailiwick.nic{index}={macs[index]}")
                .Append(',').Append(Address(domain, nic.Ipv4))
                .Append(',').Append(Address(domain, nic.Ipv6));
        }

        return text.ToString();
    }

    /// <summary>
    /// The gateway's address is told whether there is a gateway now or not: a machine must not change, and so be
    /// stopped, because a flow was opened or withdrawn.
    /// </summary>
    private static string Address(DomainModel domain, IPAddress? address) =>
        address is not null && Subnets.Of(domain, address) is { } subnet
            ? $"{address}/{subnet.PrefixLength},{Addresses.Gateway(subnet)}"
            : "-,-";

    private static DiskPlan Disk(Scene scene, HostModel host, CompartmentModel machine, DiskModel disk, int index)
    {
        var reference = disk.Volume;
        var volume = scene.Datacentre.Machinery.Volumes[reference.ToString()];
        var colour = scene.Datacentre.Domains[volume.Colour.ToString()];
        var form = StorageForm.Of(colour, host);
        return new DiskPlan(
            reference, DeviceNames.VolumeFile(reference, form.Encrypted), volume.SizeMib, form.Encrypted, disk.Access,
            "vd" + (char)('a' + index), DeviceNames.VolumeSecret(machine.Ref, reference),
            new Reason(
                $"{machine.Origin} attaches {volume.Origin}, which is {form.Because}",
                [machine.Origin, volume.Origin, colour.Origin, .. form.Encrypted ? [] : new[] { host.Origin }]))
        {
            Content = Content(scene, volume),
            CopyOf = CopyOf(scene, machine, volume, index),
            Sharing = volume.Sharing,
        };
    }

    private static ContentPlan? Content(Scene scene, VolumeModel volume)
    {
        if (volume.FromImage is not { } name)
        {
            return null;
        }

        var image = scene.Datacentre.Machinery.Images[new ImageRef(volume.Ref.Tenant, name).ToString()];
        var disk = image.Disk ?? throw new InvalidOperationException($"{image.Origin} was accepted without a disk.");
        return new ContentPlan(
            disk.Sha256, disk.SizeMib,
            new Reason($"{volume.Origin} begins with the disk of {image.Origin}.", [volume.Origin, image.Origin]));
    }

    /// <summary>Of the same domain, and so ciphertext as its copy is.</summary>
    private static DiskPlan? CopyOf(Scene scene, CompartmentModel machine, VolumeModel volume, int index)
    {
        if (volume.FromVolume is not { } name)
        {
            return null;
        }

        var source = scene.Datacentre.Machinery.Volumes[new VolumeRef(volume.Ref.Tenant, name).ToString()];
        return new DiskPlan(
            source.Ref, DeviceNames.VolumeFile(source.Ref, encrypted: true), source.SizeMib, Encrypted: true,
            VolumeAccess.Read, "vd" + (char)('a' + index) + "-source",
            DeviceNames.VolumeSecret(machine.Ref, source.Ref),
            new Reason($"{volume.Origin} is a copy of {source.Origin}.", [volume.Origin, source.Origin]))
        {
            Sharing = source.Sharing,
        };
    }

    private static PortPlan Port(Scene scene, CompartmentModel machine, NicModel nic, int index, string mac)
    {
        var domain = Domain(scene, machine, nic);
        return new PortPlan(
            DeviceNames.Tap(machine.Ref, index), mac, scene.Laid(domain).Bridge, nic.Ipv4?.ToString(),
            nic.Ipv6?.ToString(), Scene.Mtu(domain),
            new Reason($"{machine.Origin} has a port in {Display.Of(domain)}.", [machine.Origin, domain.Origin]));
    }

    private static DomainModel Domain(Scene scene, CompartmentModel machine, NicModel nic) =>
        scene.Datacentre.Domains[new DomainRef(machine.Ref.Tenant, nic.Domain).ToString()];
}
