using System.Diagnostics;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The table of a domain's bridge. Hook prerouting asks who sends (before the bridge learns a source address), hook
/// forward asks where to. Rules accept what matches and drop the rest: a match on a header that is too short fails,
/// and so drops.
/// </summary>
/// <remarks>
/// Neighbour discovery is accepted only in the exact shape of RFC 4861, sections 4.3 and 4.4: no extension header, hop
/// limit 255, at most one option, which is the sender's own link-layer address. Offsets count bits from the ICMPv6
/// header: target address at 64, option type and length at 192, option's address at 208; from the IPv6 header: source
/// at 64; from the Ethernet header: source at 48. An address has one MAC within a domain, so two addresses that both
/// stand beside it in a set are the same, and one set serves all questions about a family.
///
/// TCP comes first, which is most of what passes: nothing else that is asked about a frame is about TCP. A sender's
/// address alone decides whether it comes in, and its place alone whether it leaves.
/// </remarks>
internal static class DomainTable
{
    private const string Target = "@th,64,128";
    private const string Option = "@th,192,16";
    private const string OptionAddress = "@th,208,48";
    private const string Sender = "@ll,48,48";
    private const string Source6 = "@nh,64,128";

    internal const string IsSource4 = "iifname . ether saddr . ip saddr @sources4";
    internal const string IsSource6 = $"iifname . {Sender} . {Source6} @sources6";
    private const string IsTarget = $"iifname . {Sender} . {Target} @sources6";
    private const string Plain = "ip6 nexthdr icmpv6 ip6 hoplimit 255 ip6 length";

    // A fragment that carries another header than a transport's can put what follows out of every filter's sight, into
    // the next fragment (RFC 7112): hop-by-hop, routing, fragment, authentication, destination, mobility, HIP, shim6.
    private const string Hiding = "{ 0, 43, 44, 51, 60, 135, 139, 140 }";

    // A frame for one station leaves by the port where the plan has it, or nowhere: a bridge that does not know an
    // address, or has forgotten it, would send the frame to everybody.
    private const string Astray = "ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 "
        + "oifname . ether daddr != @places counter name astray drop";

    /// <summary>
    /// Whether what is said in both tables about a member that both have follows from that member and its place alone,
    /// so that it is the same in both.
    /// </summary>
    public static bool SayTheSameOfAMember(DomainPlan plan, DomainPlan other) =>
        plan.AddressServer == other.AddressServer && plan.NamesAddressServer == other.NamesAddressServer
        && plan.ServicePoint?.GivesAddresses == other.ServicePoint?.GivesAddresses;

    public static string Text(DomainPlan plan)
    {
        var network = plan.Network;
        var text = NftText.Replacing("bridge", network.Table);
        text.Counters("spoofed", "rogue", "unknown_protocol", "probes", "closed", "astray", "strange_port", "host");
        var members = Members(network);
        Sources(text, network, members);
        var services = new ServiceRules(plan);
        services.Sets(text, members);
        if (plan.Gateway is { } gateway)
        {
            GatewaySets(text, gateway);
        }

        SenderChains(text, plan, services);
        Neighbours(text);
        Ways(text, plan, services);
        services.Chains(text);
        text.Close();
        return text.ToString();
    }

    /// <summary>Behind which port each member is: a machine behind its own, the peers' behind the tunnel.</summary>
    private static List<(string Device, MemberPlan Member)> Members(NetworkPlan network)
    {
        var members = network.Ports.Select(port => (port.Device, port.Member)).ToList();
        // A peer's frames come by the way its link demands, and by no other.
        members.AddRange(network.Peers.SelectMany(peer => Tunnels.To(network, peer.Protection).SelectMany(
            tunnel => peer.Members.Select(member => (tunnel, member)))));
        // In the order of the elements that are made of them, so that these need not be put in order.
        members.Sort((a, b) => string.CompareOrdinal(a.Device, b.Device) is var order and not 0
            ? order : string.CompareOrdinal(a.Member.Mac, b.Member.Mac));
        return members;
    }

    /// <summary>Which addresses are behind which port, to send from and to be reached by.</summary>
    private static void Sources(
        NftText text, NetworkPlan network, List<(string Device, MemberPlan Member)> members)
    {
        text.Set("set", "here", "type ifname . ether_addr",
            network.Ports.Select(port => $"{Quoted(port.Device)} . {port.Member.Mac}"));
        text.Set("set", "places", "type ifname . ether_addr",
            members.Select(port => $"{Quoted(port.Device)} . {port.Member.Mac}"));
        text.Set("set", "sources4", "type ifname . ether_addr . ipv4_addr",
            members.Where(port => port.Member.Ipv4 is not null)
                .Select(port => $"{Quoted(port.Device)} . {port.Member.Mac} . {port.Member.Ipv4}"));
        text.Set("set", "sources6", $"typeof iifname . {Sender} . {Source6}",
            members.Where(port => port.Member.Ipv6 is not null).SelectMany(Sources6));
    }

