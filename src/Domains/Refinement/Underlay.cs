using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>The tunnel packets in clear that a host accepts: those of the peers that its plan names.</summary>
internal static class Underlay
{
    public static UnderlayPlan Of(HostModel host, IEnumerable<NetworkTunnels> networks) => new(
        host.UnderlayIpv4,
        [
            .. networks.Where(network => !network.Tunnels.IsEmpty).OrderBy(network => network.Number)
                .SelectMany(network => network.Tunnels),
        ]);

    /// <summary>The order that a plan has.</summary>
    public static ImmutableArray<TunnelPlan> InOrder(IEnumerable<TunnelPlan> tunnels)
    {
        // Each peer once for each number: no two are equal.
        var inOrder = ImmutableArray.CreateBuilder<TunnelPlan>();
        inOrder.AddRange(tunnels);
        inOrder.Sort((one, other) => one.Number != other.Number
            ? one.Number.CompareTo(other.Number) : string.CompareOrdinal(one.PeerIpv4, other.PeerIpv4));
        return inOrder.DrainToImmutable();
    }
}

/// <summary>The tunnel packets in clear of one network, of which no other has the number.</summary>
internal sealed record NetworkTunnels(int Number, ImmutableArray<TunnelPlan> Tunnels)
{
    public static NetworkTunnels Of(NetworkPlan network) => new(network.Number, Underlay.InOrder(network.Peers
        .Where(peer => peer.Protection == LinkProtection.Clear)
        .Select(peer => new TunnelPlan(peer.UnderlayIpv4, network.Number, peer.Reason))));

    public static NetworkTunnels Of(PassageNetwork network) => new(network.Number, Underlay.InOrder(network.Peers
        .Where(peer => peer.Protection == LinkProtection.Clear)
        .Select(peer => new TunnelPlan(peer.UnderlayIpv4, network.Number, peer.Reason))));
}
