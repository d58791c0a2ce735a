using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The part of a domain's table that is about who tells machines their addresses and names. Without a service all of it
/// is empty, and whoever claims to tell them is dropped.
/// </summary>
/// <remarks>
/// Offsets count bits from the UDP header. DHCP (RFC 2131, section 2): operation, hardware type and length at 64, relay
/// agent at 256, client's hardware address at 288. A client speaks for its own address only, and never through a relay.
/// DHCPv6 (RFC 8415, section 8): message type at 64; a relay's messages would carry whatever client address they like.
/// </remarks>
internal sealed class ServiceRules(DomainPlan plan)
{
    private const string Target = "@th,64,128";
    private const string ClientMac = "@th,288,48";
    private const string Dhcp6Request = "@th,64,8 { 1, 3, 4, 5, 6, 8, 9, 11 }";
    private const string OwnAnswer = "oifname . ether daddr @stations accept";

    /// <summary>The most questions a second that the machines of one host put to it.</summary>
    private const string Flood = "limit rate over 2000/second burst 2000 packets counter name flood drop";

    private readonly ServicePointPlan? _point = plan.ServicePoint;

    private bool FromHost => _point is { GivesAddresses: true };

    private bool Asks => FromHost || plan.NamesAddressServer || plan.AddressServer is not null;

    /// <summary>Whose answers are not rogue.</summary>
    public string ButServer => plan.AddressServer is null ? "" : " iifname . ether saddr != @address_servers";

    public string DhcpClients => Asks ? "udp dport 67 goto dhcp_client" : "";

    public string Dhcp6Clients => Asks ? "udp dport 547 goto dhcp6_client" : "";

    public string RouterSolicit => Asks ? "router_solicit" : "rogue_drop";

    public string RouterAdvert => plan.AddressServer is null ? "rogue_drop" : "router_advert";

    public string ToService => _point is null ? "" : $"{DomainTable.To(plan, PortKind.Service)} goto to_service";

    /// <summary>What is asked of the host reaches nobody else.</summary>
    public string Elsewhere => _point is null ? "" : FromHost
        ? "jump but_service" : $"ether daddr {_point.Mac} counter name closed drop";

    public string AskedFar4 => _point is null ? "" : "arp daddr ip @service4 counter name closed drop";

    public string AskedFar6 => _point is null ? ""
        : $"icmpv6 type nd-neighbor-solicit {Target} @service_targets counter name closed drop";

    public void Sets(NftText text, List<(string Device, MemberPlan Member)> members)
    {
        if (Asks)
        {
            // The host answers its own machines; a machine that serves answers those of all hosts.
            var here = plan.Network.Ports.Select(port => port.Device).ToHashSet(StringComparer.Ordinal);
            var clients = members.Where(one => !FromHost || here.Contains(one.Device));
            text.Set("set", "dhcp_clients", $"typeof iifname . ether saddr . {ClientMac}", clients.Select(one =>
                $"{Quoted(one.Device)} . {one.Member.Mac} . {Raw.Mac(one.Member.Mac)}"));
        }

        if (plan.AddressServer is { } server)
        {
            text.Set("set", "address_servers", "type ifname . ether_addr", members
                .Where(one => one.Member == server).Select(one => $"{Quoted(one.Device)} . {one.Member.Mac}"));
        }

        if (_point is null)
        {
            return;
        }

        text.Counters("flood");
        var addresses = _point.Subnets.Select(subnet => subnet.Address).ToList();
        text.Set("set", "service4", "type ipv4_addr", addresses.Where(Raw.IsIpv4));
        text.Set("set", "service6", "type ipv6_addr", addresses.Where(Raw.IsIpv6));
        text.Set("set", "service_targets", $"typeof {Target}",
            addresses.Where(Raw.IsIpv6).Append(_point.LinkLocal).Select(Raw.Ipv6));
        text.Set("set", "stations", "type ifname . ether_addr",
            _point.Machines.Select(machine => $"{Quoted(machine.Device)} . {machine.Mac}"));
        text.Set("set", "dhcp_stations", $"typeof oifname . {ClientMac}",
            _point.Machines.Select(machine => $"{Quoted(machine.Device)} . {Raw.Mac(machine.Mac)}"));
    }

