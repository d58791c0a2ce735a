using System.Collections.Immutable;
using System.Net;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>Reads domains.</summary>
internal static class DomainReader
{
    private const int MostMachines = 10_000;
    private const int MostCpus = 1_000_000;

    /// <summary>Reads a domain.</summary>
    public static DomainModel Domain(PolicyDocument document, Value body)
    {
        body.Only(
            "legalOwner", "expires", "hosts", "machines", "network", "storage", "quota", "reservation", "approvals",
            "groups", "flows", "services", "bandwidth", "information");
        var owner = body.Need("legalOwner").Only("name", "jurisdiction");
        var flows = body.May("flows").Only("grants", "accepts", "nat");
        var storage = body.Need("storage").Only("confidentiality", "trustedMedia");
        var media = storage.May("trustedMedia");
        var reference = new DomainRef(document.Origin.Owner, document.Origin.Name);
        var network = Network(body.Need("network"));
        var legal = new LegalOwner(owner.Need("name").LegalName(), owner.Need("jurisdiction").Country());
        var hosts = Hosts(body.Need("hosts"), document.Names, document.IsSigned);
        var domain = new DomainModel
        {
            Ref = reference,
            LegalOwner = legal,
            Expires = body.Need("expires", FindingCode.MissingExpiry).Moment(),
            Hosts = hosts,
            Machines = Machines(body.Need("machines")),
            Network = network,
            Bandwidth = ServiceReader.Bandwidth(body.May("bandwidth")),
            Services = ServiceReader.Services(body.May("services"), network.Subnets),
            Storage = storage.Need("confidentiality").Word<StorageConfidentiality>(),
            TrustedMedia = media.IsPresent
                ? media.Distinct(1, PolicyLimits.Names, item => item.Medium(document.Names)) : [],
            Quota = Quota(body.Need("quota")),
            Reservation = Reservation(body.May("reservation")),
            Approvals = Approvals(body.May("approvals")),
            Groups = Groups(body.May("groups")),
            Grants = Terms(flows.May("grants"), "to", document.Names, reference),
            Accepts = Terms(flows.May("accepts"), "from", document.Names, reference),
            Translations = Translations(flows.May("nat"), document.Names, reference),
            Information = InformationReader.Information(
                body.May("information"), document.Names, reference, legal, hosts),
            Origin = document.Origin,
        };
        CheckQuota(domain, body.May("reservation"));
        return domain;
    }

    private static HostDemand Hosts(Value hosts, PartyNames? names, bool signed)
    {
        hosts.Only("operators", "assurance", "jurisdictions", "vendors", "evidence", "onLostTrust");
        var (vendors, lost) = (hosts.May("vendors"), hosts.May("onLostTrust"));
        var demand = new HostDemand(
            hosts.Need("operators").Distinct(1, PolicyLimits.Names, item => item.Party(names)),
            hosts.Need("assurance").Distinct(1, PolicyLimits.Names, item => item.Word<AssuranceLevel>()),
            hosts.Need("jurisdictions").Distinct(1, PolicyLimits.Names, item => item.Country()),
            vendors.IsPresent ? vendors.FileOrDigest(signed) : null,
            hosts.May("evidence").Predicates(),
            lost.IsPresent ? lost.Word<LostTrust>() : LostTrust.Stop);
        if (demand.Assurance.Contains(AssuranceLevel.Tpm) && !vendors.IsPresent)
        {
            hosts.Fault(
                FindingCode.MissingVendors,
                "The level tpm is accepted, but no vendors are named, so no TPM gives it. Add vendors: {file: NAME} "
                + "with the root certificates of the makers you trust.");
        }

        return demand;
    }

