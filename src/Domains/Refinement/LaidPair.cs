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
    private readonly HostLinks _links;
    private readonly ConcurrentDictionary<HostRef, PairHost> _hosts = [];
    // By the lists themselves and not by what is in them: there are few, and each is made once.
    private readonly ConcurrentDictionary<
        (ImmutableArray<GatewayRoute>, ImmutableArray<GatewayRoute>), ImmutableArray<GatewayRoute>> _routes = [];
    private readonly ConcurrentDictionary<
        (ImmutableArray<MetHost>, ImmutableArray<MetHost>), ImmutableArray<MetHost>> _met = [];
    // By those who are met, and the links of those who meet them.
    private readonly ConcurrentDictionary<
        (ImmutableArray<MetHost>, ImmutableArray<LinkModel>), ImmutableArray<PassagePeer>> _peers = [];

    public LaidPair(
        FlowPair pair, HostLinks links, Func<DomainRef, ImmutableArray<CompartmentRef>, PlacedDomain> placed)
    {
        (Pair, _links) = (pair, links);
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
                : ends[key] = new FlowEnd(domain, pair.Other(domain), key.Item2, At);
        });
    }

    /// <summary>The pair.</summary>
    public FlowPair Pair { get; }

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
    public string LegPort(DomainModel domain) => domain.Ref == Pair.First.Ref ? FirstPort : SecondPort;

    /// <summary>How the frames pass links.</summary>
    public LinkWays Ways { get; }

    /// <summary>A host with machines of one of the two domains.</summary>
    public PairHost At(HostMembers there) => _hosts.TryGetValue(there.Host.Ref, out var known) ? known
        : _hosts.GetOrAdd(
            there.Host.Ref, _ => new PairHost(this, there.Name, there.Host, there.Links(_links)));

    /// <summary>What the plan of a host has of those that it meets, itself not counted.</summary>
    public ImmutableArray<PassagePeer> Peers(PairHost own, ImmutableArray<MetHost> met)
    {
        var place = Place(own, met);
        if (!_peers.TryGetValue((met, own.Links), out var all))
        {
            // All hosts that are on the same links say the same of each other host that they meet.
            if (!met.Any(there => there.Host != own && there.Host.Links == own.Links))
            {
                return Made(place < 0 ? met : met.RemoveAt(place));
            }

            all = _peers.GetOrAdd((met, own.Links), _ => Made(met));
        }

        return place < 0 ? all : all.RemoveAt(place);

        ImmutableArray<PassagePeer> Made(ImmutableArray<MetHost> those)
        {
            var peers = ImmutableArray.CreateBuilder<PassagePeer>(those.Length);
            foreach (var (there, first, second) in those)
            {
                peers.Add(there.Peer(first, second, Ways.By(_links.Joining(own.Links, there.Links))));
            }

            return peers.MoveToImmutable();
        }
    }

    private static int Place(PairHost own, ImmutableArray<MetHost> met)
    {
        for (var i = 0; i < met.Length; i++)
        {
            if (ReferenceEquals(met[i].Host, own))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The routes of several lists that are in order, in order, each once.</summary>
    public ImmutableArray<GatewayRoute> Routes(IEnumerable<ImmutableArray<GatewayRoute>> lists) =>
        Joined(lists, _routes, route => route.Destination, (one, _) => one);

    /// <summary>The hosts of several lists that are in order, in order, each once with all its legs.</summary>
    public ImmutableArray<MetHost> Met(IEnumerable<ImmutableArray<MetHost>> lists) =>
        Joined(lists, _met, met => met.Host.Name, (one, other) =>
            new MetHost(one.Host, one.First || other.First, one.Second || other.Second));

    private static ImmutableArray<T> Joined<T>(
        IEnumerable<ImmutableArray<T>> lists,
        ConcurrentDictionary<(ImmutableArray<T>, ImmutableArray<T>), ImmutableArray<T>> known,
        Func<T, string> name, Func<T, T, T> both)
    {
        ImmutableArray<T> all = [];
        foreach (var list in lists)
        {
            all = all.IsEmpty || all == list ? list : list.IsEmpty ? all
                : known.TryGetValue((all, list), out var joined) ? joined
                : known.GetOrAdd((all, list), of => Merged(of.Item1, of.Item2, name, both));
        }

        return all;
    }

    /// <summary>Two lists in order as one; one of the two where that has all.</summary>
    private static ImmutableArray<T> Merged<T>(
        ImmutableArray<T> one, ImmutableArray<T> other, Func<T, string> name, Func<T, T, T> both)
    {
        var merged = ImmutableArray.CreateBuilder<T>(one.Length + other.Length);
        for (int i = 0, j = 0; i < one.Length || j < other.Length;)
        {
            var order = i == one.Length ? 1 : j == other.Length ? -1
                : string.CompareOrdinal(name(one[i]), name(other[j]));
            merged.Add(order < 0 ? one[i] : order > 0 ? other[j] : both(one[i], other[j]));
            i += order <= 0 ? 1 : 0;
            j += order >= 0 ? 1 : 0;
        }

        return merged.Count == one.Length && merged.SequenceEqual(one) ? one
            : merged.Count == other.Length && merged.SequenceEqual(other) ? other : merged.DrainToImmutable();
    }

    private static int Peers(DomainModel domain) => domain.Grants.Concat(domain.Accepts)
        .Where(term => term.Resource is FlowResource.Network).Select(term => term.Peer).Distinct().Count();
}

/// <summary>
/// A host in one passage. A leg of a gateway there has the link-local IPv6 address that follows from its MAC, so that
/// all hosts derive it alike and nobody hands out numbers. Packets of both families are routed by it (as RFC 8950 does
/// for BGP): an address in IPv4's link-local range would have to differ from those of all passages of a gateway.
/// </summary>
/// <param name="of">The passage.</param>
/// <param name="name">The host's reference as text, by which hosts are in order.</param>
/// <param name="host">The host.</param>
/// <param name="links">The links that it is on.</param>
internal sealed class PairHost(LaidPair of, string name, HostModel host, ImmutableArray<LinkModel> links)
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
        ? _first ?? Made(ref _first, of.Pair.First.Ref) : _second ?? Made(ref _second, of.Pair.Second.Ref);

    /// <summary>The leg of a domain's gateway.</summary>
    public PassageMember Leg(DomainModel domain) => Leg(domain.Ref == of.Pair.First.Ref);

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
            host.Ref, host.UnderlayIpv4, behind, one.Protection, of.Ways.Reason(one)));

    private PassageMember Made(ref PassageMember? leg, DomainRef domain)
    {
        var mac = DeviceNames.LegMac(host.Ref, domain, of.Pair.Name);
        var made = new PassageMember(domain, mac, DeviceNames.LinkLocal(mac));
        return Interlocked.CompareExchange(ref leg, made, null) ?? made;
    }
}

/// <summary>A host with machines that are met by a flow.</summary>
/// <param name="Host">The host.</param>
/// <param name="First">Whether machines of the pair's first domain are met there.</param>
/// <param name="Second">Whether machines of the second are.</param>
internal readonly record struct MetHost(PairHost Host, bool First, bool Second);
