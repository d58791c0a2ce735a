using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The table of a gateway. Every packet is looked up, not only a connection's first: connection tracking says which
/// client, server and port the connection was opened with, and the sets say whether that is still a flow. A flow taken
/// out of the sets ends its connections with the next packet, and a server cannot open a connection to a client.
/// </summary>
/// <remarks>
/// Of ICMP errors pass those about a connection of a flow that is still open, from one of its ends to the other, and
/// nobody's in between: destination unreachable and packet too big (RFC 1191, RFC 8201). A domain's own gateway tells
/// its machines what a passage takes, which may be less than their ports do, and clamps what TCP's ends say of it.
/// </remarks>
internal static class GatewayTable
{
    private const string Original4 = "ct original ip saddr . ct original ip daddr";
    private const string Original6 = "ct original ip6 saddr . ct original ip6 daddr";

    public static string Text(GatewayPlan plan)
    {
        var text = NftText.Replacing("inet", "bw_gateway");
        text.Counters("invalid", "strange_path", "closed", "host");
        foreach (var (family, type, isIpv6) in new[] { ("4", "ipv4_addr", false), ("6", "ipv6_addr", true) })
        {
            Sets(text, [.. plan.Flows.Where(flow => flow.IsIpv6 == isIpv6)], family, type);
            if (IsTranslating(plan))
            {
                text.Set("map", "inbound" + family, $"type ifname . {type} : {type}",
                    Known(plan, isIpv6, outward: false).Select(one => $"\"{one.Leg}\" . {one.Known} : {one.Own}"));
                text.Set("map", "outbound" + family, $"type ifname . {type} : {type}",
                    Known(plan, isIpv6, outward: true).Select(one => $"\"{one.Leg}\" . {one.Own} : {one.Known}"));
            }
        }

        Chains(text);
        if (IsTranslating(plan))
        {
            Translating(text);
        }

        text.Close();
        return text.ToString();
    }

    private static void Sets(NftText text, ImmutableArray<FlowPlan> flows, string family, string type)
    {
        var lines = flows.DistinctBy(flow => (flow.Outward, flow.Leg, flow.Own, flow.Others))
            .SelectMany(flow => flow.Lines()).ToList();
        text.Set("set", "paths" + family, $"type ifname . {type} . ifname . {type}", lines.SelectMany(Paths));
        text.Set("set", "tcp" + family, $"type {type} . {type} . inet_service",
            FlowLine.Of(flows.Where(flow => flow.Protocol == FlowProtocol.Tcp)).SelectMany(Ports), "interval");
        text.Set("set", "udp" + family, $"type {type} . {type} . inet_service",
            FlowLine.Of(flows.Where(flow => flow.Protocol == FlowProtocol.Udp)).SelectMany(Ports), "interval");
        text.Set("set", "echo" + family, $"type {type} . {type}",
            flows.Where(flow => flow.Protocol == FlowProtocol.Icmp).SelectMany(flow => flow.Lines())
                .Select(line => $"{line.From} . {line.Original}"));
        text.Set("set", "ends" + family, $"type {type} . {type} . {type} . {type}", lines.SelectMany(Ends));
    }

    /// <summary>The machines here that another domain knows by another address.</summary>
    private static IEnumerable<(string Leg, string Own, string? Known)> Known(
        GatewayPlan plan, bool isIpv6, bool outward) => plan.Flows
            .Where(flow => flow.IsIpv6 == isIpv6 && flow.Outward == outward)
            .SelectMany(flow => flow.Own, (flow, own) => (flow.Leg, own, Known: flow.KnownAs(own)))
            .Where(one => one.Known is not null);

    private static bool IsTranslating(GatewayPlan plan) => 
        plan.Flows.Any(flow => flow.Known is not null);

    /// <summary>
    /// Each gateway translates its own domain's addresses, at the leg: inside it is the machine's own, in the passage
    /// that by which the other domain knows it. Only the first packet of a connection is asked, and only in the
    /// direction of its flow; connection tracking does the rest, and what errors quote. The forward hook is between the
    /// two, and so sees a domain's own machines as they are.
    /// </summary>
    private static void Translating(NftText text)
    {
        text.Chain("arriving",
            "type nat hook prerouting priority -100; policy accept;",
            "dnat ip to iifname . ip daddr map @inbound4",
            "dnat ip6 to iifname . ip6 daddr map @inbound6");
        text.Chain("leaving",
            "type nat hook postrouting priority 100; policy accept;",
            "snat ip to oifname . ip saddr map @outbound4",
            "snat ip6 to oifname . ip6 saddr map @outbound6");
    }