    private static MachineDemand Machines(Value machines)
    {
        machines.Only("images", "firmware", "tpm");
        var (firmware, tpm) = (machines.May("firmware"), machines.May("tpm"));
        return new MachineDemand(
            machines.Need("images").Distinct(1, PolicyLimits.Names, item => item.Name()),
            firmware.IsPresent ? firmware.Word<FirmwareDemand>() : FirmwareDemand.Any,
            tpm.IsPresent ? tpm.Word<TpmDemand>() : TpmDemand.Any);
    }

    private static NetworkDemand Network(Value network)
    {
        network.Only("subnets", "confidentiality", "number");
        var subnets = ImmutableArray.CreateBuilder<IPNetwork>();
        foreach (var item in network.Need("subnets").Items(1, PolicyLimits.Subnets))
        {
            if (item.Prefix() is not { } subnet)
            {
                continue;
            }

            foreach (var other in subnets.Where(other => Addresses.Overlap(other, subnet)))
            {
                item.Fault(FindingCode.OverlappingSubnets, $"The subnet overlaps {other} of the same domain.");
            }

            subnets.Add(subnet);
        }

        var number = network.May("number");
        return new NetworkDemand(
            subnets.ToImmutable(), network.Need("confidentiality").Word<NetworkConfidentiality>(),
            number.IsPresent ? number.Integer(1, DerivedNames.MaxNetworkNumber) : null);
    }

    private static Quota Quota(Value quota)
    {
        quota.Only("machines", "cpus", "memoryMiB", "storageMiB");
        return new Quota(
            quota.Need("machines").Integer(0, MostMachines), quota.Need("cpus").Integer(0, MostCpus),
            quota.Need("memoryMiB").Integer(0, int.MaxValue), quota.Need("storageMiB").Integer(0, int.MaxValue));
    }

    private static Reservation Reservation(Value reservation)
    {
        reservation.Only("cpus", "memoryMiB");
        return reservation.IsPresent
            ? new Reservation(
                reservation.Need("cpus").Integer(0, MostCpus), reservation.Need("memoryMiB").Integer(0, int.MaxValue))
            : new Reservation(0, 0);
    }

    private static void CheckQuota(DomainModel domain, Value reservation)
    {
        if (reservation.IsPresent
            && (domain.Reservation.Cpus > domain.Quota.Cpus || domain.Reservation.MemoryMib > domain.Quota.MemoryMib))
        {
            reservation.Fault(
                FindingCode.QuotaBelowReservation,
                $"{domain.Reservation.Cpus} processors and {domain.Reservation.MemoryMib} MiB are reserved, but the "
                + $"quota is {domain.Quota.Cpus} and {domain.Quota.MemoryMib}. Raise the quota or reserve less.");
        }
    }

