using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>A key that a rule can ask by.</summary>
/// <param name="Field">The field it is.</param>
/// <param name="Type">The type of its values.</param>
/// <param name="Needs">What asking for it implies, besides what the field itself does.</param>
/// <param name="IsRaw">Whether it is read by its place.</param>
internal sealed record NftKey(
    HeaderField Field, string Type, ImmutableArray<FieldMatch> Needs = default, bool IsRaw = false);

/// <summary>
/// The words of nft(8) that our tables use, as fields: keys are written as in text, <c>ip saddr</c>. What is not here
/// is not known.
/// </summary>
internal static class NftWords
{
    private const string Integer = "integer";
    private static readonly FieldMatch IsIpv4 = FieldMatch.Is(HeaderField.EtherType, HeaderFields.Ipv4);
    private static readonly FieldMatch IsIpv6 = FieldMatch.Is(HeaderField.EtherType, HeaderFields.Ipv6);
    private static readonly FieldMatch IsTcp = FieldMatch.Is(HeaderField.Protocol, HeaderFields.Tcp);
    private static readonly FieldMatch IsUdp = FieldMatch.Is(HeaderField.Protocol, HeaderFields.Udp);
    private static readonly FieldMatch IsIcmp = FieldMatch.Is(HeaderField.Protocol, HeaderFields.Icmp);
    private static readonly FieldMatch IsIcmp6 = FieldMatch.Is(HeaderField.Protocol, HeaderFields.Icmp6);

