using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// One virtual switch as it must be in the kernel: a domain's or a passage's bridge, its tunnels, the ports that may be
/// plugged into it, and where the tunnels find whom. Compared with what is observed.
/// </summary>
/// <param name="Bridge">The bridge.</param>
/// <param name="Mtu">Of the bridge and its ports.</param>
/// <param name="Tunnels">The VXLAN devices: in clear, or inside the WireGuard of a namespace.</param>
/// <param name="Pairs">Host ends of pairs into gateways, which must be ports of the bridge.</param>
/// <param name="Taps">Machines' ports, which may be absent but nowhere else.</param>
public sealed record WantedSegment(
    string Bridge, int Mtu, ImmutableArray<WantedTunnel> Tunnels, ImmutableArray<string> Pairs,
    ImmutableArray<string> Taps)
{
    /// <summary>All ports the switch may have, each with the group it is in while it is live.</summary>
    public ImmutableSortedDictionary<string, int> Groups { get; private init; } =
        ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>The port into a VLAN; null when no host is reached by one.</summary>
    public WantedVlan? Vlan { get; init; }

    /// <summary>All ports by which other hosts are reached.</summary>
    public ImmutableArray<string> Uplinks =>
        [.. Tunnels.Select(t => t.Device), .. Vlan is { } vlan ? new[] { vlan.Device } : []];

    /// <summary>The MAC address whose entries say where frames for everybody go (vxlan(4), bridge(8)).</summary>
    public const string Everybody = "00:00:00:00:00:00";

    /// <summary>A domain's switch.</summary>
    public static WantedSegment Of(DomainPlan domain, UnderlayPlan underlay, StandingTunnels standing)
    {
        NetworkPlan network = domain.Network;
        (HostRef, string, LinkProtection, ImmutableArray<string>)[] peers =
        [
            // Frames for everybody go to each host once.
            .. network.Peers.Select(p => (p.Host, p.UnderlayIpv4, p.Protection,
                (ImmutableArray<string>)[.. p.Members.Select(m => m.Mac), Everybody])),
        ];
        return new WantedSegment(
            network.Bridge, network.Mtu,
            WantedTunnel.All((network.Vxlan, network.Encrypted, network.Number), underlay.LocalIpv4, peers, standing),
            [
                .. domain.Gateway is { } gateway ? new[] { gateway.BridgePort } : [],
                .. domain.ServicePoint is { } point ? new[] { point.BridgePort } : [],
            ],
            [.. network.Ports.Select(p => p.Device)])
        {
            Vlan = network.Vlan is { } vlan
                ? new WantedVlan(vlan.Device, vlan.Number,
                [
                    .. network.Peers.Where(p => p.Protection == LinkProtection.Vlan)
                        .SelectMany(p => p.Members.Select(m => m.Mac)),
                ])
                : null,
        }.In(PortGroups.Of(domain));
    }

    /// <summary>A passage's switch: nothing in it is for everybody.</summary>
    public static WantedSegment Of(PassagePlan passage, UnderlayPlan underlay, StandingTunnels standing)
    {
        PassageNetwork network = passage.Network;
        (HostRef, string, LinkProtection, ImmutableArray<string>)[] peers =
        [
            .. network.Peers.Select(p => (p.Host, p.UnderlayIpv4, p.Protection,
                (ImmutableArray<string>)[.. p.Legs.Select(l => l.Mac)])),
        ];
        return new WantedSegment(
            network.Bridge, network.Mtu,
            WantedTunnel.All((network.Vxlan, network.Encrypted, network.Number), underlay.LocalIpv4, peers, standing),
            [.. passage.Ports.Select(p => p.Device)], []).In(PortGroups.Of(passage));
    }

    /// <summary>A pair of keys that is not used yet has a tunnel in the plan, and none here.</summary>
    private WantedSegment In(ImmutableSortedDictionary<string, int> groups)
    {
        HashSet<string> ports = new((string[])[.. Taps, .. Pairs, .. Uplinks], StringComparer.Ordinal);
        return this with { Groups = groups.RemoveRange(groups.Keys.Where(port => !ports.Contains(port))) };
    }

    /// <summary>All that differs from the plan; taps that are absent do not count.</summary>
    public ImmutableArray<SegmentFault> Faults(ObservedNetwork seen)
    {
        ImmutableArray<SegmentFault>.Builder faults = ImmutableArray.CreateBuilder<SegmentFault>();
        if (!seen.Links.TryGetValue(Bridge, out ObservedLink? bridge))
        {
            return [new(SegmentFaultKind.BridgeMissing, Bridge, "the bridge does not exist")];
        }

        if (bridge.Kind != "bridge" || !bridge.IsDeaf || !bridge.Up || bridge.Mtu != Mtu || bridge.Master is not null)
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
            if (!Uplinks.Contains(port.Name) && !Pairs.Contains(port.Name) && !Taps.Contains(port.Name))
            {
                faults.Add(new(SegmentFaultKind.ForeignPort, port.Name, $"it is plugged into {Bridge}"));
            }
        }

        return faults.ToImmutable();
    }

    /// <summary>The commands that bring the tunnels' forwarding entries from what is seen to the plan.</summary>
    public ImmutableArray<string[]> ForwardRepairs(ObservedNetwork seen)
    {
        HashSet<(string Device, string Mac, string Peer)> behind =
        [
            .. seen.Forwards.Where(f => f.Destination is not null && Tunnels.Any(t => t.Device == f.Device))
                .Select(f => (f.Device, f.Mac, f.Destination ?? "")),
        ];
        (string Device, string Mac, string Peer)[] wanted =
            [.. Tunnels.SelectMany(t => t.Forwards.Select(f => (t.Device, f.Mac, f.Peer)))];
        // An address is behind one port of a bridge: writing it down behind another strikes the first out.
        Dictionary<string, string> stations = new(StringComparer.Ordinal);
        foreach (ObservedForward seat in seen.Forwards.Where(f =>
            f.Master is not null && f.State == "static" && Uplinks.Contains(f.Device)))
        {
            // The device's own address is there by itself, as a permanent entry.
            stations[seat.Mac] = seat.Device;
        }

        Dictionary<string, string> seats = new(StringComparer.Ordinal);
        foreach ((string device, string mac, _) in wanted.Where(f => f.Mac != Everybody))
        {
            seats[mac] = device;
        }

        foreach (string mac in Vlan?.Macs ?? [])
        {
            seats[mac] = Vlan?.Device ?? "";
        }

        HashSet<(string, string)> replaced = [.. wanted.Where(f => f.Mac != Everybody).Select(f => (f.Device, f.Mac))];
        // What is added comes first: while a peer changes over it is reached by one of two ways at each moment.
        return
        [
            .. wanted.Where(f => !behind.Contains(f))
                .Select(f => SegmentCommands.AddForward(f.Device, f.Mac, f.Peer)),
            .. seats.Where(s => stations.GetValueOrDefault(s.Key) != s.Value).OrderBy(s => s.Key)
                .Select(s => SegmentCommands.AddStation(s.Value, s.Key)),
            // What was written down anew in the same table has taken the place of what was there.
            .. behind.Except(wanted).Order()
                .Where(f => !replaced.Contains((f.Device, f.Mac)))
                .Select(f => SegmentCommands.RemoveForward(f.Device, f.Mac, f.Peer)),
            .. stations.Where(s => !seats.ContainsKey(s.Key)).OrderBy(s => s.Key)
                .Select(s => SegmentCommands.RemoveStation(s.Value, s.Key)),
        ];
    }

    private void TunnelFaults(ObservedNetwork seen, ImmutableArray<SegmentFault>.Builder faults)
    {
        foreach (WantedTunnel tunnel in Tunnels)
        {
            UplinkFaults(seen, tunnel.Device, tunnel.Is, faults);
        }

        if (Vlan is { } vlan)
        {
            UplinkFaults(seen, vlan.Device, vlan.Is, faults);
        }

        // Entries cannot be read of a tunnel that is to be made anew.
        if (faults.Count == 0 && ForwardRepairs(seen) is { IsEmpty: false } repairs)
        {
            faults.Add(new(
                SegmentFaultKind.ForwardsWrong, Uplinks[0],
                $"{repairs.Length} entries of its tunnels' forwarding tables are not as planned"));
        }
    }

    private void UplinkFaults(
        ObservedNetwork seen, string device, Func<ObservedLink, bool> isPlanned,
        ImmutableArray<SegmentFault>.Builder faults)
    {
        if (!seen.Links.TryGetValue(device, out ObservedLink? link))
        {
            faults.Add(new(SegmentFaultKind.TunnelMissing, device, "the tunnel does not exist"));
        }
        else if (!isPlanned(link))
        {
            faults.Add(new(SegmentFaultKind.TunnelWrong, device, "the tunnel is another one than planned"));
        }
        else if (!link.Up || link.Master != Bridge || link.Mtu != Mtu
            || link.Port is not { Learning: false, Isolated: true })
        {
            faults.Add(new(SegmentFaultKind.TunnelUnplugged, device, $"the tunnel is not rightly in {Bridge}"));
        }
    }
}

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
