using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>A domain's terms, and what its grants meet.</summary>
internal sealed record DomainFlows(DomainTerms Terms, GrantedFlows Granted);

/// <summary>
/// What one domain's grants meet on the other side. It follows from the domain's statement, its peers' and the members
/// of all of them, and from nothing else, so it stays as it is while those do.
/// </summary>
internal sealed class GrantedFlows
{
    private readonly HashSet<FlowSide> _met = new(ReferenceEqualityComparer.Instance);
    private readonly ImmutableArray<(DomainTerms? Terms, DomainCrew Crew)> _restsOn;
    private readonly int[] _ranges;
    private HashSet<DomainRef> _networkPeers = [];

    private GrantedFlows(ImmutableArray<(DomainTerms?, DomainCrew)> restsOn)
    {
        _restsOn = restsOn;
        _ranges = new int[restsOn.Length];
    }

    /// <summary>The flows, in the order of the grants, then of the acceptances.</summary>
    public ImmutableArray<OpenFlow> Open { get; private set; } = [];

    /// <summary>The grants that no acceptance meets.</summary>
    public ImmutableArray<FlowSide> Unmet { get; private set; } = [];

    /// <summary>Peers with whom the flows granted here alone have more than half of the ranges that a pair may have.
    /// </summary>
    public ImmutableArray<DomainRef> ManyWith { get; private set; } = [];

    /// <summary>Whether a network flow is granted to a domain that has machines for it.</summary>
    public bool HasNetworkTo(DomainRef peer) => _networkPeers.Contains(peer);

    /// <summary>Ranges of ports of the flows granted to a peer, counted up to one more than there may be.</summary>
    public int RangesTo(DomainRef peer)
    {
        for (var place = 1; place < _restsOn.Length; place++)
        {
            if (_restsOn[place].Terms?.Domain.Ref == peer)
            {
                return _ranges[place - 1];
            }
        }

        return 0;
    }

    /// <summary>Whether a term of either side meets one of the other.</summary>
    public bool Met(FlowSide side) => _met.Contains(side);

    /// <summary>Finds them.</summary>
    /// <param name="terms">The granting domain.</param>
    /// <param name="of">Each domain's terms; null for one that no statement describes.</param>
    /// <param name="members">Who is a member.</param>
    /// <param name="before">What was found for the domain before; given again if nothing it rests on changed.</param>
    public static GrantedFlows Of(
        DomainTerms terms, Func<DomainRef, DomainTerms?> of, NamedMembers members, GrantedFlows? before)
    {
        ImmutableArray<(DomainTerms? Terms, DomainCrew Crew)> restsOn =
        [
            (terms, members.Crew(terms.Domain.Ref)),
            .. terms.Peers.Select(peer => (of(peer), members.Crew(peer))),
        ];
        if (before is not null && before._restsOn.SequenceEqual(restsOn))
        {
            return before;
        }

        var flows = new GrantedFlows(restsOn);
        var open = ImmutableArray.CreateBuilder<OpenFlow>();
        // What each peer accepts from here, looked up once for all terms that name it.
        ImmutableArray<ImmutableArray<FlowSide>> accepts =
            [.. restsOn.Skip(1).Select(peer => peer.Terms?.AcceptsFrom(terms.Domain.Ref) ?? [])];
        foreach (var (grant, peer) in terms.Grants)
        {
            flows.Meet(grant, accepts[peer], peer, members, open);
        }

        flows.Open = before is null ? open.ToImmutable() : Kept(before.Open, open);
        flows._networkPeers =
            [.. open.Where(flow => flow.Resource is FlowResource.Network).Select(flow => flow.To)];
        flows.ManyWith =
        [
            .. restsOn.Skip(1).Where((_, place) => flows._ranges[place] > PolicyLimits.FlowRanges / 2)
                .Select(peer => peer.Terms).OfType<DomainTerms>().Select(peer => peer.Domain.Ref),
        ];
        flows.Unmet = [.. terms.Grants.Select(grant => grant.Side).Where(grant => !flows.Met(grant))];
        return flows;
    }

