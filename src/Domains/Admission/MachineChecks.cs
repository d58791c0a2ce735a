using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// The checks that depend only on the policies: the machine's own integrity and the flows of its domains.
/// </summary>
internal static class MachineChecks
{
    public static void Add(List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine)
    {
        var domains = Domains(refusals, ground, machine);
        foreach (var domain in domains.Where(domain => ground.Now >= domain.Expires))
        {
            refusals.Add(new(AdmissionRefusalCode.PolicyExpired,
                string.Create(CultureInfo.InvariantCulture,
                    // Not the present moment: the sentence is part of the plan, and a plan must not change by itself.
                    $"{domain.Origin} expired at {domain.Expires:u}. Sign a new revision."),
                domain.Origin));
        }

        Image(refusals, ground, machine, domains);
        Demands(refusals, machine, domains);
        Volumes(refusals, ground, machine, domains);
        Joined(refusals, ground, machine, domains);
        Addresses(refusals, ground, machine);
    }

    private static ImmutableArray<DomainModel> Domains(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine)
    {
        var domains = ImmutableArray.CreateBuilder<DomainModel>();
        if (machine.Nics.IsEmpty)
        {
            refusals.Add(new(AdmissionRefusalCode.UnknownDomain,
                $"{machine.Origin} has no network port, so it is a member of no domain and no policy admits it.",
                machine.Origin));
        }

        foreach (var name in machine.Nics.Select(nic => nic.Domain).Distinct())
        {
            if (ground.Domain(machine.Ref.Tenant, name) is { } domain)
            {
                domains.Add(domain);
                continue;
            }

            refusals.Add(new(AdmissionRefusalCode.UnknownDomain,
                $"{machine.Origin} has a port in the domain {name}, which no accepted statement describes.",
                machine.Origin));
        }

        return domains.ToImmutable();
    }

    private static void Image(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine,
        ImmutableArray<DomainModel> domains)
    {
        var image = new ImageRef(machine.Ref.Tenant, machine.Image).ToString();
        if (!ground.Datacentre.Machinery.Images.ContainsKey(image))
        {
            refusals.Add(new(AdmissionRefusalCode.UnknownImage,
                $"{machine.Origin} starts from the image {machine.Image}, which no accepted statement describes.",
                machine.Origin));
        }
        else if (machine.Firmware == MachineFirmware.Ovmf
            && ground.Datacentre.Machinery.Images[image] is { FirmwareSha256: null } silent)
        {
            refusals.Add(new(AdmissionRefusalCode.FirmwareNotStated,
                $"{machine.Origin} starts with UEFI firmware, and {silent.Origin} states none; no firmware is accepted "
                + "by default.",
                silent.Origin));
        }

        if (ground.Datacentre.Machinery.Images.GetValueOrDefault(image) is { BootVolumeSha256: not null } stating
            && !machine.HasReadOnlyFirstDisk)
        {
            refusals.Add(new(AdmissionRefusalCode.BootVolumeNotRead,
                $"{stating.Origin} states what is on the boot volume, and {machine.Origin} has no first disk with "
                + "access read; nobody can state what a machine writes.",
                stating.Origin));
        }

        foreach (var domain in domains.Where(domain => !domain.Machines.Images.Contains(machine.Image)))
        {
            refusals.Add(new(AdmissionRefusalCode.ImageNotAccepted,
                $"{domain.Origin} accepts the images {Display.List(domain.Machines.Images)}, "
                + $"not {machine.Image} of {machine.Origin}.",
                domain.Origin));
        }
    }

    private static void Demands(
        List<AdmissionRefusal> refusals, CompartmentModel machine, ImmutableArray<DomainModel> domains)
    {
        foreach (var domain in domains)
        {
            if (!domain.Machines.Accepts(machine.Firmware))
            {
                refusals.Add(new(AdmissionRefusalCode.FirmwareNotAccepted,
                    $"{domain.Origin} demands the firmware {WireText.Of(domain.Machines.Firmware)} of its machines; "
                    + $"{machine.Origin} starts with {WireText.Of(machine.Firmware)}.",
                    domain.Origin));
            }

            if (!domain.Machines.Accepts(machine.Tpm))
            {
                refusals.Add(new(AdmissionRefusalCode.TpmMissing,
                    $"{domain.Origin} demands a TPM of each of its machines; {machine.Origin} has none.",
                    domain.Origin));
            }
        }
    }

