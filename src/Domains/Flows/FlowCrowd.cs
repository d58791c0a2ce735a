using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Counts what meets between two domains, and closes what is more than all others should pay for: every host computes
/// every tenant's flows. Only that pair is closed, so nobody but its two owners can bring it about.
/// </summary>
internal sealed class FlowCrowd
{
    private readonly Dictionary<(DomainRef, DomainRef), int> _ranges = [];
    private readonly Dictionary<(DomainRef, DomainRef), FlowConflict> _crowded = [];

    /// <summary>The pairs that have too many.</summary>
    public ImmutableArray<FlowConflict> Conflicts => [.. _crowded.Values];

    /// <summary>Counts one more flow, and answers whether there is still room for it.</summary>
    public bool HasRoom(FlowSide grant, FlowSide accept, FlowResource resource)
    {
        if (resource is not FlowResource.Network network)
        {
            return true;
        }

        var pair = FlowMatrix.Pair(grant.Domain.Ref, accept.Domain.Ref);
        var sum = _ranges[pair] = Math.Min(
            PolicyLimits.FlowRanges + 1, _ranges.GetValueOrDefault(pair) + Math.Max(1, network.Ports.Length));
        if (sum <= PolicyLimits.FlowRanges)
        {
            return true;
        }

        _crowded.TryAdd(pair, new FlowConflict(
            grant, accept.Domain,
            $"The flows that {FlowMatrix.Display(grant.Domain)} and {FlowMatrix.Display(accept.Domain)} agree on have "
            + $"more than {PolicyLimits.FlowRanges} ranges of ports, counted for each grant and acceptance that meet, "
            + "so no network flow between the two opens. State fewer terms, or wider ranges.")
        {
            Code = FindingCode.TooManyFlows,
        });
        return false;
    }

    /// <summary>Whether a term is of a pair that has too many; what such terms meet is looked at no more.</summary>
    public bool IsOf(FlowSide side) => _crowded.Count > 0 && side.Term.Resource is FlowResource.Network
        && _crowded.ContainsKey(FlowMatrix.Pair(side.Domain.Ref, side.Term.Peer));
}