    private static IEnumerable<string> Sources6((string Device, MemberPlan Member) port)
    {
        var before = $"{Quoted(port.Device)} . {Raw.Mac(port.Member.Mac)} . ";
        var (own, local) = (port.Member.Ipv6 is { } address ? Raw.Ipv6(address) : "", Raw.LinkLocal(port.Member.Mac));
        var isFirst = string.CompareOrdinal(own, local) < 0;
        yield return before + (isFirst ? own : local);
        yield return before + (isFirst ? local : own);
    }

    private static void GatewaySets(NftText text, GatewayPlan gateway)
    {
        var addresses = gateway.Addresses.Select(address => address.Split('/')[0]).ToList();
        text.Set("set", "gateway4", "type ipv4_addr", addresses.Where(Raw.IsIpv4));
        text.Set("set", "gateway6", "type ipv6_addr", addresses.Where(Raw.IsIpv6));
        text.Set("set", "gateway_targets", $"typeof {Target}", addresses.Where(Raw.IsIpv6).Select(Raw.Ipv6));
        text.Set("set", "outward4", "type ipv4_addr . ipv4_addr", Pairs(gateway, isIpv6: false, outward: true));
        text.Set("set", "outward6", "type ipv6_addr . ipv6_addr", Pairs(gateway, isIpv6: true, outward: true));
        text.Set("set", "inward4", "type ipv4_addr . ipv4_addr", Pairs(gateway, isIpv6: false, outward: false));
        text.Set("set", "inward6", "type ipv6_addr . ipv6_addr", Pairs(gateway, isIpv6: true, outward: false));
    }

    private static IEnumerable<string> Pairs(GatewayPlan gateway, bool isIpv6, bool outward) =>
        from flow in gateway.Flows.Where(flow => flow.IsIpv6 == isIpv6).DistinctBy(flow => (flow.Own, flow.Others))
        from own in flow.Own
        from other in flow.Others
        select outward ? $"{own} . {other}" : $"{other} . {own}";

    private static void SenderChains(NftText text, DomainPlan plan, ServiceRules services)
    {
        text.Chain("prerouting",
        [
            "type filter hook prerouting priority -300; policy accept;",
            .. Kinds(plan).Select(kind => $"{From(plan, kind)} goto {Judge(kind)}"),
        ]);
        // The type is asked in the frame: by itself nft would ask the kernel's word, which is that of what is in a tag.
        text.Chain("member",
            $"ether type ip ip protocol tcp {IsSource4} accept",
            $"ether type ip6 ip6 nexthdr tcp {IsSource6} accept",
            "ether type vmap { ip : goto member4, arp : goto member_arp, ip6 : goto member6 }",
            "counter name unknown_protocol drop");
        text.Chain("member4",
            "icmp type { redirect, router-advertisement } counter name rogue drop",
            $"udp sport 67{services.ButServer} counter name rogue drop",
            $"udp dport 68{services.ButServer} counter name rogue drop",
            services.DhcpClients,
            $"{IsSource4} accept",
            "counter name spoofed drop");
        text.Chain("member_arp",
            "arp htype 1 arp ptype ip arp hlen 6 arp plen 4 arp operation { request, reply } "
            + "iifname . ether saddr . arp saddr ip @sources4 "
            + "iifname . arp saddr ether . arp saddr ip @sources4 accept",
            "counter name spoofed drop");
        text.Chain("member6",
            $"frag nexthdr {Hiding} counter name rogue drop",
            "icmpv6 type vmap { nd-neighbor-solicit : goto solicit, nd-neighbor-advert : goto advert, "
            + $"nd-router-solicit : goto {services.RouterSolicit}, nd-router-advert : goto {services.RouterAdvert}, "
            + "nd-redirect : goto rogue_drop, "
            + "ind-neighbor-solicit : goto rogue_drop, ind-neighbor-advert : goto rogue_drop, "
            + "router-renumbering : goto rogue_drop }",
            $"udp sport 547{services.ButServer} counter name rogue drop",
            $"udp dport 546{services.ButServer} counter name rogue drop",
            services.Dhcp6Clients,
            $"{IsSource6} accept",
            "counter name spoofed drop");
        text.Chain("rogue_drop", "counter name rogue drop");
        if (plan.Gateway is { } gateway)
        {
            text.Chain("gateway",
                $"ether saddr {gateway.Mac} ether type {{ ip, arp, ip6 }} accept",
                "counter name spoofed drop");
        }
    }

    private static void Neighbours(NftText text)
    {
        text.Chain("solicit",
            "ip6 saddr :: counter name probes drop",
            $"{Plain} 24 {IsSource6} accept",
            $"{Plain} 32 {IsOption("0x0101")} {IsSource6} accept",
            "counter name spoofed drop");
        text.Chain("advert",
            $"{Plain} 24 {IsTarget} {IsSource6} accept",
            $"{Plain} 32 {IsOption("0x0201")} {IsTarget} {IsSource6} accept",
            "counter name spoofed drop");
    }