    /// <summary>The ranges of each of its network flows with a peer, whether or not machines are there for it.
    /// </summary>
    public static IEnumerable<(FlowSide Grant, FlowSide Accept, int Ranges)> Met(DomainTerms from, DomainTerms to) =>
        from grant in @from.Grants
        where grant.Side.Term.Peer == to.Domain.Ref
        from accept in to.AcceptsFrom(@from.Domain.Ref)
        let common = Intersection(grant.Side.Term.Resource, accept.Term.Resource) as FlowResource.Network
        where common is not null
        select (grant.Side, accept, Math.Max(1, common.Ports.Length));

    /// <summary>The same flows, those that are as they were being the ones that they were.</summary>
    private static ImmutableArray<OpenFlow> Kept(ImmutableArray<OpenFlow> before, IEnumerable<OpenFlow> now)
    {
        var known = new Dictionary<(FlowSide, FlowSide), OpenFlow>(SamePair.Comparer);
        foreach (var flow in before)
        {
            known.TryAdd((flow.Sides.Grant, flow.Sides.Accept), flow);
        }

        return [.. now.Select(flow => known.TryGetValue((flow.Sides.Grant, flow.Sides.Accept), out var same)
            && same.Senders.SequenceEqual(flow.Senders) && same.Receivers.SequenceEqual(flow.Receivers) ? same : flow)];
    }

    private void Meet(
        FlowSide grant, ImmutableArray<FlowSide> accepts, int peer, NamedMembers members,
        ImmutableArray<OpenFlow>.Builder open)
    {
        foreach (var accept in accepts)
        {
            if (Intersection(grant.Term.Resource, accept.Term.Resource) is not { } resource)
            {
                continue;
            }

            _met.Add(grant);
            _met.Add(accept);
            if (resource is FlowResource.Network network)
            {
                _ranges[peer] = Math.Min(
                    PolicyLimits.FlowRanges + 1, _ranges[peer] + Math.Max(1, network.Ports.Length));
                if (_ranges[peer] > PolicyLimits.FlowRanges)
                {
                    // The pair has too many whatever else is found, and none of them opens.
                    break;
                }
            }

            if (Meeting(grant, accept, resource, members) is { } flow)
            {
                open.Add(flow);
            }
        }
    }

    private static FlowResource? Intersection(FlowResource grant, FlowResource accept) => (grant, accept) switch
    {
        (FlowResource.Network left, FlowResource.Network right) when left.Protocol == right.Protocol =>
            Common(left, right),
        (FlowResource.Volume left, FlowResource.Volume right) when left.Name == right.Name =>
            left.Access <= right.Access ? left : right,
        (FlowResource.Device left, FlowResource.Device right) when left.Kind == right.Kind => left,
        (FlowResource.Network or FlowResource.Volume or FlowResource.Device, _) => null,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static FlowResource.Network? Common(FlowResource.Network left, FlowResource.Network right)
    {
        var ports = PortSets.Intersection(left.Ports, right.Ports);
        return ports.Length == 0 && left.Protocol != FlowProtocol.Icmp ? null
            : ports == left.Ports ? left : left with { Ports = ports };
    }

    private static OpenFlow? Meeting(FlowSide grant, FlowSide accept, FlowResource resource, NamedMembers members)
    {
        var senders = members.Named(grant.Domain, grant.Term);
        var receivers = members.Named(accept.Domain, accept.Term);
        var nobodySends = senders.Length == 0
            && (resource is FlowResource.Network || grant.Term.Machines is not null);
        return nobodySends || receivers.Length == 0
            ? null
            : new OpenFlow(
                grant.Domain.Ref, accept.Domain.Ref, resource, senders, receivers, new FlowSides(grant, accept));
    }
}

/// <summary>Two terms are the same two when they are these very ones: a statement that did not change keeps them.
/// </summary>
internal sealed class SamePair : IEqualityComparer<(FlowSide Grant, FlowSide Accept)>
{
    public static SamePair Comparer { get; } = new();

    public bool Equals((FlowSide Grant, FlowSide Accept) left, (FlowSide Grant, FlowSide Accept) right) =>
        ReferenceEquals(left.Grant, right.Grant) && ReferenceEquals(left.Accept, right.Accept);

    public int GetHashCode((FlowSide Grant, FlowSide Accept) pair) => HashCode.Combine(
        RuntimeHelpers.GetHashCode(pair.Grant), RuntimeHelpers.GetHashCode(pair.Accept));
}
