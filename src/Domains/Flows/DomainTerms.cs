using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// One domain's terms by the peers that they name. It follows from the domain's statement alone, so it is made once for
/// each.
/// </summary>
internal sealed class DomainTerms
{
    private static readonly ImmutableArray<FlowSide> None = [];
    private readonly Dictionary<DomainRef, int> _peers = [];
    private readonly ImmutableArray<ImmutableArray<FlowSide>> _accepts;

    public DomainTerms(DomainModel domain)
    {
        Domain = domain;
        Grants = [.. domain.Grants.Select(term => new PlacedSide(new FlowSide(domain, term, true), Place(term)))];
        Accepts = [.. domain.Accepts.Select(term => new PlacedSide(new FlowSide(domain, term, false), Place(term)))];
        Peers = [.. _peers.OrderBy(peer => peer.Value).Select(peer => peer.Key)];
        var accepts = Accepts.ToLookup(one => one.Peer, one => one.Side);
        _accepts = [.. Enumerable.Range(0, Peers.Length).Select(peer => accepts[peer].ToImmutableArray())];
        NetworkSides =
        [
            .. Grants.Concat(Accepts).Where(one => one.Side.Term.Resource is FlowResource.Network)
                .DistinctBy(one => one.Peer).Select(one => one.Side),
        ];
    }

    /// <summary>A term, and the place of whom it names among <see cref="Peers"/>.</summary>
    public readonly record struct PlacedSide(FlowSide Side, int Peer);

    public DomainModel Domain { get; }

    /// <summary>What it grants, in its own order.</summary>
    public ImmutableArray<PlacedSide> Grants { get; }

    /// <summary>What it accepts, in its own order.</summary>
    public ImmutableArray<PlacedSide> Accepts { get; }

    /// <summary>All whom its terms name, each once.</summary>
    public ImmutableArray<DomainRef> Peers { get; }

    /// <summary>Its first network term with each peer.</summary>
    public ImmutableArray<FlowSide> NetworkSides { get; }

    /// <summary>Whether one of its terms names a domain.</summary>
    public bool Names(DomainRef peer) => _peers.ContainsKey(peer);

    /// <summary>What it accepts from a domain, in its own order.</summary>
    public ImmutableArray<FlowSide> AcceptsFrom(DomainRef granting) =>
        _peers.TryGetValue(granting, out var place) ? _accepts[place] : None;

    private int Place(FlowTerm term)
    {
        if (!_peers.TryGetValue(term.Peer, out var place))
        {
            _peers[term.Peer] = place = _peers.Count;
        }

        return place;
    }
}
