using System.Collections;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Bailiwick.Domains.Admission;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// The tunnel packets in clear that a host accepts, by number, then by sender. Those of a plan follow from its networks
/// and are found when they are asked for: a large host has a hundred thousand, of which a change touches a few.
/// </summary>
[CollectionBuilder(typeof(AcceptedSenders), nameof(Of))]
public sealed class AcceptedSenders : IEnumerable<TunnelPlan>
{
    private readonly IEnumerable<TunnelPlan> _all;

    private AcceptedSenders(IEnumerable<TunnelPlan> all) => _all = all;

    /// <summary>Whether nobody is accepted.</summary>
    public bool IsEmpty => !_all.Any();

    /// <summary>Those of a list, in its order.</summary>
    public static AcceptedSenders Of(ReadOnlySpan<TunnelPlan> tunnels) => new(tunnels.ToImmutableArray());

    /// <summary>Those of some networks: the peers that they reach in clear.</summary>
    internal static AcceptedSenders Of(ImmutableArray<DomainPlan> domains, ImmutableArray<PassagePlan> passages) => new(
        InOrder(domains, passages));

    /// <inheritdoc/>
    public IEnumerator<TunnelPlan> GetEnumerator() => _all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static IEnumerable<TunnelPlan> InOrder(
        ImmutableArray<DomainPlan> domains, ImmutableArray<PassagePlan> passages)
    {
        (int Number, NetworkPlan? Inside, PassageNetwork? Across)[] networks =
        [
            .. domains.Select(domain => domain.Network).Where(network => network.Vxlan is not null)
                .Select(network => (network.Number, (NetworkPlan?)network, (PassageNetwork?)null)),
            .. passages.Select(passage => passage.Network).Where(network => network.Vxlan is not null)
                .Select(network => (network.Number, (NetworkPlan?)null, (PassageNetwork?)network)),
        ];
        // No two have one number.
        Array.Sort(networks, static (one, other) => one.Number.CompareTo(other.Number));
        List<TunnelPlan> next = [];
        foreach (var (number, inside, across) in networks)
        {
            next.Clear();
            foreach (var peer in inside?.Peers ?? [])
            {
                if (peer.Protection == LinkProtection.Clear)
                {
                    next.Add(new TunnelPlan(peer.UnderlayIpv4, number, peer.Reason));
                }
            }

            foreach (var peer in across?.Peers ?? [])
            {
                if (peer.Protection == LinkProtection.Clear)
                {
                    next.Add(new TunnelPlan(peer.UnderlayIpv4, number, peer.Reason));
                }
            }

            next.Sort(static (one, other) => string.CompareOrdinal(one.PeerIpv4, other.PeerIpv4));
            foreach (var tunnel in next)
            {
                yield return tunnel;
            }
        }
    }
}
