using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>Domains and machines for which there is no host, though nothing else ran.</summary>
internal static class LonelyMachines
{
    /// <summary>Says of each domain alone, then of each kind of machine whose domains alone have hosts.</summary>
    public static void Find(FindingPlaces places, AdmissionGround ground, ImmutableArray<MachineKind> kinds)
    {
        if (HostSearch.Over(ground) is not { } search || ground.Datacentre.Datacentre is not { } operated)
        {
            return;
        }

        var without = new HashSet<DomainRef>();
        foreach (var domain in ground.Datacentre.Domains.Values.Where(one =>
            operated.Tenants.Contains(one.Ref.Tenant)))
        {
            if (search.For(HostTerm.Of(domain)) is { } none)
            {
                without.Add(domain.Ref);
                places.Add(
                    domain.Origin, FindingCode.NoHostForDomain,
                    none.Reason is [var only] ? only.Pointer : "/hosts",
                    $"No host can run a machine of it. {none.Because(places)} {none.Remedy}");
            }
        }

        foreach (var kind in kinds.Where(one => operated.Tenants.Contains(one.First.Ref.Tenant)))
        {
            // That a domain reserves more of an uplink than any has is said of the domain already.
            var admission = AdmissionCase.Of(ground, kind.First, search.Hosts[0]);
            if (!admission.Domains.Concat(admission.Lenders).Any(domain => without.Contains(domain.Ref))
                && search.For(Terms(admission)) is { Reason: not [HostTerm.Uplink] } none)
            {
                places.Add(
                    kind.First.Origin, FindingCode.NoHostForMachine, Pointer(kind.First, none.Reason),
                    $"No host can run it, though nothing else ran. {none.Because(places)} {none.Remedy}{kind.Others}");
            }
        }
    }

    /// <summary>All that is demanded of an empty host. What no host can change is not among it.</summary>
    public static ImmutableArray<HostTerm> Terms(AdmissionCase admission) =>
    [
        .. HostTerm.Of(admission).Where(term => term is not HostTerm.MountImage).Distinct(),
        new HostTerm.Room([admission.Machine], HostResource.Cpus),
        new HostTerm.Room([admission.Machine], HostResource.Memory),
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
