using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Checks volumes and machines against their tenant's other statements and each other.</summary>
internal static class MachineChecks
{
    /// <summary>Runs the checks.</summary>
    public static void Run(StatementSet statements, PartyId? operatorId)
    {
        foreach (var (_, volume) in statements.Usable<VolumeModel>().ToArray())
        {
            statements.Need(volume.Origin, StatementKind.Domain, volume.Domain, FindingCode.UnknownDomain, "/domain");
        }

        ContentChecks.Volumes(statements);

        foreach (var (_, machine) in statements.Usable<CompartmentModel>().ToArray())
        {
            References(statements, machine);
            Image(statements, machine);
            CheckAddresses(statements, machine);
            Placement(statements, operatorId, machine);
        }

        // Of those that could run alone, which cannot run together? Judged at once, so that order decides nothing.
        var alone = statements.Usable<CompartmentModel>().Select(pair => pair.Model).ToArray();
        VolumeChecks.TwoWriters(statements, alone);
        ContentChecks.Written(statements, alone);
        OneAddress(statements, alone);
    }

    private static void References(StatementSet statements, CompartmentModel machine)
    {
        statements.Need(machine.Origin, StatementKind.Image, machine.Image, FindingCode.UnknownImage, "/boot/image");
        for (var i = 0; i < machine.Nics.Length; i++)
        {
            statements.Need(
                machine.Origin, StatementKind.Domain, machine.Nics[i].Domain, FindingCode.UnknownDomain,
                $"/nics/{i}/domain");
        }

        for (var i = 0; i < machine.Disks.Length; i++)
        {
            var volume = machine.Disks[i].Volume;
            if (volume.Tenant == machine.Ref.Tenant)
            {
                statements.Need(
                    machine.Origin, StatementKind.Volume, volume.Name, FindingCode.UnknownVolume,
                    $"/disks/{i}/volume");
            }
        }
    }

    private static void Image(StatementSet statements, CompartmentModel machine)
    {
        var image = statements.Find<ImageModel>(StatementKind.Image, machine.Ref.Tenant, machine.Image);
        if (machine.Firmware == MachineFirmware.Ovmf && image is { FirmwareSha256: null })
        {
            statements.Note(
                machine.Origin, FindingCode.FirmwareNotStated, "/firmware",
                $"The image {machine.Image} states no firmware, so this machine is never admitted. Add firmware to the "
                + "image.");
        }

        if (image is { BootVolumeSha256: not null } && !machine.HasReadOnlyFirstDisk)
        {
            statements.Note(
                machine.Origin, FindingCode.BootVolumeNotRead, "/disks",
                $"The image {machine.Image} states what is on the boot volume, so the machine's first disk must be "
                + "that volume with access read; as it is, the machine is never admitted.");
        }

        foreach (var nic in machine.Nics)
        {
            Demands(statements, machine, nic);
            if (statements.Declares(StatementKind.Image, machine.Ref.Tenant, machine.Image)
                && Domain(statements, machine, nic) is { } domain && !domain.Machines.Images.Contains(machine.Image))
            {
                statements.Note(
                    machine.Origin, FindingCode.ImageNotAccepted, "/boot/image",
                    $"The domain {nic.Domain} accepts {string.Join(", ", domain.Machines.Images)}, not "
                    + $"{machine.Image}, so "
                    + "this machine is never admitted.");
            }
        }
    }

    private static DomainModel? Domain(StatementSet statements, CompartmentModel machine, NicModel nic) =>
        statements.Find<DomainModel>(StatementKind.Domain, machine.Ref.Tenant, nic.Domain);

    private static void Demands(StatementSet statements, CompartmentModel machine, NicModel nic)
    {
        if (Domain(statements, machine, nic) is not { } domain)
        {
            return;
        }

        if (!domain.Machines.Accepts(machine.Firmware))
        {
            statements.Note(
                machine.Origin, FindingCode.FirmwareNotAccepted, "/firmware",
                $"The domain {nic.Domain} demands the firmware {WireText.Of(domain.Machines.Firmware)} of its "
                + $"machines, not {WireText.Of(machine.Firmware)}, so this machine is never admitted.");
        }

        if (!domain.Machines.Accepts(machine.Tpm))
        {
            statements.Note(
                machine.Origin, FindingCode.TpmMissing, "/tpm",
                $"The domain {nic.Domain} demands a TPM of each of its machines, so this machine is never admitted. "
                + "Add tpm: required.");
        }
    }

