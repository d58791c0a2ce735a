using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// What all hosts' plans say alike of the flows between two domains. Each list is found by the first who needs it, and
/// is the same one in all plans.
/// </summary>
internal sealed class LaidPair
{
    private readonly FlowPair _pair;
    private readonly ConcurrentDictionary<HostRef, PairHost> _hosts = [];
    // By the lists themselves and not by what is in them: there are few, and each is made once.
    private readonly ConcurrentDictionary<
        (ImmutableArray<GatewayRoute>, ImmutableArray<GatewayRoute>), ImmutableArray<GatewayRoute>> _routes = [];
    private readonly ConcurrentDictionary<
        (ImmutableArray<MetHost>, ImmutableArray<MetHost>), ImmutableArray<MetHost>> _met = [];

    public LaidPair(
        FlowPair pair, LegAddresses legs, HostLinks links,
        Func<DomainRef, ImmutableArray<CompartmentRef>, PlacedDomain> placed)
    {
        (_pair, Legs) = (pair, legs);
        Ways = new LinkWays(joining => Links.Of(pair.Both, joining));
        LegDevice = DeviceNames.LegDevice(pair.Name);
        FirstPort = DeviceNames.LegPort(pair.First.Ref, pair.Name);
        SecondPort = DeviceNames.LegPort(pair.Second.Ref, pair.Name);
        Reason = new Reason(
            $"A flow is open between {Display.Of(pair.First)} and {Display.Of(pair.Second)}.",
            [pair.First.Origin, pair.Second.Origin]);
        Most = PolicyLimits.GatewayRules / pair.Both.Max(Peers);
        var ends = new Dictionary<(DomainRef, PlacedDomain), FlowEnd>();
        Flows = PairFlow.Of(pair, (domain, machines) =>
        {
            var key = (domain.Ref, placed(domain.Ref, machines));
            return ends.TryGetValue(key, out var known) ? known
                : ends[key] = new FlowEnd(domain, pair.Other(domain), key.Item2, there => _hosts.GetOrAdd(
                    there.Host.Ref, _ => new PairHost(pair, there.Name, there.Host, links.Of(there.Host), legs)));
        });
    }

    /// <summary>The addresses in the pair's passage.</summary>
    public LegAddresses Legs { get; }

    /// <summary>The flows, in the order of the terms that grant them.</summary>
    public ImmutableArray<PairFlow> Flows { get; }

    /// <summary>The gateway's end of a leg.</summary>
    public string LegDevice { get; }

    /// <summary>Why there is a passage.</summary>
    public Reason Reason { get; }

    /// <summary>
    /// How many rules the pair may have at a gateway: it follows from the two statements alone, so that no third domain
    /// can take it.
    /// </summary>
    public long Most { get; }

    private string FirstPort { get; }

    private string SecondPort { get; }

    /// <summary>The host's end of a domain's leg.</summary>
    public string LegPort(DomainModel domain) => domain.Ref == _pair.First.Ref ? FirstPort : SecondPort;

    /// <summary>How the frames pass links.</summary>
    public LinkWays Ways { get; }

    /// <summary>The routes of several lists that are in order, in order, each once.</summary>
    public ImmutableArray<GatewayRoute> Routes(IEnumerable<ImmutableArray<GatewayRoute>> lists) =>
        Joined(lists, _routes, of =>
        [
            .. of.Item1.Concat(of.Item2).DistinctBy(route => route.Destination, StringComparer.Ordinal)
                .OrderBy(route => route.Destination, StringComparer.Ordinal),
        ]);

    /// <summary>The hosts of several lists that are in order, in order, each once with all its legs.</summary>
    public ImmutableArray<MetHost> Met(IEnumerable<ImmutableArray<MetHost>> lists) =>
        Joined(lists, _met, of =>
        [
            .. of.Item1.Concat(of.Item2).GroupBy(met => met.Host)
                .Select(group => new MetHost(group.Key, group.Any(met => met.First), group.Any(met => met.Second)))
                .OrderBy(met => met.Host.Name, StringComparer.Ordinal),
        ]);

    private static ImmutableArray<T> Joined<T>(
        IEnumerable<ImmutableArray<T>> lists,
        ConcurrentDictionary<(ImmutableArray<T>, ImmutableArray<T>), ImmutableArray<T>> known,
        Func<(ImmutableArray<T>, ImmutableArray<T>), ImmutableArray<T>> join)
    {
        ImmutableArray<T> all = [];
        foreach (var list in lists.Where(list => !list.IsEmpty))
        {
            all = all.IsEmpty || all == list ? list : known.GetOrAdd((all, list), of =>
            {
                var both = join(of);
                return both.SequenceEqual(of.Item1) ? of.Item1 : both.SequenceEqual(of.Item2) ? of.Item2 : both;
            });
        }

        return all;
    }

    private static int Peers(DomainModel domain) => domain.Grants.Concat(domain.Accepts)
        .Where(term => term.Resource is FlowResource.Network).Select(term => term.Peer).Distinct().Count();
}

/// <summary>A host in one passage.</summary>
/// <param name="pair">Whose passage.</param>
/// <param name="name">The host's reference as text, by which hosts are in order.</param>
/// <param name="host">The host.</param>
/// <param name="links">The links that it is on.</param>
/// <param name="legs">The addresses in the passage.</param>
internal sealed class PairHost(
    FlowPair pair, string name, HostModel host, ImmutableArray<LinkModel> links, LegAddresses legs)
{
    private PassageMember? _first;
    private PassageMember? _second;
    private Kept<PassagePeer>? _ofFirst;
    private Kept<PassagePeer>? _ofSecond;
    private Kept<PassagePeer>? _ofBoth;

    public string Name => name;

    public HostModel Host => host;

    public ImmutableArray<LinkModel> Links => links;

    /// <summary>The leg of the first domain's gateway, or of the second's.</summary>
    public PassageMember Leg(bool first) => first
        ? _first ??= legs.Member(host.Ref, pair.First.Ref) : _second ??= legs.Member(host.Ref, pair.Second.Ref);

    /// <summary>What hosts that reach it in this way have of it in their plans.</summary>
    public PassagePeer Peer(bool first, bool second, LinkWay way) => (first, second) switch
    {
        (true, true) => Kept<PassagePeer>.Find(_ofBoth, way) ?? Made(ref _ofBoth, way, Leg(true), Leg(false)),
        (true, false) => Kept<PassagePeer>.Find(_ofFirst, way) ?? Made(ref _ofFirst, way, Leg(true)),
        (false, true) => Kept<PassagePeer>.Find(_ofSecond, way) ?? Made(ref _ofSecond, way, Leg(false)),
        (false, false) => throw new System.Diagnostics.UnreachableException("A host is met for a machine on it."),
    };

    private PassagePeer Made(
        ref Kept<PassagePeer>? kept, LinkWay way, params ImmutableArray<PassageMember> behind) =>
        Kept<PassagePeer>.Of(ref kept, way, one => new PassagePeer(
            host.Ref, host.UnderlayIpv4, behind, one.Protection, new Reason(one.Sentence, one.Because)));
}

/// <summary>A host with machines that are met by a flow.</summary>
/// <param name="Host">The host.</param>
/// <param name="First">Whether machines of the pair's first domain are met there.</param>
/// <param name="Second">Whether machines of the second are.</param>
internal readonly record struct MetHost(PairHost Host, bool First, bool Second);
