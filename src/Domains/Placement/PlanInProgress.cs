using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Placement;

/// <summary>
/// The suggestions made so far in one run of the planner. Whoever has a place is counted once, and the next is judged
/// beside all of them.
/// </summary>
internal sealed class PlanInProgress(
    CheckedDatacentre datacentre, ImmutableHashSet<HostRef> drained, PlacementTrust trust, DateTimeOffset now)
{
    private readonly AdmissionGround _ground = AdmissionGround.Of(datacentre, now);
    private readonly Dictionary<CompartmentRef, PlacementProposal> _proposals = [];
    private readonly Dictionary<CompartmentRef, PlacementDecision> _decisions = [];
    private readonly HostOrder _hosts = new(datacentre.Inventory.Hosts.Values);
    private readonly List<PlacementProposal> _added = [];
    private Standing _standing = Standing.Empty(AdmissionGround.Of(datacentre, now));

    /// <summary>True if the machine has a place.</summary>
    public bool Places(CompartmentRef machine) => _proposals.ContainsKey(machine);

    /// <summary>
    /// Keeps what may stay: on a known host that is not drained, and admitted together with the others.
    /// </summary>
    public void Keep(IReadOnlyList<PlacementProposal> current)
    {
        var usable = current.Where(proposal => !drained.Contains(proposal.Host)
            && !(proposal.Running && MustLeave(proposal.Compartment, proposal.Host))
            && datacentre.Inventory.Hosts.ContainsKey(proposal.Host.ToString())).ToArray();
        var verdicts = AdmissionControl.Review(_ground, usable);
        _standing = Standing.After(_ground, verdicts);
        var admitted = verdicts.OfType<AdmissionVerdict.Admitted>().Select(verdict => verdict.Compartment).ToHashSet();
        foreach (var proposal in usable.Where(one => !one.Running || admitted.Contains(one.Compartment)))
        {
            Propose(proposal, new PlacementDecision.Kept(
                proposal.Compartment, proposal.Host,
                !proposal.Running ? "It is not to run."
                    : $"It is admitted on {proposal.Host.Name} and stays there." + Paused(proposal)));
        }
    }

    /// <summary>Finds the machine a host; one that may go nowhere else stays where it is, although that is drained
    /// or not trusted. One that must end there first is not yet anywhere else.
    /// </summary>
    public void Place(CompartmentModel machine, bool running, HostRef? from)
    {
        var (to, isWhole) = Best(machine);
        bool leaves = running && from is not null && MustLeave(machine.Ref, from);
        if (to is not null && leaves && from is not null && Remains(machine, from) is { } remains)
        {
            Propose(new PlacementProposal(machine.Ref, from, false), new PlacementDecision.Leaving(
                machine.Ref, from,
                $"{from.Name} is no longer trusted with it: {Doubts(machine.Ref, from)} It goes to {to.Name} when "
                + $"{remains}."));
        }
        else if (to is not null)
        {
            Add(new PlacementProposal(machine.Ref, to, running), new PlacementDecision.Placed(
                machine.Ref, to, $"Of the hosts that may run it, {to.Name} has the most memory free."
                    + (isWhole ? "" : " No host keeps the whole of what is reserved of uplinks.")));
        }
        else if (from is not null && datacentre.Inventory.Hosts.ContainsKey(from.ToString())
            && (drained.Contains(from) || leaves)
            && AdmissionControl.Beside(_standing, _ground, machine.Ref, from) is AdmissionVerdict.Admitted)
        {
            Add(new PlacementProposal(machine.Ref, from, running), new PlacementDecision.Kept(
                machine.Ref, from,
                "It stays, because no other host may run it. " + string.Join(" ", Against(machine))));
        }
        else
        {
            string[] reasons = [.. Against(machine)];
            _decisions[machine.Ref] = new PlacementDecision.Nowhere(
                machine.Ref, reasons.Length == 0 ? "There is no host." : string.Join(" ", reasons));
        }
    }

    /// <summary>
    /// The first host that may run it and keeps the whole of what is reserved of its uplink; else the first that keeps
    /// an equal part. What is soon told of a host is asked first, and nobody is asked why not.
    /// </summary>
    private (HostRef? Host, bool IsWhole) Best(CompartmentModel machine)
    {
        HostRef? part = null;
        AdmissionCase? admission = null;
        ImmutableArray<HostTerm> demands = [];
        var domains = OwnMachines.DomainsOf(datacentre, machine.Ref);
        foreach (var host in _hosts.Hosts)
        {
            if (admission is null)
            {
                admission = AdmissionCase.Of(_ground, machine, host);
                demands = [.. HostTerm.Of(admission)];
            }

            if (drained.Contains(host.Ref) || domains.Any(domain => trust.Doubt(host.Ref, domain) is not null)
                || !demands.All(demand => demand.Holds(host))
                || (_standing.Rooms.Free(host.Ref) - Capacity.Needed(machine)).IsShort
                || AdmissionControl.Beside(_standing, _ground, machine.Ref, host.Ref)
                    is not AdmissionVerdict.Admitted)
            {
                continue;
            }

            switch (UplinkRoom.Of(admission with { Host = host }, _standing).Keeping)
            {
                case UplinkKeeping.Whole:
                    return (host.Ref, true);
                case UplinkKeeping.EqualPart:
                    part ??= host.Ref;
                    break;
                case UplinkKeeping.Nothing:
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        return (part, false);
    }

    /// <summary>Why each host may not run it, or has not enough of its uplink.</summary>
    private IEnumerable<string> Against(CompartmentModel machine)
    {
        var full = new List<string>();
        foreach (var host in _hosts.Hosts)
        {
            if (drained.Contains(host.Ref))
            {
                yield return $"{host.Ref.Name}: it is being drained.";
            }
            else if (Doubts(machine.Ref, host.Ref) is { Length: > 0 } doubts)
            {
                yield return $"{host.Ref.Name}: it is not trusted: {doubts}";
            }
            else if (AdmissionControl.Beside(_standing, _ground, machine.Ref, host.Ref)
                is AdmissionVerdict.Refused refused)
            {
                yield return $"{host.Ref.Name}: " + string.Join(" ", refused.Refusals.Select(one => one.Sentence));
            }
            else if (UplinkRoom.Of(AdmissionCase.Of(_ground, machine, host), _standing).Refusal is { } refusal)
            {
                full.Add($"{host.Ref.Name}: {refusal.Sentence}");
            }
        }

        foreach (var one in full)
        {
            yield return one;
        }
    }

    private void Propose(PlacementProposal proposal, PlacementDecision decision)
    {
        _proposals[proposal.Compartment] = proposal;
        _decisions[proposal.Compartment] = decision;
        if (proposal.Running)
        {
            _hosts.Take(proposal.Host, datacentre.Machinery.Compartments[proposal.Compartment.ToString()].MemoryMib);
        }
    }

    private void Add(PlacementProposal proposal, PlacementDecision decision)
    {
        Propose(proposal, decision);
        if (proposal.Running)
        {
            _added.Add(proposal);
            _standing.Count(AdmissionControl.Beside(_standing, _ground, proposal.Compartment, proposal.Host));
        }
    }

    /// <summary>
    /// Everybody judges in the order of references, and not in that of places found. What is reserved can make this a
    /// difference, where a machine uses what several domains keep: what is refused then was no place, and where that is
    /// another's that has its place already, neither was what was found last.
    /// </summary>
    private void TakeBack()
    {
        for (var newest = 0; ; newest = Math.Max(1, 2 * newest))
        {
            var refused = AdmissionControl.Review(_ground, [.. _proposals.Values])
                .OfType<AdmissionVerdict.Refused>().ToDictionary(verdict => verdict.Compartment);
            if (refused.Count == 0 || _added.Count == 0)
            {
                return;
            }

            foreach (var (machine, host, _) in _added.Where(one => refused.ContainsKey(one.Compartment))
                .Concat(_added.TakeLast(newest)).Distinct().ToArray())
            {
                _proposals.Remove(machine);
                _decisions[machine] = new PlacementDecision.Nowhere(machine, $"{host.Name}: " + string.Join(
                    " ", (refused.GetValueOrDefault(machine) ?? refused.Values.First()).Refusals
                        .Select(one => one.Sentence)));
            }

            _added.RemoveAll(one => !_proposals.ContainsKey(one.Compartment));
        }
    }

    /// <summary>Why the host is not trusted with the machine; empty while it is, or nothing is known.</summary>
    private string Doubts(CompartmentRef machine, HostRef host) => string.Join(" ", OwnMachines
        .DomainsOf(datacentre, machine).Select(domain => trust.Doubt(host, domain)).OfType<string>());

    /// <summary>Machines of a domain that has them paused wait with what they have in memory.</summary>
    private bool MustLeave(CompartmentRef machine, HostRef host) => OwnMachines.DomainsOf(datacentre, machine)
        .Any(domain => trust.Doubt(host, domain) is not null
            && datacentre.Domains.GetValueOrDefault(domain.ToString())?.Hosts.OnLostTrust != LostTrust.Pause);

    private string Paused(PlacementProposal proposal) =>
        Doubts(proposal.Compartment, proposal.Host) is { Length: > 0 } doubts
            ? $" It is to be paused as long as {proposal.Host.Name} is not trusted: {doubts}"
            : "";

    /// <summary>What is still to happen on the host that the machine leaves; null when nothing is.</summary>
    private string? Remains(CompartmentModel machine, HostRef from)
    {
        string[] held = [.. machine.Disks.Select(disk => disk.Volume)
            .Where(volume => trust.Holds(from, machine.Ref, volume)).Select(volume => volume.Name.Text)];
        return held.Length > 0
                ? $"{from.Name} has given back {string.Join(", ", held)}, or root keys of the tenant took it over"
            : trust.RunsOn(machine.Ref, from) ? $"{from.Name} has ended it"
            : null;
    }

    /// <summary>What was found, by machine.</summary>
    public PlacementOutcome Outcome()
    {
        TakeBack();
        return new PlacementOutcome(
            [.. _proposals.Values.OrderBy(proposal => proposal.Compartment.ToString(), StringComparer.Ordinal)],
            [.. _decisions.Values.OrderBy(decision => decision.Compartment.ToString(), StringComparer.Ordinal)]);
    }
}