    private static void CheckAddresses(StatementSet statements, CompartmentModel machine)
    {
        for (var i = 0; i < machine.Nics.Length; i++)
        {
            var nic = machine.Nics[i];
            if (Domain(statements, machine, nic) is not { } domain)
            {
                continue;
            }

            foreach (var (address, member) in new[] { (nic.Ipv4, "ipv4"), (nic.Ipv6, "ipv6") })
            {
                if (address is not null && Misplaced(domain, address) is { } wrong)
                {
                    statements.Reject(machine.Origin, wrong.Code, $"/nics/{i}/{member}", wrong.Sentence);
                }
            }
        }
    }

    private static (FindingCode Code, string Sentence)? Misplaced(DomainModel domain, IPAddress address)
    {
        var subnets = domain.Network.Subnets.Where(one => one.Contains(address)).ToArray();
        if (subnets.Length == 0)
        {
            return (
                FindingCode.AddressOutsideSubnet,
                $"{address} is in none of the subnets {string.Join(", ", domain.Network.Subnets)} of "
                + $"{domain.Ref.Name}.");
        }

        if (address.Equals(subnets[0].BaseAddress))
        {
            return (FindingCode.AddressIsSubnet, $"{address} is the address of the subnet {subnets[0]} itself.");
        }

        if (address.Equals(Addresses.Gateway(subnets[0])))
        {
            return (FindingCode.AddressIsGateway, $"{address} is the gateway's address in {subnets[0]}.");
        }

        if (domain.Services.HasServicePoint && address.Equals(Addresses.Service(subnets[0])))
        {
            return (FindingCode.AddressIsService, $"{address} is the service point's address in {subnets[0]}.");
        }

        return address.AddressFamily == AddressFamily.InterNetwork && address.Equals(Addresses.Last(subnets[0]))
            ? (FindingCode.AddressIsBroadcast, $"{address} is the broadcast address of {subnets[0]}.")
            : null;
    }

    private static void Placement(StatementSet statements, PartyId? operatorId, CompartmentModel machine)
    {
        var named = machine.Placement.Hosts ?? [];
        for (var i = 0; i < named.Length; i++)
        {
            // A tenant that checks its own policies alone knows no hosts, and cannot be told about them.
            if (operatorId is not null && !statements.Declares(StatementKind.Host, operatorId, named[i])
                && statements.Names(StatementKind.Host, operatorId).Any())
            {
                var near = Reading.Quoted.Nearest(named[i].Text, statements.Names(StatementKind.Host, operatorId));
                statements.Note(
                    machine.Origin, FindingCode.UnknownHost, $"/placement/hosts/{i}",
                    $"There is no host {named[i]}" + (near is null ? "." : $"; did you mean {near}?"));
            }
        }

        Others(statements, machine, machine.Placement.ApartFrom, "/placement/apartFrom");
        Others(statements, machine, machine.Placement.TogetherWith, "/placement/togetherWith");
    }

    private static void Others(
        StatementSet statements, CompartmentModel machine, ImmutableArray<StatementName> names, string pointer)
    {
        for (var i = 0; i < names.Length; i++)
        {
            if (!statements.Declares(StatementKind.Compartment, machine.Ref.Tenant, names[i]))
            {
                statements.Note(
                    machine.Origin, FindingCode.UnknownMachine, $"{pointer}/{i}",
                    statements.Missing(StatementKind.Compartment, machine.Ref.Tenant, names[i].Text));
            }
        }
    }

    private static void OneAddress(StatementSet statements, IEnumerable<CompartmentModel> machines)
    {
        var taken = machines
            .SelectMany(machine => machine.Nics.SelectMany((nic, i) => new[]
            {
                (machine, nic.Domain, Address: nic.Ipv4, Pointer: $"/nics/{i}/ipv4"),
                (machine, nic.Domain, Address: nic.Ipv6, Pointer: $"/nics/{i}/ipv6"),
            }))
            .Where(use => use.Address is not null)
            .GroupBy(use => $"{use.machine.Ref.Tenant}/{use.Domain} {use.Address}", StringComparer.Ordinal)
            .Where(group => group.Count() > 1).ToArray();
        foreach (var group in taken)
        {
            foreach (var (machine, domain, address, pointer) in group)
            {
                statements.Reject(
                    machine.Origin, FindingCode.DuplicateAddress, pointer,
                    $"{address} in {domain} is claimed by {Others(group.Select(use => use.machine), machine)} too. "
                    + $"None of "
                    + "them is admitted; give each an address of its own.");
            }
        }
    }

    internal static string Others(IEnumerable<CompartmentModel> all, CompartmentModel self) => string.Join(
        ", ", all.Where(other => other.Ref != self.Ref).Select(other => other.Ref.Name.Text).Distinct());
}
