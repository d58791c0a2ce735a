using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Counts what meets between two domains, and closes what is more than all others should pay for: every host computes
/// every tenant's flows. Only that pair is closed, so nobody but its two owners can bring it about.
/// </summary>
internal sealed class FlowCrowd
{
    private readonly Dictionary<(DomainRef, DomainRef), FlowConflict> _crowded = [];

    private FlowCrowd() { }

    /// <summary>The pairs that have too many.</summary>
    public ImmutableArray<FlowConflict> Conflicts => [.. _crowded.Values];

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => _crowded.Count == 0;

    /// <summary>Finds the pairs.</summary>
    /// <param name="all">Each domain's terms and the flows it grants.</param>
    /// <param name="of">The same by reference.</param>
    public static FlowCrowd Of(ImmutableArray<DomainFlows> all, Dictionary<DomainRef, DomainFlows> of)
    {
        var crowd = new FlowCrowd();
        foreach (var (terms, granted) in all)
        {
            var domain = terms.Domain.Ref;
            foreach (var peer in granted.ManyWith)
            {
                var pair = FlowMatrix.Pair(domain, peer);
                if (granted.RangesTo(peer) + of[peer].Granted.RangesTo(domain) > PolicyLimits.FlowRanges)
                {
                    crowd._crowded.TryAdd(pair, Conflict(of[pair.Item1].Terms, of[pair.Item2].Terms));
                }
            }
        }

        return crowd;
    }

    /// <summary>Whether a term is of a pair that has too many; what such terms meet is looked at no more.</summary>
    public bool IsOf(FlowSide side) => _crowded.Count > 0 && side.Term.Resource is FlowResource.Network
        && _crowded.ContainsKey(FlowMatrix.Pair(side.Domain.Ref, side.Term.Peer));

    /// <summary>Whether two domains have too many.</summary>
    public bool Has(DomainRef one, DomainRef other) =>
        _crowded.Count > 0 && _crowded.ContainsKey(FlowMatrix.Pair(one, other));

    /// <summary>It is said of the first terms for which there is no room.</summary>
    private static FlowConflict Conflict(DomainTerms first, DomainTerms second)
    {
        var sum = 0;
        var (grant, accept, _) = GrantedFlows.Met(first, second).Concat(GrantedFlows.Met(second, first))
            .First(met => (sum += met.Ranges) > PolicyLimits.FlowRanges);
        return new FlowConflict(
            grant, accept.Domain,
            $"The flows that {FlowMatrix.Display(grant.Domain)} and {FlowMatrix.Display(accept.Domain)} agree on have "
            + $"more than {PolicyLimits.FlowRanges} ranges of ports, counted for each grant and acceptance that meet, "
            + "so no network flow between the two opens. State fewer terms, or wider ranges.")
        {
            Code = FindingCode.TooManyFlows,
        };
    }
}