    private static ImmutableSortedDictionary<ApprovedAction, int> Approvals(Value approvals)
    {
        approvals.Only([.. WireText.All<ApprovedAction>()]);
        var counts = ImmutableSortedDictionary.CreateBuilder<ApprovedAction, int>();
        foreach (var action in Enum.GetValues<ApprovedAction>())
        {
            var count = approvals.May(WireText.Of(action));
            if (count.IsPresent)
            {
                counts[action] = count.Integer(1, PolicyLimits.Keys);
            }
        }

        return counts.ToImmutable();
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<StatementName>> Groups(Value groups)
    {
        var result = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<StatementName>>(
            StringComparer.Ordinal);
        foreach (var (name, members) in groups.Each(PolicyLimits.Groups))
        {
            if (!StatementName.TryParse(name, out _))
            {
                members.Fault(
                    FindingCode.BadName,
                    $"{Quoted.Of(name)} is not a group's name: a lower-case letter, then up to 39 lower-case letters, "
                    + "digits or hyphens.");
                continue;
            }

            result[name] = members.Distinct(0, PolicyLimits.Names, item => item.Name());
        }

        return result.ToImmutable();
    }

    private static ImmutableArray<FlowTerm> Terms(Value list, string peer, PartyNames? names, DomainRef self)
    {
        var terms = ImmutableArray.CreateBuilder<FlowTerm>();
        foreach (var item in list.Items(0, PolicyLimits.FlowTerms))
        {
            item.Only(peer, "machines", "network", "volume", "device");
            var other = item.Need(peer).Domain(names);
            if (other == self)
            {
                item.Fault(
                    FindingCode.FlowToSelf, "The peer is the domain itself, inside which everything flows. Remove it.");
            }

            var machines = item.May("machines");
            var chosen = machines.Distinct(0, PolicyLimits.Names, one => one.Name().Text);
            if (machines.IsPresent && chosen.Length == 0)
            {
                machines.Fault(
                    FindingCode.EmptyGroup,
                    "No machine is named, so the flow is for nobody. Name machines or groups, or remove the member.");
            }

            var resource = Resource(item);
            if (resource is not null)
            {
                terms.Add(new FlowTerm(other, machines.IsPresent ? chosen : null, resource, item.Pointer));
            }
        }

        return terms.ToImmutable();
    }

    private static ImmutableArray<AddressTranslation> Translations(Value list, PartyNames? names, DomainRef self)
    {
        var clauses = ImmutableArray.CreateBuilder<AddressTranslation>();
        foreach (var item in list.Items(1, PolicyLimits.FlowTerms))
        {
            item.Only("with", "own", "peer");
            var (own, peer) = (item.May("own"), item.May("peer"));
            var clause = new AddressTranslation(
                item.Need("with").Domain(names), Prefixes(own), Prefixes(peer), item.Pointer);
            if (clause.With == self || clauses.Any(one => one.With == clause.With)
                || (!own.IsPresent && !peer.IsPresent))
            {
                item.Fault(
                    FindingCode.NatDoesNotFit,
                    "A nat clause is of another domain, one for each, and names by what the two know each other: own, "
                    + "peer, or both.");
            }

            clauses.Add(clause);
        }

        return clauses.ToImmutable();

        static ImmutableArray<IPNetwork> Prefixes(Value list) =>
            [.. list.Items(1, PolicyLimits.Subnets).Select(item => item.Prefix()).OfType<IPNetwork>()];
    }

    private static FlowResource? Resource(Value term)
    {
        var (network, volume, device) = (term.May("network"), term.May("volume"), term.May("device"));
        var read = new FlowResource?[]
        {
            network.IsPresent ? NetworkOf(network.Only("protocol", "ports")) : null,
            volume.IsPresent ? VolumeOf(volume.Only("name", "access")) : null,
            device.IsPresent ? new FlowResource.Device(device.Only("kind").Need("kind").Word<DeviceKind>()) : null,
        };
        var resources = read.OfType<FlowResource>().ToArray();
        if (term.IsPresent && resources.Length != 1)
        {
            term.Fault(
                FindingCode.NotOneResource,
                $"A flow is of exactly one of network, volume and device; here are {resources.Length}.");
            return null;
        }

        return resources.FirstOrDefault();
    }

    private static FlowResource.Volume VolumeOf(Value volume) =>
        new(volume.Need("name").Name(), volume.Need("access").Word<VolumeAccess>());

    private static FlowResource.Network NetworkOf(Value network)
    {
        var protocol = network.Need("protocol").Word<FlowProtocol>();
        var list = network.May("ports");
        var ports = list.Items(1, PolicyLimits.PortRanges).Select(item => item.Ports()).OfType<PortRange>().ToArray();
        if (protocol == FlowProtocol.Icmp && list.IsPresent)
        {
            list.Fault(FindingCode.PortsDoNotFit, "ICMP has no ports. Remove the member.");
        }
        else if (protocol is FlowProtocol.Tcp or FlowProtocol.Udp && !list.IsPresent)
        {
            network.Fault(
                FindingCode.PortsDoNotFit, $"Name the server's {WireText.Of(protocol)} ports; none means nobody.");
        }

        return new FlowResource.Network(protocol, Flows.PortSets.Merged(ports));
    }
}
