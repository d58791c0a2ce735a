using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// One virtual switch as it must be in the kernel: a domain's or a passage's bridge, its tunnel, the ports that may be
/// plugged into it, and where the tunnel finds whom. Compared with what is observed.
/// </summary>
/// <param name="Bridge">The bridge.</param>
/// <param name="Mtu">Of the bridge and its ports.</param>
/// <param name="Tunnel">The VXLAN device, or null.</param>
/// <param name="Pairs">Host ends of pairs into gateways, which must be ports of the bridge.</param>
/// <param name="Taps">Machines' ports, which may be absent but nowhere else.</param>
public sealed record WantedSegment(
    string Bridge, int Mtu, WantedTunnel? Tunnel, ImmutableArray<string> Pairs, ImmutableArray<string> Taps)
{
    /// <summary>The MAC address whose entries say where frames for everybody go (vxlan(4), bridge(8)).</summary>
    public const string Everybody = "00:00:00:00:00:00";

    /// <summary>A domain's switch.</summary>
    public static WantedSegment Of(DomainPlan domain, UnderlayPlan underlay)
    {
        NetworkPlan network = domain.Network;
        WantedTunnel? tunnel = network.Vxlan is null ? null : new WantedTunnel(
            network.Vxlan, network.Number, underlay.LocalIpv4,
            [
                .. network.Peers.SelectMany(p => p.Members.Select(m => (m.Mac, p.UnderlayIpv4))),
                .. network.Peers.Select(p => (Everybody, p.UnderlayIpv4)),
            ]);
        return new WantedSegment(
            network.Bridge, network.Mtu, tunnel, domain.Gateway is { } gateway ? [gateway.BridgePort] : [],
            [.. network.Ports.Select(p => p.Device)]);
    }

    /// <summary>A passage's switch.</summary>
    public static WantedSegment Of(PassagePlan passage, UnderlayPlan underlay)
    {
        PassageNetwork network = passage.Network;
        WantedTunnel? tunnel = network.Vxlan is null ? null : new WantedTunnel(
            network.Vxlan, network.Number, underlay.LocalIpv4,
            [.. network.Peers.SelectMany(p => p.Legs.Select(l => (l.Mac, p.UnderlayIpv4)))]);
        return new WantedSegment(
            network.Bridge, network.Mtu, tunnel, [.. passage.Ports.Select(p => p.Device)], []);
    }

    /// <summary>All that differs from the plan; taps that are absent do not count.</summary>
    public ImmutableArray<SegmentFault> Faults(ObservedNetwork seen)
    {
        ImmutableArray<SegmentFault>.Builder faults = ImmutableArray.CreateBuilder<SegmentFault>();
        if (!seen.Links.TryGetValue(Bridge, out ObservedLink? bridge))
        {
            return [new(SegmentFaultKind.BridgeMissing, Bridge, "the bridge does not exist")];
        }

        if (bridge.Kind != "bridge" || !bridge.Up || bridge.Mtu != Mtu || bridge.Master is not null)
        {
            faults.Add(new(SegmentFaultKind.BridgeWrong, Bridge, "the bridge is not as planned"));
        }

        TunnelFaults(seen, faults);
        foreach (string pair in Pairs)
        {
            if (!seen.Links.TryGetValue(pair, out ObservedLink? port) || port.Master != Bridge || !port.Up)
            {
                faults.Add(new(SegmentFaultKind.PairMissing, pair, $"it is not a port of {Bridge}"));
            }
        }

        foreach (string tap in Taps)
        {
            if (seen.Links.TryGetValue(tap, out ObservedLink? port) && port.Master != Bridge)
            {
                faults.Add(new(SegmentFaultKind.TapElsewhere, tap, $"it is on {port.Master ?? "no bridge"}"));
            }
        }

        foreach (ObservedLink port in seen.Links.Values.Where(l => l.Master == Bridge))
        {
            if (port.Name != Tunnel?.Device && !Pairs.Contains(port.Name) && !Taps.Contains(port.Name))
            {
                faults.Add(new(SegmentFaultKind.ForeignPort, port.Name, $"it is plugged into {Bridge}"));
            }
        }

        return faults.ToImmutable();
    }

    /// <summary>The commands that bring the tunnel's forwarding entries from what is seen to the plan.</summary>
    public ImmutableArray<string[]> ForwardRepairs(ObservedNetwork seen)
    {
        if (Tunnel is null)
        {
            return [];
        }

        HashSet<(string Mac, string Peer)> behind =
        [
            .. seen.Forwards.Where(f => f.Device == Tunnel.Device && f.Destination is not null)
                .Select(f => (f.Mac, f.Destination ?? "")),
        ];
        HashSet<string> stations =
        [
            // The device's own address is there by itself, as a permanent entry.
            .. seen.Forwards.Where(f => f.Device == Tunnel.Device && f.Master is not null && f.State == "static")
                .Select(f => f.Mac),
        ];
        HashSet<string> wanted = [.. Tunnel.Forwards.Select(f => f.Mac).Where(m => m != Everybody)];
        return
        [
            .. behind.Except(Tunnel.Forwards).Order()
                .Select(f => SegmentCommands.RemoveForward(Tunnel.Device, f.Mac, f.Peer)),
            .. stations.Except(wanted).Order().Select(m => SegmentCommands.RemoveStation(Tunnel.Device, m)),
            .. Tunnel.Forwards.Where(f => !behind.Contains(f))
                .Select(f => SegmentCommands.AddForward(Tunnel.Device, f.Mac, f.Peer)),
            .. wanted.Except(stations).Order().Select(m => SegmentCommands.AddStation(Tunnel.Device, m)),
        ];
    }

    private void TunnelFaults(ObservedNetwork seen, ImmutableArray<SegmentFault>.Builder faults)
    {
        if (Tunnel is null)
        {
            return;
        }

        if (!seen.Links.TryGetValue(Tunnel.Device, out ObservedLink? link))
        {
            faults.Add(new(SegmentFaultKind.TunnelMissing, Tunnel.Device, "the tunnel does not exist"));
            return;
        }

        if (link.Vxlan is not { Learning: false } vxlan || vxlan.Number != Tunnel.Number || vxlan.Local != Tunnel.Local
            || vxlan.UdpPort != SegmentCommands.VxlanPort)
        {
            faults.Add(new(SegmentFaultKind.TunnelWrong, Tunnel.Device, "the tunnel is another one than planned"));
            return;
        }

        if (!link.Up || link.Master != Bridge || link.Mtu != Mtu || link.Port is not { Learning: false })
        {
            faults.Add(new(SegmentFaultKind.TunnelUnplugged, Tunnel.Device, $"the tunnel is not rightly in {Bridge}"));
            return;
        }

        ImmutableArray<string[]> repairs = ForwardRepairs(seen);
        if (!repairs.IsEmpty)
        {
            faults.Add(new(
                SegmentFaultKind.ForwardsWrong, Tunnel.Device,
                $"{repairs.Length} entries of its forwarding table are not as planned"));
        }
    }
}

