using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Checks volumes and machines against their tenant's other statements and each other.</summary>
internal static class MachineChecks
{
    /// <summary>Runs the checks and gives what remains.</summary>
    public static Machinery Run(
        StatementSet statements, ImmutableSortedDictionary<string, DomainModel> domains, PartyId? operatorId)
    {
        foreach (var (_, volume) in statements.Usable<VolumeModel>().ToArray())
        {
            statements.Need(volume.Origin, StatementKind.Domain, volume.Domain, FindingCode.UnknownDomain, "/domain");
        }

        ContentChecks.Volumes(statements, domains);

        var hosts = operatorId is null
            ? [] : statements.Names(StatementKind.Host, operatorId).ToHashSet(StringComparer.Ordinal);
        foreach (var (_, machine) in statements.Usable<CompartmentModel>().ToArray())
        {
            References(statements, machine);
            Image(statements, domains, machine);
            CheckAddresses(statements, domains, machine);
            Placement(statements, hosts, machine);
        }

        // Of those that could run alone, which cannot run together? Judged at once, so that order decides nothing.
        var alone = statements.Usable<CompartmentModel>().Select(pair => pair.Model).ToArray();
        VolumeChecks.TwoWriters(statements, alone);
        ContentChecks.Written(statements, alone);
        OneAddress(statements, alone);
        return new Machinery(
            Models<CompartmentModel>(statements, model => model.Ref.ToString()),
            Models<VolumeModel>(statements, model => model.Ref.ToString()),
            Models<ImageModel>(statements, model => model.Ref.ToString()));
    }

    private static ImmutableSortedDictionary<string, T> Models<T>(StatementSet statements, Func<T, string> name)
        where T : class => statements.Usable<T>().ToImmutableSortedDictionary(
            pair => name(pair.Model), pair => pair.Model, StringComparer.Ordinal);

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

    private static void Image(
        StatementSet statements, ImmutableSortedDictionary<string, DomainModel> domains, CompartmentModel machine)
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
            Demands(statements, domains, machine, nic);
            if (statements.Declares(StatementKind.Image, machine.Ref.Tenant, machine.Image)
                && domains.TryGetValue($"{machine.Ref.Tenant}/{nic.Domain}", out var domain)
                && !domain.Machines.Images.Contains(machine.Image))
            {
                statements.Note(
                    machine.Origin, FindingCode.ImageNotAccepted, "/boot/image",
                    $"The domain {nic.Domain} accepts {string.Join(", ", domain.Machines.Images)}, not "
                    + $"{machine.Image}, so "
                    + "this machine is never admitted.");
            }
        }
    }

    private static void Demands(
        StatementSet statements, ImmutableSortedDictionary<string, DomainModel> domains, CompartmentModel machine,
        NicModel nic)
    {
        if (!domains.TryGetValue($"{machine.Ref.Tenant}/{nic.Domain}", out var domain))
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

    private static void CheckAddresses(
        StatementSet statements, ImmutableSortedDictionary<string, DomainModel> domains, CompartmentModel machine)
    {
        for (var i = 0; i < machine.Nics.Length; i++)
        {
            var nic = machine.Nics[i];
            if (!domains.TryGetValue($"{machine.Ref.Tenant}/{nic.Domain}", out var domain))
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

    private static void Placement(StatementSet statements, HashSet<string> hosts, CompartmentModel machine)
    {
        var named = machine.Placement.Hosts ?? [];
        for (var i = 0; i < named.Length; i++)
        {
            // A tenant that checks its own policies alone knows no hosts, and cannot be told about them.
            if (hosts.Count > 0 && !hosts.Contains(named[i].Text))
            {
                var near = Reading.Quoted.Nearest(named[i].Text, hosts);
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
