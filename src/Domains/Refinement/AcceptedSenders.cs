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
        (int Number, IEnumerable<TunnelPlan> Senders)[] networks =
        [
            .. domains.Select(domain => domain.Network).Where(network => network.Vxlan is not null)
                .Select(network => (network.Number, network.Peers
                    .Where(peer => peer.Protection == LinkProtection.Clear)
                    .Select(peer => new TunnelPlan(peer.UnderlayIpv4, network.Number, peer.Reason)))),
            .. passages.Select(passage => passage.Network).Where(network => network.Vxlan is not null)
                .Select(network => (network.Number, network.Peers
                    .Where(peer => peer.Protection == LinkProtection.Clear)
                    .Select(peer => new TunnelPlan(peer.UnderlayIpv4, network.Number, peer.Reason)))),
        ];
        // No two have one number.
        Array.Sort(networks, static (one, other) => one.Number.CompareTo(other.Number));
        List<TunnelPlan> next = [];
        foreach (var (_, senders) in networks)
        {
            next.Clear();
            next.AddRange(senders);
            next.Sort(static (one, other) => string.CompareOrdinal(one.PeerIpv4, other.PeerIpv4));
            foreach (var tunnel in next)
            {
                yield return tunnel;
            }
        }
    }
}