/// <summary>A tunnel as it must be: who is behind which underlay address, and nobody else.</summary>
public sealed record WantedTunnel(
    string Device, int Number, string Local, ImmutableArray<(string Mac, string Peer)> Forwards);

/// <summary>What was observed of the host's network at one time.</summary>
public sealed record ObservedNetwork(
    ImmutableSortedDictionary<string, ObservedLink> Links, ImmutableArray<ObservedForward> Forwards);

/// <summary>Kinds of difference between a segment and its plan.</summary>
public enum SegmentFaultKind
{
    /// <summary>There is no bridge.</summary>
    BridgeMissing = 1,
    /// <summary>The bridge has other settings.</summary>
    BridgeWrong,
    /// <summary>There is no tunnel.</summary>
    TunnelMissing,
    /// <summary>The tunnel has other settings.</summary>
    TunnelWrong,
    /// <summary>The tunnel is the right one and not in its bridge, not up, or learns.</summary>
    TunnelUnplugged,
    /// <summary>The tunnel's forwarding table has other entries.</summary>
    ForwardsWrong,
    /// <summary>The pair into a gateway is missing or elsewhere.</summary>
    PairMissing,
    /// <summary>A machine's port is on another bridge.</summary>
    TapElsewhere,
    /// <summary>A port that the plan does not name is on the bridge.</summary>
    ForeignPort,
}

/// <summary>One difference.</summary>
/// <param name="Kind">What kind.</param>
/// <param name="Device">The device.</param>
/// <param name="Sentence">What is wrong with it.</param>
public sealed record SegmentFault(SegmentFaultKind Kind, string Device, string Sentence);
