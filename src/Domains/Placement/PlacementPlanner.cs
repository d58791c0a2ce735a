using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Placement;

/// <summary>
/// Suggests where machines run. It trusts no judgement but <see cref="AdmissionControl"/>'s, which every host applies
/// again, so a bad suggestion can cost time and nothing else. Equal arguments give equal suggestions: a machine stays
/// where it may stay, unless its owner's key service no longer trusts the host with it; the others go, those with the
/// fewest choices first, to the admissible host with the most memory free, the name deciding between equals. What is
/// suggested is admitted together.
/// </summary>
/// <remarks>One pass without going back: a machine may find no place that another order would have found.</remarks>
public static class PlacementPlanner
{
    /// <summary>Proposes places for every machine of a datacentre.</summary>
    /// <param name="datacentre">The checked policies.</param>
    /// <param name="current">Where machines are now; of two places of one machine the first by host counts.</param>
    /// <param name="drained">Hosts that shall run nothing but what may go nowhere else.</param>
    /// <param name="trust">What is known of hosts that lost the trust of tenants.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public static PlacementOutcome Propose(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> current, IReadOnlyCollection<HostRef> drained,
        PlacementTrust trust, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(trust);
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(drained);
        var machines = datacentre.Machinery.Compartments;
        var known = current.Where(proposal => machines.ContainsKey(proposal.Compartment.ToString()))
            .GroupBy(proposal => proposal.Compartment)
            .Select(group => group.MinBy(proposal => proposal.Host.ToString(), StringComparer.Ordinal))
            .OfType<PlacementProposal>()
            .OrderBy(proposal => proposal.Compartment.ToString(), StringComparer.Ordinal)
            .ToArray();
        var plan = new PlanInProgress(datacentre, [.. drained], trust, now);
        plan.Keep(known);
        var stopped = known.Where(proposal => !proposal.Running).Select(proposal => proposal.Compartment).ToHashSet();
        var places = known.ToDictionary(proposal => proposal.Compartment, proposal => proposal.Host);
        var homeless = machines.Values.Where(machine => !plan.Places(machine.Ref))
            .OrderBy(machine => machine.Placement.Hosts?.Length ?? int.MaxValue)
            .ThenBy(machine => machine.Ref.ToString(), StringComparer.Ordinal);
        foreach (var machine in homeless.ToArray())
        {
            plan.Place(machine, !stopped.Contains(machine.Ref), places.GetValueOrDefault(machine.Ref));
        }

        return plan.Outcome();
    }
}

/// <summary>What the planner suggests.</summary>
/// <param name="Proposals">The suggestions, by machine.</param>
/// <param name="Decisions">For every machine, why it is where it is, or why it is nowhere.</param>
public sealed record PlacementOutcome(
    ImmutableArray<PlacementProposal> Proposals, ImmutableArray<PlacementDecision> Decisions);

/// <summary>Why a machine is where it is. A closed set.</summary>
/// <param name="Compartment">The machine.</param>
/// <param name="Because">For people.</param>
public abstract record PlacementDecision(CompartmentRef Compartment, string Because)
{
    /// <summary>It stays.</summary>
    public sealed record Kept(CompartmentRef Compartment, HostRef Host, string Because)
        : PlacementDecision(Compartment, Because);

    /// <summary>It starts, or goes elsewhere.</summary>
    public sealed record Placed(CompartmentRef Compartment, HostRef Host, string Because)
        : PlacementDecision(Compartment, Because);

    /// <summary>It must end where it is, and goes elsewhere then: it never runs in two places.</summary>
    public sealed record Leaving(CompartmentRef Compartment, HostRef Host, string Because)
        : PlacementDecision(Compartment, Because);

    /// <summary>No host may run it.</summary>
    public sealed record Nowhere(CompartmentRef Compartment, string Because) : PlacementDecision(Compartment, Because);
}
