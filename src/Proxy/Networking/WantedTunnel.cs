using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Networking;

/// <summary>A tunnel as it must be: who is behind which address of another host, and nobody else.</summary>
/// <param name="Device">The VXLAN device.</param>
/// <param name="Number">Its network number.</param>
/// <param name="Local">The address it sends from and takes packets for.</param>
/// <param name="Namespace">The namespace through which alone its packets go; null for the host's own.</param>
/// <param name="Forwards">Behind which host's address each station is.</param>
public sealed record WantedTunnel(
    string Device, int Number, string Local, string? Namespace, ImmutableArray<(string Mac, string Peer)> Forwards)
{
    /// <summary>Whether a device is this tunnel, whatever it is plugged into.</summary>
    public bool Is(ObservedLink link)
    {
        ArgumentNullException.ThrowIfNull(link);
        return link.Vxlan is { Learning: false } vxlan && vxlan.Number == Number && vxlan.Local == Local
            && vxlan.UdpPort == SegmentCommands.VxlanPort && vxlan.Elsewhere == Namespace is not null;
    }

    /// <summary>All tunnels of one switch.</summary>
    /// <param name="network">The device in clear, the encrypted ones, and the network number.</param>
    /// <param name="localIpv4">This host's underlay address.</param>
    /// <param name="peers">Other hosts, how they are reached, and who is behind them.</param>
    /// <param name="standing">The encrypted tunnels that stand.</param>
    internal static ImmutableArray<WantedTunnel> All(
        (string? Vxlan, EncryptedTunnels? Encrypted, int Number) network, string localIpv4,
        IReadOnlyCollection<(HostRef Host, string Underlay, LinkProtection Protection, ImmutableArray<string> Macs)>
            peers,
        StandingTunnels standing)
    {
        var tunnels = ImmutableArray.CreateBuilder<WantedTunnel>();
        if (network.Vxlan is { } clear)
        {
            tunnels.Add(new WantedTunnel(clear, network.Number, localIpv4, null,
            [
                .. peers.Where(p => p.Protection == LinkProtection.Clear)
                    .SelectMany(p => p.Macs.Select(mac => (mac, p.Underlay))),
            ]));
        }

        EncryptedTunnel[] places = network.Encrypted is null ? [] : [.. network.Encrypted.Generations];
        foreach (int generation in standing.Generations.Where(number => number < places.Length))
        {
            EncryptedTunnel tunnel = places[generation];
            tunnels.Add(new WantedTunnel(tunnel.Vxlan, network.Number, tunnel.Address, tunnel.Namespace,
            [
                .. peers.Where(p => p.Protection == LinkProtection.Encrypted).SelectMany(p =>
                    standing.Ways.TryGetValue(p.Host, out TunnelWay? way) && way.Generation == generation
                        ? p.Macs.Select(mac => (mac, way.Address)) : []),
            ]));
        }

        return tunnels.ToImmutable();
    }
}

/// <summary>By which of the own key pairs a peer is sent to, and at which of its addresses.</summary>
/// <param name="Generation">Of the own pair.</param>
/// <param name="Address">The peer's <see cref="InnerAddress"/>.</param>
public sealed record TunnelWay(int Generation, string Address);

/// <summary>The encrypted tunnels of one switch that stand now, and who is reached by them.</summary>
/// <param name="Generations">The key pairs that stand.</param>
/// <param name="Ways">Peers whose key is known; nobody else is sent anything.</param>
public sealed record StandingTunnels(
    ImmutableArray<int> Generations, ImmutableDictionary<HostRef, TunnelWay> Ways)
{
    /// <summary>None, and nobody.</summary>
    public static StandingTunnels None { get; } = new([], ImmutableDictionary<HostRef, TunnelWay>.Empty);
}
