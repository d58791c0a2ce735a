using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// What all hosts' plans say alike of the flows between two domains. Each list is found by the first who needs it, and
/// is the same one in all plans.
/// </summary>
internal sealed class LaidPair
{
    // By the lists themselves and not by what is in them: there are few, and each is made once.
    private readonly ConcurrentDictionary<
        (ImmutableArray<GatewayRoute>, ImmutableArray<GatewayRoute>), ImmutableArray<GatewayRoute>> _joined = [];

    public LaidPair(
        FlowPair pair, LegAddresses legs, Func<DomainRef, ImmutableArray<CompartmentRef>, PlacedDomain> placed)
    {
        Legs = legs;
        var ends = new Dictionary<(DomainRef, PlacedDomain), FlowEnd>();
        Flows = PairFlow.Of(pair, (domain, machines) =>
        {
            var key = (domain.Ref, placed(domain.Ref, machines));
            return ends.TryGetValue(key, out var known) ? known
                : ends[key] = new FlowEnd(domain, pair.Other(domain), key.Item2, legs);
        });
    }

    /// <summary>The addresses in the pair's passage.</summary>
    public LegAddresses Legs { get; }

    /// <summary>The flows, in the order of the terms that grant them.</summary>
    public ImmutableArray<PairFlow> Flows { get; }

    /// <summary>The routes of several lists that are in order, in order, each once.</summary>
    public ImmutableArray<GatewayRoute> Joined(IEnumerable<ImmutableArray<GatewayRoute>> lists)
    {
        ImmutableArray<GatewayRoute> all = [];
        foreach (var list in lists.Where(list => !list.IsEmpty))
        {
            all = all.IsEmpty || all == list ? list : _joined.GetOrAdd((all, list), Both);
        }

        return all;
    }

    private static ImmutableArray<GatewayRoute> Both(
        (ImmutableArray<GatewayRoute> One, ImmutableArray<GatewayRoute> Two) of)
    {
        ImmutableArray<GatewayRoute> both =
        [
            .. of.One.Concat(of.Two).DistinctBy(route => route.Destination, StringComparer.Ordinal)
                .OrderBy(route => route.Destination, StringComparer.Ordinal),
        ];
        return both.Length == of.One.Length ? of.One : both.Length == of.Two.Length ? of.Two : both;
    }
}

/// <summary>
/// The machines of one domain that a flow with another names: by which addresses the other domain's gateways know them,
/// and how they reach them.
/// </summary>
internal sealed class FlowEnd(DomainModel domain, DomainModel peer, PlacedDomain placed, LegAddresses legs)
{
    private readonly bool _translates = Translations.AreAny(domain, peer);
    private ImmutableArray<GatewayRoute> _routes4;
    private ImmutableArray<GatewayRoute> _routes6;
    private ImmutableArray<string> _known4;
    private ImmutableArray<string> _known6;

    public DomainModel Domain => domain;

    public PlacedDomain Placed => placed;

    /// <summary>Those of a host alone.</summary>
    public FlowEnd Only(HostRef host) => new(domain, peer, PlacedDomain.Of(placed.On(host)), legs);

    /// <summary>By which addresses the other domain knows them, in order, each once.</summary>
    public ImmutableArray<string> Known(bool isIpv6) => isIpv6
        ? _known6.IsDefault ? _known6 = Destinations(isIpv6) : _known6
        : _known4.IsDefault ? _known4 = Destinations(isIpv6) : _known4;

    /// <summary>The way from the other domain's gateway on any host to each of them, in their order.</summary>
    public ImmutableArray<GatewayRoute> Routes(bool isIpv6) => isIpv6
        ? _routes6.IsDefault ? _routes6 = Made(isIpv6) : _routes6
        : _routes4.IsDefault ? _routes4 = Made(isIpv6) : _routes4;

    /// <summary>
    /// By which address the other domain knows each of a host's, in the order of these; null where by its own.
    /// </summary>
    public ImmutableArray<string>? KnownOf(ImmutableArray<string> own)
    {
        if (!_translates)
        {
            return null;
        }

        ImmutableArray<string> known =
            [.. own.Select(address => Translations.Known(domain, peer, IPAddress.Parse(address)).ToString())];
        return known.SequenceEqual(own) ? null : known;
    }

    private ImmutableArray<string> Destinations(bool isIpv6) => [.. Routes(isIpv6).Select(route => route.Destination)];

    private ImmutableArray<GatewayRoute> Made(bool isIpv6) =>
    [
        .. placed.ByHost.SelectMany(there => Routes(there, isIpv6))
            .DistinctBy(route => route.Destination, StringComparer.Ordinal)
            .OrderBy(route => route.Destination, StringComparer.Ordinal),
    ];

    private IEnumerable<GatewayRoute> Routes(HostMembers there, bool isIpv6)
    {
        var own = there.Addresses(isIpv6);
        var via = legs.Member(there.Host.Ref, domain.Ref);
        return (KnownOf(own) ?? own).Select(
            address => new GatewayRoute(address, isIpv6 ? via.Ipv6 : via.Ipv4, via.Mac));
    }
}
