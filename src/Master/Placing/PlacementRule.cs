using System.Collections.Immutable;
using Bailiwick.Channel.Board;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master.Log;
using Bailiwick.Master.Store;

namespace Bailiwick.Master.Placing;

/// <summary>
/// From the log and the orders to suggestions. A machine that is described should run unless it was ordered to stop.
/// For one thread at a time.
/// </summary>
public sealed class PlacementRule(PartyId datacentre)
{
    // What was found last, from which the next check goes on.
    private PolicyReading? _reading;
    private CheckedDatacentre? _policies;

    /// <summary>Checks the policies in force and suggests a host for each machine.</summary>
    /// <param name="state">The log's state.</param>
    /// <param name="current">The suggestions so far: a machine is not moved without need.</param>
    /// <param name="trust">What is known of hosts that lost the trust of tenants.</param>
    /// <param name="now">The present time; expired policies admit nothing.</param>
    public Placed Place(
        BoardState state, ImmutableArray<StoredPlace> current, PlacementTrust trust, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        _reading = PolicyDocuments.FromStatements(
            StatementKinds.All.SelectMany(state.Book.Current), before: _reading);
        var policies = _policies = PolicyCheck.Run(_reading.Documents, datacentre, _policies).Datacentre;
        var places = new List<PlacementProposal>();
        foreach (var place in current)
        {
            // What is not described any more has no place to keep.
            if (policies.Machinery.Compartments.TryGetValue(place.Compartment, out var machine)
                && policies.Inventory.Hosts.TryGetValue(place.Host, out var host))
            {
                places.Add(new PlacementProposal(machine.Ref, host.Ref, ShouldRun(state, place.Compartment)));
            }
        }

        var drained = policies.Inventory.Hosts.Values.Select(host => host.Ref)
            .Where(host => state.Ordered(OrderKind.Drain, host.ToString(), otherwise: false)).ToArray();
        var outcome = PlacementPlanner.Propose(policies, places, drained, trust, now);
        return new Placed(policies, [
            .. outcome.Decisions.Select(decision => Row(state, decision))
                .OrderBy(row => row.Compartment, StringComparer.Ordinal),
        ]);
    }

    private static PlacementRow Row(BoardState state, PlacementDecision decision)
    {
        var host = decision switch
        {
            PlacementDecision.Kept kept => kept.Host.ToString(),
            PlacementDecision.Placed placed => placed.Host.ToString(),
            PlacementDecision.Leaving leaving => leaving.Host.ToString(),
            PlacementDecision.Nowhere => null,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        var machine = decision.Compartment.ToString();
        return new PlacementRow(
            machine, host, ShouldRun(state, machine) && decision is not PlacementDecision.Leaving, decision.Because);
    }

    private static bool ShouldRun(BoardState state, string machine) =>
        state.Ordered(OrderKind.Power, machine, otherwise: true);
}
