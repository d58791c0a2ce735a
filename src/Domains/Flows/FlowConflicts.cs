using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Keeps one gateway from seeing one subnet twice: in its own domain and a peer's, or in two peers'. The domain whose
/// gateway it is decides by the order of its own terms, so that no peer's later change of addresses can cut off another
/// peer.
/// </summary>
internal sealed class FlowConflicts
{
    private readonly Dictionary<DomainRef, (ImmutableArray<DomainTerms> RestsOn, ImmutableArray<FlowConflict> Found)>
        _byDomain = [];

    private FlowConflicts() { }

    /// <summary>The pairs of domains that must not be joined, given what both sides want.</summary>
    public ImmutableArray<FlowConflict> All { get; private set; } = [];

    /// <summary>Finds them.</summary>
    /// <param name="all">What each domain's grants meet.</param>
    /// <param name="of">The same by reference.</param>
    /// <param name="crowd">The pairs that have no network flows, because they have too many.</param>
    /// <param name="before">What was found before; taken for each domain whose peers' statements are as they were.
    /// </param>
    public static FlowConflicts Of(
        ImmutableArray<DomainFlows> all, Dictionary<DomainRef, DomainFlows> of, FlowCrowd crowd, FlowConflicts? before)
    {
        var conflicts = new FlowConflicts();
        var granters = all.SelectMany(one => one.Granted.NetworkPeers.Select(peer => (peer, one.Terms.Domain.Ref)))
            .ToLookup(pair => pair.peer, pair => pair.Ref);
        foreach (var (terms, granted) in all)
        {
            var domain = terms.Domain.Ref;
            var joined = granters[domain].Concat(granted.NetworkPeers).Where(peer => !crowd.Has(domain, peer))
                .ToHashSet();
            FlowSide[] sides = [.. terms.NetworkSides.Where(side => joined.Contains(side.Term.Peer))];
            ImmutableArray<DomainTerms> restsOn = [terms, .. sides.Select(side => of[side.Term.Peer].Terms)];
            conflicts._byDomain[domain] = before?._byDomain.TryGetValue(domain, out var known) == true
                && known.RestsOn.SequenceEqual(restsOn)
                ? known : (restsOn, Found(terms.Domain, sides, peer => of[peer].Terms.Domain));
        }

        conflicts.All =
            [.. all.SelectMany(one => conflicts._byDomain[one.Terms.Domain.Ref].Found)];
        return conflicts;
    }

    private static ImmutableArray<FlowConflict> Found(
        DomainModel domain, FlowSide[] sides, Func<DomainRef, DomainModel> of)
    {
        var conflicts = ImmutableArray.CreateBuilder<FlowConflict>();
        var reach = new GatewayReach(domain);
        foreach (var side in sides)
        {
            var peer = of(side.Term.Peer);
            if (Translations.Objection(domain, peer) is { } objection)
            {
                conflicts.Add(new FlowConflict(side, peer, objection) { Code = FindingCode.NatNotAgreed });
            }
            else if (Clash(domain, reach, peer) is { } sentence)
            {
                conflicts.Add(new FlowConflict(side, peer, sentence));
            }
            else
            {
                reach.Add(peer, Translations.Seen(peer, domain));
            }
        }

        return conflicts.ToImmutable();
    }

    private static string? Clash(DomainModel domain, GatewayReach reach, DomainModel peer)
    {
        foreach (var subnet in Translations.Seen(peer, domain))
        {
            if (reach.First(subnet) is var (other, same))
            {
                return $"The gateway of {FlowMatrix.Display(domain)} would see {subnet} of {FlowMatrix.Display(peer)} "
                    + $"and {same} of {FlowMatrix.Display(other)} in one reach, so no network flow between "
                    + $"{FlowMatrix.Display(domain)} and {FlowMatrix.Display(peer)} opens. Use other subnets, or state "
                    + "in both domains' flows.nat by which the two know each other's.";
            }
        }

        return null;
    }
}
