using System.Collections.Concurrent;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Proxy.Plans;

/// <summary>
/// Every machine (by libvirt's name) and every device, namespace and table that a plan in force named since the start,
/// or one of the last that a predecessor recorded; and whom each concerns: the owners of the domains that it is part
/// of. What leaves the plan is taken away like what never was in it, and only the latter is a drift.
/// </summary>
public sealed class PlannedNames
{
    private readonly ConcurrentDictionary<string, IntegrityReaders> _readers = new(StringComparer.Ordinal);

    /// <summary>Whether a plan named it.</summary>
    public bool Has(string name) => _readers.ContainsKey(name);

    /// <summary>Whom it concerns; nobody known when no plan named it.</summary>
    public IntegrityReaders ReadersOf(string name) => _readers.GetValueOrDefault(name, IntegrityReaders.Nobody);

    /// <summary>Takes a name that a predecessor's plan had, unless a plan since then has it.</summary>
    internal void Recall(string name, IntegrityReaders readers) => _readers.TryAdd(name, readers);

    /// <summary>Takes the names of a plan about to be in force; the newest says whom they concern.</summary>
    internal void Take(HostPlan plan)
    {
        Dictionary<string, HashSet<PartyId>> owners = new(StringComparer.Ordinal);
        foreach (DomainPlan domain in plan.Domains)
        {
            OfDomain(domain, (name, party) => Add(owners, name, party));
        }

        foreach (PassagePlan passage in plan.Passages)
        {
            string[] names =
            [
                passage.Network.Bridge, passage.Network.Table, .. passage.Ports.Select(p => p.Device),
                .. Tunnels.Of(passage.Network),
            ];
            foreach (DomainRef domain in passage.Between)
            {
                Array.ForEach(names, name => Add(owners, name, domain.Tenant));
            }
        }

        foreach ((string name, HashSet<PartyId> parties) in owners)
        {
            _readers[name] = IntegrityReaders.Of(parties);
        }
    }

    private static void OfDomain(DomainPlan domain, Action<string, PartyId> add)
    {
        PartyId owner = domain.Domain.Tenant;
        add(domain.Network.Bridge, owner);
        add(domain.Network.Table, owner);
        foreach (string tunnel in Tunnels.Of(domain.Network))
        {
            add(tunnel, owner);
        }

        if (domain.Gateway is { } gateway)
        {
            add(gateway.Namespace, owner);
            add(gateway.BridgePort, owner);
            foreach (GatewayLeg leg in gateway.Legs)
            {
                add(leg.Port, owner);
            }
        }

        if (domain.ServicePoint is { } point)
        {
            add(point.Namespace, owner);
        }

        foreach (LocalPort port in domain.Network.Ports)
        {
            add(port.Device, owner);
            add(port.Device, port.Member.Ref.Tenant);
        }

        foreach (CompartmentPlan machine in domain.Compartments)
        {
            add(machine.MachineName, owner);
            add(machine.MachineName, machine.Ref.Tenant);
        }
    }

    private static void Add(Dictionary<string, HashSet<PartyId>> owners, string name, PartyId party)
    {
        if (!owners.TryGetValue(name, out HashSet<PartyId>? parties))
        {
            owners[name] = parties = [];
        }

        parties.Add(party);
    }
}
