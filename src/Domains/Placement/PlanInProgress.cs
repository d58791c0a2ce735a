using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Placement;

/// <summary>The suggestions made so far in one run of the planner.</summary>
internal sealed class PlanInProgress(
    CheckedDatacentre datacentre, ImmutableHashSet<HostRef> drained, DateTimeOffset now)
{
    private readonly List<PlacementProposal> _proposals = [];
    private readonly List<PlacementDecision> _decisions = [];

    /// <summary>True if the machine has a place.</summary>
    public bool Places(CompartmentRef machine) => _proposals.Exists(proposal => proposal.Compartment == machine);

    /// <summary>
    /// Keeps what may stay: on a known host that is not drained, and admitted together with the others.
    /// </summary>
    public void Keep(IReadOnlyList<PlacementProposal> current)
    {
        var usable = current.Where(proposal => !drained.Contains(proposal.Host)
            && datacentre.Inventory.Hosts.ContainsKey(proposal.Host.ToString())).ToArray();
        var admitted = AdmissionControl.DecideAll(datacentre, usable, now).OfType<AdmissionVerdict.Admitted>()
            .Select(verdict => verdict.Compartment).ToHashSet();
        foreach (var proposal in usable.Where(one => !one.Running || admitted.Contains(one.Compartment)))
        {
            _proposals.Add(proposal);
            _decisions.Add(new PlacementDecision.Kept(
                proposal.Compartment, proposal.Host,
                proposal.Running ? $"It is admitted on {proposal.Host.Name} and stays there." : "It is not to run."));
        }
    }

    /// <summary>Finds the machine a host; one that may go nowhere else stays where it is, although that is drained.
    /// </summary>
    public void Place(CompartmentModel machine, bool running, HostRef? from)
    {
        var reasons = new List<string>();
        foreach (var host in Hosts())
        {
            if (drained.Contains(host.Ref))
            {
                reasons.Add($"{host.Ref.Name}: it is being drained.");
                continue;
            }

            switch (AdmissionControl.Decide(datacentre, machine.Ref, host.Ref, _proposals, now))
            {
                case AdmissionVerdict.Admitted:
                    _proposals.Add(new PlacementProposal(machine.Ref, host.Ref, running));
                    _decisions.Add(new PlacementDecision.Placed(
                        machine.Ref, host.Ref,
                        $"Of the hosts that may run it, {host.Ref.Name} has the most memory free."));
                    return;
                case AdmissionVerdict.Refused refused:
                    reasons.Add($"{host.Ref.Name}: " + string.Join(" ", refused.Refusals.Select(one => one.Sentence)));
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }

        if (from is not null && datacentre.Inventory.Hosts.ContainsKey(from.ToString()) && drained.Contains(from)
            && AdmissionControl.Decide(datacentre, machine.Ref, from, _proposals, now) is AdmissionVerdict.Admitted)
        {
            _proposals.Add(new PlacementProposal(machine.Ref, from, running));
            _decisions.Add(new PlacementDecision.Kept(
                machine.Ref, from, "It stays, because no other host may run it. " + string.Join(" ", reasons)));
            return;
        }

        _decisions.Add(new PlacementDecision.Nowhere(
            machine.Ref, reasons.Count == 0 ? "There is no host." : string.Join(" ", reasons)));
    }

    /// <summary>What was found, by machine.</summary>
    public PlacementOutcome Outcome() => new(
        [.. _proposals.OrderBy(proposal => proposal.Compartment.ToString(), StringComparer.Ordinal)],
        [.. _decisions.OrderBy(decision => decision.Compartment.ToString(), StringComparer.Ordinal)]);

    private HostModel[] Hosts()
    {
        var used = _proposals.Where(proposal => proposal.Running)
            .ToLookup(proposal => proposal.Host, proposal => proposal.Compartment);
        return
        [
            .. datacentre.Inventory.Hosts.Values
                .OrderByDescending(host => host.CapacityMemoryMib - used[host.Ref].Sum(Memory))
                .ThenBy(host => host.Ref.ToString(), StringComparer.Ordinal),
        ];
    }

    private long Memory(CompartmentRef machine) =>
        datacentre.Machinery.Compartments.GetValueOrDefault(machine.ToString())?.MemoryMib ?? 0;
}