    private static void Volumes(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine,
        ImmutableArray<DomainModel> domains)
    {
        foreach (var disk in machine.Disks)
        {
            var volume = ground.Datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString());
            if (volume is null || ground.Domain(disk.Volume.Tenant, volume.Domain) is not { } colour)
            {
                refusals.Add(new(AdmissionRefusalCode.UnknownVolume,
                    $"{machine.Origin} has the disk {disk.Volume.Name}"
                    + (disk.Volume.Tenant == machine.Ref.Tenant ? "" : $" of the tenant {disk.Volume.Tenant.Short}")
                    + ", which no accepted statement describes"
                    + (volume is null ? "." : $", for its domain {volume.Domain} is unknown."),
                    machine.Origin));
                continue;
            }

            if (!domains.Contains(colour) && !IsOpened(ground, machine, colour, volume, disk, domains))
            {
                refusals.Add(new(AdmissionRefusalCode.VolumeFlowClosed,
                    $"{volume.Origin} belongs to {Display.Of(colour)}, {machine.Origin} is not a member of it, and no "
                    + $"flow of volume {volume.Ref.Name} ({WireText.Of(disk.Access)}) to a domain of the machine is "
                    + "open to it.",
                    volume.Origin));
            }
        }
    }

    private static bool IsOpened(
        AdmissionGround ground, CompartmentModel machine, DomainModel colour, VolumeModel volume, DiskModel disk,
        ImmutableArray<DomainModel> domains) =>
        ground.Now < colour.Expires
        && ground.Flows.Lending(volume, machine.Ref, disk.Access) is { } flow
        && domains.Any(domain => domain.Ref == flow.To);

    private static void Joined(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine,
        ImmutableArray<DomainModel> domains)
    {
        for (var i = 0; i < domains.Length; i++)
        {
            for (var j = i + 1; j < domains.Length; j++)
            {
                if (!IsJoined(ground.Flows, machine, domains[i], domains[j]))
                {
                    refusals.Add(new(AdmissionRefusalCode.DomainsNotJoined,
                        $"{machine.Origin} would join {Display.Of(domains[i])} and {Display.Of(domains[j])}, "
                        + "but no open network flow between them names this machine on both sides.",
                        domains[j].Origin));
                }
            }
        }
    }

    /// <summary>Whether an open network flow between the domains names the machine on both sides.</summary>
    public static bool IsJoined(FlowMatrix flows, CompartmentModel machine, DomainModel left, DomainModel right) =>
        flows.Joining(left.Ref, right.Ref).Any(flow =>
            flow.Senders.Contains(machine.Ref) && flow.Receivers.Contains(machine.Ref));

    private static void Addresses(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine)
    {
        foreach (var nic in machine.Nics)
        {
            if (ground.Domain(machine.Ref.Tenant, nic.Domain) is not { } domain)
            {
                continue;
            }

            if (nic.Ipv4 is null && nic.Ipv6 is null)
            {
                refusals.Add(new(AdmissionRefusalCode.AddressOutsideDomain,
                    $"{machine.Origin} has a port in {Display.Of(domain)} without an address.", machine.Origin));
            }

            Address(refusals, ground, machine, domain, nic.Ipv4, AddressFamily.InterNetwork);
            Address(refusals, ground, machine, domain, nic.Ipv6, AddressFamily.InterNetworkV6);
        }
    }

    private static void Address(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentModel machine, DomainModel domain,
        IPAddress? address, AddressFamily family)
    {
        if (address is null)
        {
            return;
        }

        if (address.AddressFamily != family || Subnets.Of(domain, address) is null)
        {
            refusals.Add(new(AdmissionRefusalCode.AddressOutsideDomain,
                $"{machine.Origin} has the address {address} in {Display.Of(domain)}, whose subnets are "
                + $"{Display.List(domain.Network.Subnets)}; the first and last address of each and the "
                + "gateway's are taken.",
                domain.Origin));
        }

        if (Holder(ground, machine, domain, address) is { } holder)
        {
            refusals.Add(new(AdmissionRefusalCode.AddressTaken,
                $"{machine.Origin} has the address {address} in {Display.Of(domain)}, which {holder.Origin} has.",
                holder.Origin));
        }
    }

    /// <summary>
    /// The first machine of the domain, by reference, with this address; null if that is the machine itself.
    /// </summary>
    private static CompartmentModel? Holder(
        AdmissionGround ground, CompartmentModel machine, DomainModel domain, IPAddress address)
    {
        var holder = ground.Datacentre.Index.Holder(domain.Ref, address);
        var own = machine.Nics.Count(nic => nic.Domain == domain.Ref.Name
            && (address.Equals(nic.Ipv4) || address.Equals(nic.Ipv6)));
        return holder?.Ref == machine.Ref && own == 1 ? null : holder;
    }
}
