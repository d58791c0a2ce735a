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
        domains.Select(domain => domain.Network).Where(network => network.Vxlan is not null)
            .Select(network => (network.Number, Tunnels: Tunnels(network)))
            .Concat(passages.Select(passage => passage.Network).Where(network => network.Vxlan is not null)
                .Select(network => (network.Number, Tunnels: Tunnels(network))))
            .OrderBy(network => network.Number)
            .SelectMany(network => network.Tunnels.OrderBy(tunnel => tunnel.PeerIpv4, StringComparer.Ordinal)));

    /// <inheritdoc/>
    public IEnumerator<TunnelPlan> GetEnumerator() => _all.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static IEnumerable<TunnelPlan> Tunnels(NetworkPlan network) => network.Peers
        .Where(peer => peer.Protection == LinkProtection.Clear)
        .Select(peer => new TunnelPlan(peer.UnderlayIpv4, network.Number, peer.Reason));

    private static IEnumerable<TunnelPlan> Tunnels(PassageNetwork network) => network.Peers
        .Where(peer => peer.Protection == LinkProtection.Clear)
        .Select(peer => new TunnelPlan(peer.UnderlayIpv4, network.Number, peer.Reason));
}
