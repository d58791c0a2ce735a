using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The table of a passage's bridge: frames between the legs of the two domains' gateways. Neighbours are programmed,
/// so neither ARP nor neighbour discovery has any business here.
/// </summary>
internal static class PassageTable
{
    public static string Text(PassagePlan plan)
    {
        var network = plan.Network;
        var text = NftText.Replacing("bridge", network.Table);
        text.Counters("spoofed", "unknown_protocol", "strange_port", "host");
        var group = PortGroups.Of(PortKind.Passage, network.Number);
        text.Set("map", "legs", "type ifname . ether_addr . ether_addr : verdict", Legs(plan));
        text.Chain("prerouting",
            "type filter hook prerouting priority -300; policy accept;",
            $"iifgroup {group} goto leg");
        text.Chain("leg",
            "ether type vmap { ip : goto ways, ip6 : goto ways }",
            "counter name unknown_protocol drop");
        text.Chain("ways",
            "iifname . ether saddr . ether daddr vmap @legs",
            "counter name spoofed drop");
        text.Chain("forward",
            "type filter hook forward priority -200; policy accept;",
            $"iifgroup {group} oifgroup {group} accept",
            $"iifgroup {group} counter name strange_port drop",
            $"oifgroup {group} counter name strange_port drop");
        text.Chain("input",
            "type filter hook input priority -200; policy accept;",
            $"iifgroup {group} counter name host drop");
        text.Chain("output",
            "type filter hook output priority -200; policy accept;",
            $"oifgroup {group} counter name host drop");
        text.Close();
        return text.ToString();
    }

    /// <summary>
    /// From each leg to each leg of the other domain, wherever it is; the tunnel brings frames only to legs here.
    /// </summary>
    private static IEnumerable<string> Legs(PassagePlan plan)
    {
        var far = plan.Network.Peers.SelectMany(peer => peer.Legs.Select(leg =>
            (Leg: leg, Ways: Tunnels.To(plan.Network, peer.Protection)))).ToList();
        foreach (var port in plan.Ports)
        {
            foreach (var leg in plan.Ports.Select(other => other.Leg).Concat(far.Select(one => one.Leg))
                .Where(leg => leg.Domain != port.Leg.Domain))
            {
                yield return $"\"{port.Device}\" . {port.Leg.Mac} . {leg.Mac} : accept";
            }

            foreach (var (leg, ways) in far.Where(one => one.Leg.Domain != port.Leg.Domain))
            {
                foreach (var tunnel in ways)
                {
                    yield return $"\"{tunnel}\" . {leg.Mac} . {port.Leg.Mac} : accept";
                }
            }
        }
    }
}
