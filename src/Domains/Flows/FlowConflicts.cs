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

    private readonly bool _hadCrowd;

    private FlowConflicts(bool hadCrowd) => _hadCrowd = hadCrowd;

    /// <summary>The pairs of domains that must not be joined, given what both sides want.</summary>
    public ImmutableArray<FlowConflict> All { get; private set; } = [];

    /// <summary>Finds them.</summary>
    /// <param name="all">What each domain's grants meet.</param>
    /// <param name="of">The same by reference.</param>
    /// <param name="crowd">The pairs that have no network flows, because they have too many.</param>
    /// <param name="before">What was found before; taken for each domain whose peers' statements are as they were.
    /// </param>
    /// <param name="isTouched">Whether a domain's own flows, or those of one that it names, may be others.</param>
    public static FlowConflicts Of(
        ImmutableArray<DomainFlows> all, Dictionary<DomainRef, DomainFlows> of, FlowCrowd crowd, FlowConflicts? before,
        Func<DomainTerms, bool> isTouched)
    {
        var conflicts = new FlowConflicts(!crowd.IsEmpty);
        var found = ImmutableArray.CreateBuilder<FlowConflict>();
        var mayKeep = before is { _hadCrowd: false } && crowd.IsEmpty;
        foreach (var (terms, granted) in all)
        {
            var domain = terms.Domain.Ref;
            (ImmutableArray<DomainTerms> RestsOn, ImmutableArray<FlowConflict> Found) known = default;
            var isKnown = before?._byDomain.TryGetValue(domain, out known) == true;
            if (!isKnown || !mayKeep || isTouched(terms))
            {
                FlowSide[] sides = [.. terms.NetworkSides.Where(side => IsJoined(domain, granted, side.Term.Peer))];
                ImmutableArray<DomainTerms> restsOn = [terms, .. sides.Select(side => of[side.Term.Peer].Terms)];
                known = isKnown && known.RestsOn.SequenceEqual(restsOn)
                    ? known : (restsOn, Found(terms.Domain, sides, peer => of[peer].Terms.Domain));
            }

            conflicts._byDomain[domain] = known;
            found.AddRange(known.Found);
        }

        conflicts.All = found.ToImmutable();
        return conflicts;

        bool IsJoined(DomainRef domain, GrantedFlows granted, DomainRef peer) => !crowd.Has(domain, peer)
            && (granted.HasNetworkTo(peer) || of.GetValueOrDefault(peer)?.Granted.HasNetworkTo(domain) == true);
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