    public void Chains(NftText text)
    {
        if (Asks)
        {
            text.Chain("dhcp_client",
                $"udp sport 68 @th,64,24 0x010106 @th,256,32 0 iifname . ether saddr . {ClientMac} @dhcp_clients "
                + "goto dhcp_source",
                "counter name rogue drop");
            text.Chain("dhcp_source",
                "ip saddr 0.0.0.0 ip daddr 255.255.255.255 accept",
                $"{DomainTable.IsSource4} accept",
                "counter name spoofed drop");
            text.Chain("dhcp6_client",
                $"udp sport 546 {Dhcp6Request} {DomainTable.IsSource6} accept",
                "counter name rogue drop");
            text.Chain("router_solicit",
                "ip6 nexthdr icmpv6 ip6 hoplimit 255 ip6 daddr ff02::2 ip6 length { 8, 16 } "
                + $"{DomainTable.IsSource6} accept",
                "counter name spoofed drop");
        }

        if (plan.AddressServer is not null)
        {
            text.Chain("router_advert",
                "ip6 nexthdr icmpv6 ip6 hoplimit 255 iifname . ether saddr @address_servers "
                + $"{DomainTable.IsSource6} accept",
                "counter name rogue drop");
        }

        if (_point is not null)
        {
            OfPoint(text, _point);
        }
    }

    private void OfPoint(NftText text, ServicePointPlan point)
    {
        text.Chain("service",
            $"ether saddr {point.Mac} ether type {{ ip, arp, ip6 }} accept",
            "counter name spoofed drop");
        text.Chain("to_service",
            Flood,
            "arp operation request arp daddr ip @service4 accept",
            $"icmpv6 type nd-neighbor-solicit {Target} @service_targets accept",
            FromHost ? "ip daddr 255.255.255.255 udp dport 67 accept" : "",
            FromHost ? "ip daddr @service4 udp dport 67 accept" : "",
            FromHost ? "ip6 daddr ff02::1:2 udp dport 547 accept" : "",
            FromHost ? "ip6 daddr ff02::2 icmpv6 type nd-router-solicit accept" : "",
            point.AnswersNames ? $"ether daddr {point.Mac} ip daddr @service4 meta l4proto {{ tcp, udp }} "
                + "th dport 53 accept" : "",
            point.AnswersNames ? $"ether daddr {point.Mac} ip6 daddr @service6 meta l4proto {{ tcp, udp }} "
                + "th dport 53 accept" : "",
            "counter name closed drop");
        text.Chain("from_service",
            $"{DomainTable.ButTo(plan, PortKind.Machine)} counter name closed drop",
            $"arp operation reply arp saddr ether {point.Mac} arp saddr ip @service4 {OwnAnswer}",
            $"ip6 nexthdr icmpv6 ip6 hoplimit 255 icmpv6 type nd-neighbor-advert {Target} @service_targets {OwnAnswer}",
            FromHost ? $"ip6 saddr {point.LinkLocal} ip6 nexthdr icmpv6 ip6 hoplimit 255 "
                + "icmpv6 type nd-router-advert accept" : "",
            FromHost ? "ip saddr @service4 udp sport 67 udp dport 68 "
                + $"oifname . {ClientMac} @dhcp_stations accept" : "",
            FromHost ? $"ip6 saddr {point.LinkLocal} udp sport 547 udp dport 546 {OwnAnswer}" : "",
            point.AnswersNames ? $"ip saddr @service4 meta l4proto {{ tcp, udp }} th sport 53 {OwnAnswer}" : "",
            point.AnswersNames ? $"ip6 saddr @service6 meta l4proto {{ tcp, udp }} th sport 53 {OwnAnswer}" : "",
            "counter name closed drop");
        if (!FromHost)
        {
            return;
        }

        text.Chain("but_service",
            $"ether daddr {point.Mac} counter name closed drop",
            "udp dport { 67, 547 } counter name closed drop",
            "icmpv6 type nd-router-solicit counter name closed drop");
        if (plan.Gateway is { } gateway)
        {
            // IPv6 has no other way to tell a route than to be the router (RFC 4861, section 4.2): the point says it
            // is, and what machines send it for other domains is the gateway's.
            text.Chain("service_route",
                "type filter hook prerouting priority -290; policy accept;",
                $"{DomainTable.From(plan, PortKind.Machine)} ether daddr {point.Mac} "
                + $"ip6 saddr . ip6 daddr @outward6 ether daddr set {gateway.Mac}");
        }
    }

    private static string Quoted(string name) => $"\"{name}\"";
}