    private static void Chains(NftText text)
    {
        text.Chain("forward",
            "type filter hook forward priority 0; policy drop;",
            "ct state { invalid, untracked } counter name invalid drop",
            "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
            "iifname . ip saddr . oifname . ip daddr @paths4 goto flows4",
            "iifname . ip6 saddr . oifname . ip6 daddr @paths6 goto flows6",
            "counter name strange_path drop");
        text.Chain("flows4",
            "icmp type destination-unreachable ct state related goto errors4",
            $"meta l4proto tcp {Original4} . ct original proto-dst @tcp4 accept",
            $"meta l4proto udp {Original4} . ct original proto-dst @udp4 accept",
            $"icmp type echo-request ct direction original {Original4} @echo4 accept",
            $"icmp type echo-reply ct direction reply {Original4} @echo4 accept",
            "counter name closed drop");
        text.Chain("flows6",
            "icmpv6 type { destination-unreachable, packet-too-big } ct state related goto errors6",
            $"meta l4proto tcp {Original6} . ct original proto-dst @tcp6 accept",
            $"meta l4proto udp {Original6} . ct original proto-dst @udp6 accept",
            $"icmpv6 type echo-request ct direction original {Original6} @echo6 accept",
            $"icmpv6 type echo-reply ct direction reply {Original6} @echo6 accept",
            "counter name closed drop");
        text.Chain("errors4",
            $"ip saddr . ip daddr . {Original4} != @ends4 counter name closed drop",
            $"meta nfproto ipv4 ct original protocol tcp {Original4} . ct original proto-dst @tcp4 accept",
            $"meta nfproto ipv4 ct original protocol udp {Original4} . ct original proto-dst @udp4 accept",
            $"ct original protocol icmp {Original4} @echo4 accept",
            "counter name closed drop");
        text.Chain("errors6",
            $"ip6 saddr . ip6 daddr . {Original6} != @ends6 counter name closed drop",
            $"meta nfproto ipv6 ct original protocol tcp {Original6} . ct original proto-dst @tcp6 accept",
            $"meta nfproto ipv6 ct original protocol udp {Original6} . ct original proto-dst @udp6 accept",
            $"ct original protocol icmpv6 {Original6} @echo6 accept",
            "counter name closed drop");
        text.Chain("input",
            "type filter hook input priority 0; policy drop;",
            $"iifname \"{GatewayPlan.Inside}\" icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 accept",
            "counter name host drop");
        text.Chain("output",
            "type filter hook output priority 0; policy drop;",
            $"oifname \"{GatewayPlan.Inside}\" icmpv6 type {{ nd-neighbor-advert, packet-too-big }} accept",
            $"oifname \"{GatewayPlan.Inside}\" icmp type destination-unreachable icmp code frag-needed accept",
            "counter name host drop");
    }

    /// <summary>
    /// The two ways of a flow: a leg brings only sources, and takes only destinations, that the flow names.
    /// </summary>
    private static IEnumerable<string> Paths(FlowLine line)
    {
        yield return $"\"{GatewayPlan.Inside}\" . {line.Own} . \"{line.Leg}\" . {line.Other}";
        yield return $"\"{line.Leg}\" . {line.Other} . \"{GatewayPlan.Inside}\" . {line.Own}";
    }

    /// <summary>Who may tell whom of a fault of a connection: its ends each other.</summary>
    private static IEnumerable<string> Ends(FlowLine line)
    {
        yield return $"{line.From} . {line.To} . {line.From} . {line.Original}";
        yield return $"{line.To} . {line.From} . {line.From} . {line.Original}";
    }

    private static IEnumerable<string> Ports(FlowLine line) => line.Ports.Select(range =>
        $"{line.From} . {line.Original} . " + (range.First == range.Last
            ? string.Create(CultureInfo.InvariantCulture, $"{range.First}")
            : string.Create(CultureInfo.InvariantCulture, $"{range.First}-{range.Last}")));
}
