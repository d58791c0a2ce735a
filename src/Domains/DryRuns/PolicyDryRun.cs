using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.DryRuns;

/// <summary>What becomes of a machine by a change.</summary>
public enum MachineEffect
{
    /// <summary>It ends, and runs nowhere.</summary>
    Stops = 1,
    /// <summary>It ends, and starts on another host.</summary>
    Moves,
    /// <summary>It runs nowhere now, and can.</summary>
    Starts,
}

/// <summary>What becomes of one machine.</summary>
/// <param name="Machine">The machine, for people.</param>
/// <param name="Effect">What.</param>
/// <param name="Because">Why.</param>
public sealed record MachineChange(string Machine, MachineEffect Effect, string Because);

/// <summary>What a change of policies would do to a running datacentre.</summary>
/// <param name="Signatures">
/// Of each path between two tenants that it concerns, whose signatures are there and whose are missing: nothing opens
/// between tenants by one's word alone.
/// </param>
/// <param name="Changes">What opens, what closes, what is otherwise.</param>
/// <param name="Machines">Which machines stop, move or start.</param>
public sealed record PolicyDryRun(
    ImmutableArray<string> Signatures, ImmutableArray<PolicyChange> Changes, ImmutableArray<MachineChange> Machines)
{
    private const string Others = "That is because of another tenant's statements, which are not yours to see.";

    /// <summary>Finds out what a change would do. It changes nothing.</summary>
    /// <param name="before">The policies as they are.</param>
    /// <param name="after">The policies with the change.</param>
    /// <param name="placed">What runs where.</param>
    /// <param name="now">The moment against which policies expire.</param>
    /// <param name="reader">The tenant who is told: of its own machines, and of nothing that names a stranger; null for
    /// whoever may know all.</param>
    public static PolicyDryRun Of(
        CheckedDatacentre before, CheckedDatacentre after, IReadOnlyList<PlacementProposal> placed, DateTimeOffset now,
        PartyId? reader = null)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(placed);
        var sights = reader is null ? [] : new[] { TenantSight.Of(before, reader), TenantSight.Of(after, reader) };
        bool IsTold(string sentence) => reader is null || sights.Any(sight => sight.NamesNoStranger(sentence));
        return new PolicyDryRun(
            [.. SignaturesOf(FlowMatrix.Of(before), FlowMatrix.Of(after), reader).Where(IsTold)],
            [.. PolicyDiff.Describe(before, after).Where(change => IsTold(change.Sentence))],
            [
                .. MachinesOf(before, after, placed, now)
                    .Where(one => reader is null || one.Machine.Tenant == reader)
                    .Select(one => IsTold(one.Change.Because) ? one.Change : one.Change with { Because = Others }),
            ]);
    }

    private static IEnumerable<string> SignaturesOf(FlowMatrix before, FlowMatrix after, PartyId? reader)
    {
        var was = before.Open.Select(Key).ToHashSet();
        var wasUnmet = before.Unmet.Select(Key).ToHashSet();
        return
        [
            .. after.Open.Where(flow => flow.From.Tenant != flow.To.Tenant && !was.Contains(Key(flow))
                    && (reader is null || flow.From.Tenant == reader || flow.To.Tenant == reader))
                .Select(flow =>
                    $"{FlowMatrix.Display(flow.Sides.Grant.Domain)} and "
                    + $"{FlowMatrix.Display(flow.Sides.Accept.Domain)}, {flow.What}: opens, both owners have signed "
                    + $"({flow.Grant} grants it, {flow.Accept} accepts it)."),
            .. after.Unmet.Where(side => side.Term.Peer.Tenant != side.Domain.Ref.Tenant
                && !wasUnmet.Contains(Key(side)) && (reader is null || side.Domain.Ref.Tenant == reader))
                .Select(Missing),
        ];
    }

    private static string Missing(FlowSide side)
    {
        var (verb, other) = side.IsGrant ? ("grants", "accepts") : ("accepts", "grants");
        return $"{side.Domain.Origin} {verb} ({side.Term.Pointer}) what nobody {other}: it opens nothing until the "
            + $"owner of {side.Term.Peer.Name} ({side.Term.Peer.Tenant.Short}) has signed the other side of it.";
    }

    private static (DomainRef, DomainRef, string) Key(OpenFlow flow) => (flow.From, flow.To, flow.What);

    private static (DomainRef, DomainRef, bool, string) Key(FlowSide side) =>
        (side.Domain.Ref, side.Term.Peer, side.IsGrant, OpenFlow.WhatOf(side.Term.Resource));

    private static IEnumerable<(CompartmentRef Machine, MachineChange Change)> MachinesOf(
        CheckedDatacentre before, CheckedDatacentre after, IReadOnlyList<PlacementProposal> placed, DateTimeOffset now)
    {
        var admitted = AdmissionControl.DecideAll(before, placed, now).OfType<AdmissionVerdict.Admitted>()
            .ToDictionary(verdict => verdict.Compartment, verdict => verdict.Host);
        var refused = AdmissionControl.DecideAll(after, placed, now).OfType<AdmissionVerdict.Refused>()
            .ToDictionary(verdict => verdict.Compartment, verdict => verdict);
        var next = PlacementPlanner.Propose(after, placed, [], PlacementTrust.Unquestioned, now).Proposals
            .Where(one => one.Running).ToDictionary(one => one.Compartment, one => one.Host);
        foreach (var (machine, host) in admitted.OrderBy(one => one.Key.ToString(), StringComparer.Ordinal))
        {
            var model = after.Machinery.Compartments.GetValueOrDefault(machine.ToString());
            var name = Display.Of(model ?? before.Machinery.Compartments[machine.ToString()]);
            if (model is null)
            {
                yield return (machine, new MachineChange(
                    name, MachineEffect.Stops, "No accepted statement describes it then."));
            }
            else if (refused.GetValueOrDefault(machine) is { } no)
            {
                var why = string.Join(" ", no.Refusals.Select(refusal => refusal.Sentence));
                yield return (machine, next.GetValueOrDefault(machine) is { } other && other != host
                    ? new MachineChange(name, MachineEffect.Moves, $"{Place(after, other)} may run it. {why}")
                    : new MachineChange(name, MachineEffect.Stops, why));
            }
        }

        foreach (var (machine, host) in next.Where(one => !admitted.ContainsKey(one.Key))
            .OrderBy(one => one.Key.ToString(), StringComparer.Ordinal))
        {
            yield return (machine, new MachineChange(
                Display.Of(after.Machinery.Compartments[machine.ToString()]), MachineEffect.Starts,
                $"{Place(after, host)} may run it."));
        }
    }

    private static string Place(CheckedDatacentre datacentre, HostRef host) =>
        datacentre.Inventory.Hosts.TryGetValue(host.ToString(), out var model) ? Display.Of(model) : host.ToString();
}
