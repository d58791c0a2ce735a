using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>The tunnel packets a host accepts: those of the peers that its networks and passages name.</summary>
internal static class Underlay
{
    public static UnderlayPlan Of(
        HostModel host, ImmutableArray<DomainPlan> domains, ImmutableArray<PassagePlan> passages)
    {
        var tunnels = domains
            .SelectMany(domain => domain.Network.Peers.Select(peer =>
                new TunnelPlan(peer.UnderlayIpv4, domain.Network.Number, peer.Reason)))
            .Concat(passages.SelectMany(passage => passage.Network.Peers.Select(peer =>
                new TunnelPlan(peer.UnderlayIpv4, passage.Network.Number, passage.Reason))))
            .OrderBy(tunnel => tunnel.Number)
            .ThenBy(tunnel => tunnel.PeerIpv4, StringComparer.Ordinal);
        return new UnderlayPlan(host.UnderlayIpv4, [.. tunnels]);
    }
}
