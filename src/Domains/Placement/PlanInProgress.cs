using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Placement;

/// <summary>The suggestions made so far in one run of the planner.</summary>
internal sealed class PlanInProgress(
    CheckedDatacentre datacentre, ImmutableHashSet<HostRef> drained, PlacementTrust trust, DateTimeOffset now)
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
            && !(proposal.Running && MustLeave(proposal.Compartment, proposal.Host))
            && datacentre.Inventory.Hosts.ContainsKey(proposal.Host.ToString())).ToArray();
        var admitted = AdmissionControl.DecideAll(datacentre, usable, now).OfType<AdmissionVerdict.Admitted>()
            .Select(verdict => verdict.Compartment).ToHashSet();
        foreach (var proposal in usable.Where(one => !one.Running || admitted.Contains(one.Compartment)))
        {
            _proposals.Add(proposal);
            _decisions.Add(new PlacementDecision.Kept(
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
        var reasons = new List<string>();
        var may = Hosts().Where(host => MayRun(machine.Ref, host.Ref, reasons))
            .Select(host => (Host: host, Uplink: Uplink(machine, host))).ToArray();
        reasons.AddRange(may.Where(one => one.Uplink.Keeping == UplinkKeeping.Nothing)
            .Select(one => $"{one.Host.Ref.Name}: {one.Uplink.Refusal?.Sentence}"));
        // Where the whole reservation is kept comes first; where not even an equal part would be, it does not go.
        var to = may.Where(one => one.Uplink.Keeping != UplinkKeeping.Nothing)
            .OrderBy(one => one.Uplink.Keeping).FirstOrDefault().Host?.Ref;
        bool leaves = running && from is not null && MustLeave(machine.Ref, from);
        if (to is not null && leaves && from is not null && Remains(machine, from) is { } remains)
        {
            _proposals.Add(new PlacementProposal(machine.Ref, from, false));
            _decisions.Add(new PlacementDecision.Leaving(
                machine.Ref, from,
                $"{from.Name} is no longer trusted with it: {Doubts(machine.Ref, from)} It goes to {to.Name} when "
                + $"{remains}."));
        }
        else if (to is not null)
        {
            _proposals.Add(new PlacementProposal(machine.Ref, to, running));
            _decisions.Add(new PlacementDecision.Placed(
                machine.Ref, to, $"Of the hosts that may run it, {to.Name} has the most memory free."
                    + (may.Any(one => one.Host.Ref == to && one.Uplink.Keeping == UplinkKeeping.EqualPart)
                        ? " No host keeps the whole of what is reserved of uplinks." : "")));
        }
        else if (from is not null && datacentre.Inventory.Hosts.ContainsKey(from.ToString())
            && (drained.Contains(from) || leaves)
            && AdmissionControl.Decide(datacentre, machine.Ref, from, _proposals, now) is AdmissionVerdict.Admitted)
        {
            _proposals.Add(new PlacementProposal(machine.Ref, from, running));
            _decisions.Add(new PlacementDecision.Kept(
                machine.Ref, from, "It stays, because no other host may run it. " + string.Join(" ", reasons)));
        }
        else
        {
            _decisions.Add(new PlacementDecision.Nowhere(
                machine.Ref, reasons.Count == 0 ? "There is no host." : string.Join(" ", reasons)));
        }
    }

    private (UplinkKeeping Keeping, AdmissionRefusal? Refusal) Uplink(CompartmentModel machine, HostModel host) =>
        AdmissionControl.Uplink(datacentre, machine, host, _proposals, now);

    private bool MayRun(CompartmentRef machine, HostRef host, List<string> reasons)
    {
        if (drained.Contains(host))
        {
            reasons.Add($"{host.Name}: it is being drained.");
            return false;
        }

        if (Doubts(machine, host) is { Length: > 0 } doubts)
        {
            reasons.Add($"{host.Name}: it is not trusted: {doubts}");
            return false;
        }

        switch (AdmissionControl.Decide(datacentre, machine, host, _proposals, now))
        {
            case AdmissionVerdict.Admitted:
                return true;
            case AdmissionVerdict.Refused refused:
                reasons.Add($"{host.Name}: " + string.Join(" ", refused.Refusals.Select(one => one.Sentence)));
                return false;
            default:
                throw new System.Diagnostics.UnreachableException();
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
