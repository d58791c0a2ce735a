using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>The tunnel packets in clear that a host accepts: those of the peers that its plan names.</summary>
internal static class Underlay
{
    public static UnderlayPlan Of(
        HostModel host, ImmutableArray<DomainPlan> domains, ImmutableArray<PassagePlan> passages)
    {
        // In order by network, so that each has only its own peers to put in order.
        var networks = domains
            .Select(domain => (domain.Network.Number, Peers: domain.Network.Peers.Where(Clear)
                .Select(peer => (peer.UnderlayIpv4, peer.Reason))))
            .Concat(passages.Select(passage => (passage.Network.Number, Peers: passage.Network.Peers.Where(Clear)
                .Select(peer => (peer.UnderlayIpv4, peer.Reason)))))
            .OrderBy(network => network.Number);
        return new UnderlayPlan(
            host.UnderlayIpv4,
            [
                .. networks.SelectMany(network => network.Peers
                    .OrderBy(peer => peer.UnderlayIpv4, StringComparer.Ordinal)
                    .Select(peer => new TunnelPlan(peer.UnderlayIpv4, network.Number, peer.Reason))),
            ]);
    }

    /// <summary>The order that a plan has.</summary>
    public static ImmutableArray<TunnelPlan> InOrder(IEnumerable<TunnelPlan> tunnels) =>
    [
        .. tunnels.OrderBy(tunnel => tunnel.Number).ThenBy(tunnel => tunnel.PeerIpv4, StringComparer.Ordinal),
    ];

    private static bool Clear(PeerPlan peer) => peer.Protection == LinkProtection.Clear;

    private static bool Clear(PassagePeer peer) => peer.Protection == LinkProtection.Clear;
}
