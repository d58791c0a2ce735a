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
        var tunnels = domains
            .SelectMany(domain => domain.Network.Peers.Where(Clear).Select(peer =>
                new TunnelPlan(peer.UnderlayIpv4, domain.Network.Number, peer.Reason)))
            .Concat(passages.SelectMany(passage => passage.Network.Peers.Where(Clear).Select(peer =>
                new TunnelPlan(peer.UnderlayIpv4, passage.Network.Number, peer.Reason))));
        return new UnderlayPlan(host.UnderlayIpv4, InOrder(tunnels));
    }

    /// <summary>The order that a plan has.</summary>
    public static ImmutableArray<TunnelPlan> InOrder(IEnumerable<TunnelPlan> tunnels) =>
    [
        .. tunnels.OrderBy(tunnel => tunnel.Number).ThenBy(tunnel => tunnel.PeerIpv4, StringComparer.Ordinal),
    ];

    private static bool Clear(PeerPlan peer) => peer.Protection == LinkProtection.Clear;

    private static bool Clear(PassagePeer peer) => peer.Protection == LinkProtection.Clear;
}