    private static readonly FrozenDictionary<string, NftKey> Keys = new Dictionary<string, NftKey>
    {
        ["iifname"] = new(HeaderField.InName, "ifname"),
        ["oifname"] = new(HeaderField.OutName, "ifname"),
        ["iifgroup"] = new(HeaderField.InGroup, "devgroup"),
        ["oifgroup"] = new(HeaderField.OutGroup, "devgroup"),
        ["meta protocol"] = new(HeaderField.EtherType, "ether_type"),
        ["meta nfproto"] = new(HeaderField.EtherType, "nf_proto"),
        ["meta l4proto"] = new(HeaderField.Protocol, "inet_proto"),
        ["meta pkttype"] = new(HeaderField.PacketType, "pkt_type"),
        ["ether type"] = new(HeaderField.EtherType, "ether_type"),
        ["ether saddr"] = new(HeaderField.EtherSource, "ether_addr"),
        ["ether daddr"] = new(HeaderField.EtherDestination, "ether_addr"),
        ["ip protocol"] = new(HeaderField.Protocol, "inet_proto", [IsIpv4]),
        ["ip saddr"] = new(HeaderField.Source4, "ipv4_addr"),
        ["ip daddr"] = new(HeaderField.Destination4, "ipv4_addr"),
        // Asked for a transport protocol it is answered by packets without extension headers alone.
        ["ip6 nexthdr"] = new(
            HeaderField.Protocol, "first_proto", [IsIpv6, FieldMatch.Is(HeaderField.Extended, 0)]),
        ["ip6 hoplimit"] = new(HeaderField.HopLimit, Integer),
        ["ip6 length"] = new(HeaderField.Length6, Integer),
        ["ip6 saddr"] = new(HeaderField.Source6, "ipv6_addr"),
        ["ip6 daddr"] = new(HeaderField.Destination6, "ipv6_addr"),
        ["frag nexthdr"] = new(HeaderField.FragmentNext, "inet_proto"),
        ["arp htype"] = new(HeaderField.ArpHardware, Integer),
        ["arp ptype"] = new(HeaderField.ArpProtocol, "ether_type"),
        ["arp hlen"] = new(HeaderField.ArpHardwareLength, Integer),
        ["arp plen"] = new(HeaderField.ArpProtocolLength, Integer),
        ["arp operation"] = new(HeaderField.ArpOperation, "arp_op"),
        ["arp saddr ether"] = new(HeaderField.ArpSenderMac, "ether_addr"),
        ["arp saddr ip"] = new(HeaderField.ArpSender, "ipv4_addr"),
        ["arp daddr ip"] = new(HeaderField.ArpTarget, "ipv4_addr"),
        ["icmp type"] = new(HeaderField.IcmpType, "icmp_type", [IsIpv4, IsIcmp]),
        ["icmp code"] = new(HeaderField.IcmpCode, "icmp_code", [IsIpv4, IsIcmp]),
        ["icmpv6 type"] = new(HeaderField.IcmpType, "icmpv6_type", [IsIpv6, IsIcmp6]),
        ["udp sport"] = new(HeaderField.SourcePort, "inet_service", [IsUdp]),
        ["udp dport"] = new(HeaderField.DestinationPort, "inet_service", [IsUdp]),
        ["tcp sport"] = new(HeaderField.SourcePort, "inet_service", [IsTcp]),
        ["tcp dport"] = new(HeaderField.DestinationPort, "inet_service", [IsTcp]),
        ["tcp flags"] = new(HeaderField.TcpFlags, "tcp_flag"),
        ["th sport"] = new(HeaderField.SourcePort, "inet_service"),
        ["th dport"] = new(HeaderField.DestinationPort, "inet_service"),
        ["ct state"] = new(HeaderField.ConnectionState, "ct_state"),
        ["ct direction"] = new(HeaderField.ConnectionDirection, "ct_dir"),
        ["ct protocol"] = new(HeaderField.ConnectionProtocol, "inet_proto"),
        ["ct original protocol"] = new(HeaderField.ConnectionProtocol, "inet_proto"),
        ["ct original proto-dst"] = new(HeaderField.ConnectionPort, "inet_service"),
        ["ct original ip saddr"] = new(HeaderField.ConnectionSource4, "ipv4_addr"),
        ["ct original ip daddr"] = new(HeaderField.ConnectionDestination4, "ipv4_addr"),
        ["ct original ip6 saddr"] = new(HeaderField.ConnectionSource6, "ipv6_addr"),
        ["ct original ip6 daddr"] = new(HeaderField.ConnectionDestination6, "ipv6_addr"),
        // What stands at an offset (bits) of the link's, the network's and the transport's header.
        ["@ll,48,48"] = new(HeaderField.EtherSource, Integer, default, true),
        ["@nh,64,128"] = new(HeaderField.Source6, Integer, default, true),
        ["@th,64,128"] = new(HeaderField.NeighbourTarget, Integer, default, true),
        ["@th,192,16"] = new(HeaderField.NeighbourOption, Integer, default, true),
        ["@th,208,48"] = new(HeaderField.NeighbourMac, Integer, default, true),
        ["@th,64,24"] = new(HeaderField.DhcpHead, Integer, default, true),
        ["@th,256,32"] = new(HeaderField.DhcpRelay, Integer, default, true),
        ["@th,288,48"] = new(HeaderField.DhcpMac, Integer, default, true),
        ["@th,64,8"] = new(HeaderField.Dhcp6Type, Integer, default, true),
        ["@th,96,24"] = new(HeaderField.VxlanNumber, Integer, default, true),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly Dictionary<string, int> Protocols = new(StringComparer.Ordinal)
    {
        ["ip"] = 0, ["icmp"] = 1, ["tcp"] = 6, ["udp"] = 17, ["ipv6-route"] = 43, ["ipv6-frag"] = 44, ["ah"] = 51,
        ["icmpv6"] = 58, ["ipv6-icmp"] = 58, ["ipv6-opts"] = 60, ["mobility-header"] = 135, ["hip"] = 139,
        ["shim6"] = 140,
    };

    /// <summary>Each type's own words; types that have none are numbers, addresses or names.</summary>
    private static readonly FrozenDictionary<string, FrozenDictionary<string, int>> Constants =
        new Dictionary<string, Dictionary<string, int>>(StringComparer.Ordinal)
        {
            ["devgroup"] = new() { ["default"] = 0 },
            ["ether_type"] = new()
            {
                ["ip"] = HeaderFields.Ipv4, ["arp"] = HeaderFields.Arp, ["ip6"] = HeaderFields.Ipv6,
            },
            ["nf_proto"] = new() { ["ipv4"] = HeaderFields.Ipv4, ["ipv6"] = HeaderFields.Ipv6 },
            ["inet_proto"] = Protocols,
            ["first_proto"] = new() { ["tcp"] = 6, ["udp"] = 17, ["icmpv6"] = 58, ["ipv6-icmp"] = 58 },
            ["pkt_type"] = new() { ["broadcast"] = 1, ["multicast"] = 2 },
            ["arp_op"] = new() { ["request"] = 1, ["reply"] = 2 },
            ["icmp_type"] = new()
            {
                ["echo-reply"] = 0, ["destination-unreachable"] = 3, ["redirect"] = 5, ["echo-request"] = 8,
                ["router-advertisement"] = 9,
            },
            ["icmp_code"] = new() { ["frag-needed"] = 4 },
            ["icmpv6_type"] = new()
            {
                ["destination-unreachable"] = 1, ["packet-too-big"] = 2, ["echo-request"] = 128, ["echo-reply"] = 129,
                ["nd-router-solicit"] = 133, ["nd-router-advert"] = 134, ["nd-neighbor-solicit"] = 135,
                ["nd-neighbor-advert"] = 136, ["nd-redirect"] = 137, ["router-renumbering"] = 138,
                ["ind-neighbor-solicit"] = 141, ["ind-neighbor-advert"] = 142,
            },
            ["tcp_flag"] = new() { ["fin"] = 1, ["syn"] = 2, ["rst"] = 4, ["psh"] = 8, ["ack"] = 16, ["urg"] = 32 },
            ["ct_state"] = new()
            {
                ["invalid"] = HeaderFields.Invalid, ["established"] = HeaderFields.Established,
                ["related"] = HeaderFields.Related, ["new"] = HeaderFields.New, ["untracked"] = HeaderFields.Untracked,
            },
            ["ct_dir"] = new() { ["original"] = 0, ["reply"] = 1 },
        }.ToFrozenDictionary(
            pair => pair.Key, pair => pair.Value.ToFrozenDictionary(StringComparer.Ordinal), StringComparer.Ordinal);

    public static NftKey? Key(string words) => Keys.GetValueOrDefault(words);

    /// <summary>The type of a key's values as sets are declared with; null for one that is not known.</summary>
    public static string? TypeOf(string words) => Key(words)?.Type;

    public static int? Constant(string type, string word) =>
        Constants.GetValueOrDefault(type) is { } words && words.TryGetValue(word, out var value) ? value : null;
}
