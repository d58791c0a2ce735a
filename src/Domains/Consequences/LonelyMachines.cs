using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>Domains and machines for which there is no host, though nothing else ran.</summary>
internal static class LonelyMachines
{
    /// <summary>Says of each domain alone, then of each kind of machine whose domains alone have hosts.</summary>
    /// <returns>The kinds that have a host each.</returns>
    public static ImmutableArray<MachineKind> Find(
        FindingPlaces places, AdmissionGround ground, HostSearch search, ReservedRoom kept,
        ImmutableArray<MachineKind> kinds)
    {
        var without = new HashSet<DomainRef>();
        foreach (var domain in ground.Datacentre.Domains.Values.Where(one => IsHere(ground, one.Ref.Tenant)))
        {
            if (search.For(HostTerm.Of(domain)) is { } none)
            {
                without.Add(domain.Ref);
                places.Add(
                    domain.Origin, FindingCode.NoHostForDomain,
                    none.Reason is [var only] ? only.Pointer : "/hosts",
                    $"No host can run a machine of it. {none.Because(places)} {none.Remedy}");
            }
            else
            {
                Reservation(places, kept, domain);
            }
        }

        var placeable = ImmutableArray.CreateBuilder<MachineKind>();
        foreach (var kind in kinds.Where(one => IsHere(ground, one.First.Ref.Tenant)))
        {
            var admission = AdmissionCase.Of(ground, kind.First, search.Hosts[0]);
            if (admission.Domains.Concat(admission.Lenders).Any(domain => without.Contains(domain.Ref)))
            {
                continue;
            }

            if (search.For(Terms(admission, kept)) is not { } none)
            {
                placeable.Add(kind);
            }
            else if (none.Reason is not [HostTerm.Uplink])
            {
                // That a domain reserves more of an uplink than any has is said of the domain already.
                places.Add(
                    kind.First.Origin, FindingCode.NoHostForMachine, Pointer(kind.First, none.Reason),
                    $"No host can run it, though nothing else ran. {none.Because(places)} {none.Remedy}{kind.Others}");
            }
        }

        return placeable.ToImmutable();
    }

    private static bool IsHere(AdmissionGround ground, Ledger.Statements.PartyId tenant) =>
        ground.Datacentre.Datacentre is { } operated && operated.Tenants.Contains(tenant);

    /// <summary>A reservation beyond its share promises what nobody keeps.</summary>
    private static void Reservation(FindingPlaces places, ReservedRoom reserved, DomainModel domain)
    {
        if (reserved.For(domain) is not { } kept)
        {
            return;
        }

        foreach (var (member, what, asked, most) in new[]
        {
            ("cpus", "cpus", (long)domain.Reservation.Cpus, kept.Cpus),
            ("memoryMiB", "MiB", domain.Reservation.MemoryMib, kept.MemoryMib),
        }.Where(row => row.Item3 > row.Item4))
        {
            places.Add(
                domain.Origin, FindingCode.ReservationNotKept, $"/reservation/{member}",
                $"It reserves {asked} {what}, and no more than {most} {what} of it is kept: its equal share, with the "
                + "other tenants of the datacentre and the other domains of its own, of the hosts that it accepts. "
                + $"The least change: reserve {most}.");
        }
    }

    /// <summary>All that is demanded of an empty host. What no host can change is not among it.</summary>
    public static ImmutableArray<HostTerm> Terms(AdmissionCase admission, ReservedRoom kept) =>
    [
        .. HostTerm.Of(admission).Where(term => term is not HostTerm.MountImage).Distinct(),
        new HostTerm.Room([admission.Machine], HostResource.Cpus),
        new HostTerm.Room([admission.Machine], HostResource.Memory),
        new HostTerm.Reserved(admission, kept),
        .. admission.Domains.Any(domain => domain.Bandwidth is { ReserveMbit: > 0 })
            ? new[] { new HostTerm.Uplink(admission) } : [],
    ];

    /// <summary>The machine's own member that is nearest to the reason.</summary>
    private static string Pointer(CompartmentModel machine, ImmutableArray<HostTerm> reason)
    {
        if (reason.FirstOrDefault(term => term.Because == machine.Origin) is { } own)
        {
            return own.Pointer;
        }

        int nic = machine.Nics.ToList().FindIndex(one => reason.Any(term =>
            term.Because.Owner == machine.Ref.Tenant && term.Because.Name == one.Domain
            && term.Because.Kind == Ledger.Statements.StatementKind.Domain));
        return nic >= 0 ? $"/nics/{nic}/domain" : "/disks";
    }
}
