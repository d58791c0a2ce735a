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

    public LaidPair(FlowPair pair, PlacedDomain first, PlacedDomain second, HostLinks links)
    {
        (Pair, First, Second, _links) = (pair, first, second, links);
        Between = [pair.First.Ref, pair.Second.Ref];
        (Bridge, Vxlan, Table, LegDevice) = (
            DeviceNames.PassageBridge(pair.Name), DeviceNames.PassageVxlan(pair.Name),
            DeviceNames.PassageTable(pair.Name), DeviceNames.LegDevice(pair.Name));
        Mtu = Scene.Mtu(pair.Both);
        Ways = new LinkWays(joining => Links.Of(pair.Both, joining));
        FirstPort = DeviceNames.LegPort(pair.First.Ref, pair.Name);
        SecondPort = DeviceNames.LegPort(pair.Second.Ref, pair.Name);
        Reason = new Reason(
            $"A flow is open between {Display.Of(pair.First)} and {Display.Of(pair.Second)}.",
            [pair.First.Origin, pair.Second.Origin]);
        Most = PolicyLimits.GatewayRules / pair.Both.Max(Peers);
        var ends = new Dictionary<(bool, PlacedDomain), FlowEnd>();
        Flows = PairFlow.Of(pair, (domain, machines) =>
        {
            var isFirst = domain.Ref == pair.First.Ref;
            var key = (isFirst, (isFirst ? first : second).Only(machines));
            return ends.TryGetValue(key, out var known) ? known
                : ends[key] = new FlowEnd(domain, pair.Other(domain), key.Item2, At);
        });
    }

    /// <summary>The pair.</summary>
    public FlowPair Pair { get; }

    /// <summary>The flows, in the order of the terms that grant them.</summary>
    public ImmutableArray<PairFlow> Flows { get; }

    /// <summary>The members of the first domain.</summary>
    public PlacedDomain First { get; }

    /// <summary>The members of the second.</summary>
    public PlacedDomain Second { get; }

    /// <summary>Both domains.</summary>
    public ImmutableArray<DomainRef> Between { get; }

    public string Bridge { get; }

    public string Vxlan { get; }

    public string Table { get; }

    public int Mtu { get; }

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

    /// <summary>A domain's leg on a host.</summary>
    public PassagePort Port(PairHost host, bool isFirst) => new(isFirst ? FirstPort : SecondPort, host.Leg(isFirst));

    /// <summary>How the frames pass links.</summary>
    public LinkWays Ways { get; }

    /// <summary>A host with machines of one of the two domains.</summary>
    public PairHost At(HostMembers there) => _hosts.TryGetValue(there.Host.Ref, out var known) ? known
        : _hosts.GetOrAdd(
            there.Host.Ref, static (_, one) => new PairHost(one.Pair, one.Name, one.Host, one.Links),
            (Pair: this, there.Name, there.Host, Links: there.Links(_links)));

    /// <summary>What the plan of a host has of those that it meets, itself not counted.</summary>
    public ImmutableArray<PassagePeer> Peers(PairHost own, ImmutableArray<MetHost> met)
    {
        var (place, isAlone) = (-1, true);
        for (var i = 0; i < met.Length; i++)
        {
            var there = met[i].Host;
            place = ReferenceEquals(there, own) ? i : place;
            isAlone &= there.Links != own.Links || ReferenceEquals(there, own);
        }

        if (isAlone)
        {
            return Made(own, place < 0 ? met : met.RemoveAt(place));
        }

        // All hosts that are on the same links say the same of each other host that they meet.
        var all = _peers.TryGetValue((met, own.Links), out var known)
            ? known : _peers.GetOrAdd((met, own.Links), Made(own, met));
        return place < 0 ? all : all.RemoveAt(place);
    }

    private ImmutableArray<PassagePeer> Made(PairHost own, ImmutableArray<MetHost> met)
    {
        var peers = ImmutableArray.CreateBuilder<PassagePeer>(met.Length);
        foreach (var (there, first, second) in met)
        {
            peers.Add(there.Peer(first, second, Ways.By(_links.Joining(own.Links, there.Links))));
        }

        return peers.MoveToImmutable();
    }

    /// <summary>The routes of two lists that are in order, in order, each once.</summary>
    public ImmutableArray<GatewayRoute> Routes(ImmutableArray<GatewayRoute> one, ImmutableArray<GatewayRoute> other) =>
        Joined(one, other, _routes, static route => route.Destination, static (route, _) => route);

    /// <summary>The hosts of two lists that are in order, in order, each once with all its legs.</summary>
    public ImmutableArray<MetHost> Met(ImmutableArray<MetHost> one, ImmutableArray<MetHost> other) =>
        Joined(one, other, _met, static met => met.Host.Name, static (left, right) =>
            new MetHost(left.Host, left.First || right.First, left.Second || right.Second));

    private static ImmutableArray<T> Joined<T>(
        ImmutableArray<T> one, ImmutableArray<T> other,
        ConcurrentDictionary<(ImmutableArray<T>, ImmutableArray<T>), ImmutableArray<T>> known,
        Func<T, string> name, Func<T, T, T> both) => one.IsEmpty || one == other ? other : other.IsEmpty ? one
            : known.TryGetValue((one, other), out var joined) ? joined
            : known.GetOrAdd((one, other), Merged(one, other, name, both));

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
