using System.Globalization;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The host's guard. A port whose name starts with <c>bw</c> and that has no group (<see cref="PortGroups"/>) is dead:
/// no frame from it or to it passes, whatever other tables say. Frames to and from the host's own stack never pass,
/// neither by a bridge nor past one. Tunnel packets (RFC 7348: UDP port 4789, network number in the 24 bits at bit 96
/// of the UDP header) pass only between this host and the peers that the plan names, each for its networks.
/// </summary>
internal static class HostTables
{
    public static string Text(HostPlan plan) => GuardText() + UnderlayText(plan.Underlay);

    private static string GuardText()
    {
        var text = NftText.Replacing("bridge", "bw_guard");
        text.Counters("dead", "host");
        // The group is asked first: it is the cheaper question, and nearly always the last.
        text.Chain("prerouting",
            "type filter hook prerouting priority -310; policy accept;",
            $"iifgroup {PortGroups.Dead} iifname \"bw*\" counter name dead drop");
        text.Chain("postrouting",
            "type filter hook postrouting priority 310; policy accept;",
            $"oifgroup {PortGroups.Dead} oifname \"bw*\" counter name dead drop");
        text.Chain("input",
            "type filter hook input priority -210; policy accept;",
            "iifname \"bw*\" counter name host drop");
        text.Chain("output",
            "type filter hook output priority -210; policy accept;",
            "oifname \"bw*\" counter name host drop");
        text.Close();
        return text.ToString();
    }

    private static string UnderlayText(UnderlayPlan plan)
    {
        var text = NftText.Replacing("inet", "bw_underlay");
        text.Counters("strange_tunnel", "machine");
        text.Set("set", "tunnels", "typeof ip saddr . @th,96,24", plan.Tunnels.Select(tunnel =>
            string.Create(CultureInfo.InvariantCulture, $"{tunnel.PeerIpv4} . {tunnel.Number}")));
        // Whatever a machine's port or a tunnel brings is a bridge's business. Before all else: not even a fragment of
        // it is put together, and no connection of it is tracked.
        text.Chain("prerouting",
            "type filter hook prerouting priority -500; policy accept;",
            "iifname \"bw*\" counter name machine drop");
        var local = plan.LocalIpv4;
        text.Chain("input",
            "type filter hook input priority -10; policy accept;",
            local.Length == 0 ? "" : $"udp dport 4789 ip daddr {local} ip saddr . @th,96,24 @tunnels accept",
            "udp dport 4789 counter name strange_tunnel drop");
        text.Chain("output",
            "type filter hook output priority -10; policy accept;",
            local.Length == 0 ? "" : $"udp dport 4789 ip saddr {local} ip daddr . @th,96,24 @tunnels accept",
            "udp dport 4789 counter name strange_tunnel drop");
        text.Close();
        return text.ToString();
    }
}