    /// <summary>
    /// Where frames may go: the gateway speaks only with machines of this host, never across the tunnel.
    /// </summary>
    private static void Ways(NftText text, DomainPlan plan, ServiceRules services)
    {
        var gateway = plan.Gateway;
        var hasTunnels = !Tunnels.Of(plan.Network).IsEmpty;
        text.Chain("forward",
        [
            "type filter hook forward priority -200; policy accept;",
            .. Kinds(plan).Select(kind => $"{From(plan, kind)} goto {Way(kind)}"),
            $"{PortGroups.AnyOf("oifgroup", plan.Network.Number)} counter name strange_port drop",
        ]);
        text.Chain("input",
            "type filter hook input priority -200; policy accept;",
            $"{PortGroups.AnyOf("iifgroup", plan.Network.Number)} counter name host drop");
        text.Chain("output",
            "type filter hook output priority -200; policy accept;",
            $"{PortGroups.AnyOf("oifgroup", plan.Network.Number)} counter name host drop");
        text.Chain("from_machine",
            "meta l4proto tcp oifname . ether daddr @places accept",
            gateway is null ? "" : $"{To(plan, PortKind.Gateway)} goto to_gateway",
            gateway is null ? "" : $"ether daddr {gateway.Mac} counter name closed drop",
            services.ToService, services.Elsewhere,
            Astray,
            $"{To(plan, PortKind.Machine)} accept",
            hasTunnels ? $"{To(plan, PortKind.Tunnel)} goto to_tunnel" : "",
            "counter name strange_port drop");
        if (hasTunnels)
        {
            text.Chain("from_tunnel",
                "oifname . ether daddr @here accept",
                Astray,
                $"{To(plan, PortKind.Machine)} accept",
                "counter name closed drop");
            text.Chain("to_tunnel",
                gateway is null ? "" : "arp daddr ip @gateway4 counter name closed drop",
                gateway is null ? ""
                    : $"icmpv6 type nd-neighbor-solicit {Target} @gateway_targets counter name closed drop",
                services.AskedFar4, services.AskedFar6,
                "accept");
        }

        if (gateway is not null)
        {
            text.Chain("to_gateway",
                "arp operation request arp daddr ip @gateway4 accept",
                $"icmpv6 type nd-neighbor-solicit {Target} @gateway_targets accept",
                $"ether daddr {gateway.Mac} ip saddr . ip daddr @outward4 accept",
                $"ether daddr {gateway.Mac} ip6 saddr . ip6 daddr @outward6 accept",
                "counter name closed drop");
            text.Chain("from_gateway",
                $"{ButTo(plan, PortKind.Machine)} counter name closed drop",
                Astray,
                $"arp operation reply arp saddr ether {gateway.Mac} arp saddr ip @gateway4 accept",
                "ip6 nexthdr icmpv6 ip6 hoplimit 255 ip6 saddr @gateway6 "
                + $"icmpv6 type nd-neighbor-advert {Target} @gateway_targets accept",
                "ip saddr @gateway4 icmp type destination-unreachable icmp code frag-needed accept",
                "ip6 saddr @gateway6 icmpv6 type packet-too-big accept",
                "ip saddr . ip daddr @inward4 accept",
                "ip6 saddr . ip6 daddr @inward6 accept",
                "counter name closed drop");
        }
    }

    /// <summary>What the switch has ports to. Machines and tunnels come first: most frames are theirs.</summary>
    private static IEnumerable<PortKind> Kinds(DomainPlan plan)
    {
        yield return PortKind.Machine;
        if (!Tunnels.Of(plan.Network).IsEmpty)
        {
            yield return PortKind.Tunnel;
        }

        if (plan.Gateway is not null)
        {
            yield return PortKind.Gateway;
        }

        if (plan.ServicePoint is not null)
        {
            yield return PortKind.Service;
        }
    }

    private static string Judge(PortKind kind) => kind switch
    {
        PortKind.Machine or PortKind.Tunnel => "member",
        PortKind.Gateway => "gateway",
        PortKind.Service => "service",
        PortKind.Passage => throw new UnreachableException("A domain's switch has no port into a passage."),
        _ => throw new UnreachableException(),
    };

    private static string Way(PortKind kind) => kind switch
    {
        PortKind.Machine => "from_machine",
        PortKind.Tunnel => "from_tunnel",
        PortKind.Gateway => "from_gateway",
        PortKind.Service => "from_service",
        PortKind.Passage => throw new UnreachableException("A domain's switch has no port into a passage."),
        _ => throw new UnreachableException(),
    };

    /// <summary>Whether a frame comes from a live port of this kind.</summary>
    internal static string From(DomainPlan plan, PortKind kind) =>
        $"iifgroup {PortGroups.Of(kind, plan.Network.Number)}";

    /// <summary>Whether it is about to leave by one.</summary>
    internal static string To(DomainPlan plan, PortKind kind) =>
        $"oifgroup {PortGroups.Of(kind, plan.Network.Number)}";

    /// <summary>Whether it is about to leave by another.</summary>
    internal static string ButTo(DomainPlan plan, PortKind kind) =>
        $"oifgroup != {PortGroups.Of(kind, plan.Network.Number)}";

    private static string IsOption(string kind) =>
        $"{Option} {kind} iifname . {OptionAddress} . {Source6} @sources6";

    private static string Quoted(string name) => $"\"{name}\"";
}
