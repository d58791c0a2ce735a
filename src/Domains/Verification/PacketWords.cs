using System.Collections.Immutable;
using System.Globalization;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// A packet for people: what it is of, from where and to where. What is so of nearly every packet, such as that it is
/// no fragment, is said only where it is otherwise.
/// </summary>
internal static class PacketWords
{
    /// <summary>The packet, as the subject of a sentence.</summary>
    public static string Of(ImmutableSortedDictionary<HeaderField, UInt128> packet)
    {
        var kind = packet.TryGetValue(HeaderField.EtherType, out var type) ? Kind(type) : "a frame";
        string[] parts =
        [
            .. packet.Where(part => part.Key != HeaderField.EtherType && !IsUsual(part.Key, part.Value))
                .Select(part => Words(part.Key, part.Value)),
        ];
        return parts.Length == 0 ? kind : $"{kind} ({string.Join(", ", parts)})";
    }

    private static string Kind(UInt128 type) => (int)type switch
    {
        HeaderFields.Ipv4 => "an IPv4 packet",
        HeaderFields.Ipv6 => "an IPv6 packet",
        HeaderFields.Arp => "an ARP packet",
        var other => string.Create(CultureInfo.InvariantCulture, $"a frame of type 0x{other:x4}"),
    };

    private static bool IsUsual(HeaderField field, UInt128 value) => field switch
    {
        HeaderField.Extended or HeaderField.LaterFragment or HeaderField.Flooding
            or HeaderField.ConnectionDirection => value == 0,
        HeaderField.FragmentNext or HeaderField.Protocol => value == HeaderFields.None,
        _ => false,
    };

    private static string Words(HeaderField field, UInt128 value) => field switch
    {
        HeaderField.Extended => "with extension headers",
        HeaderField.LaterFragment => "not the first fragment",
        HeaderField.FragmentNext => $"fragmented, of {Protocol(value)}",
        HeaderField.Flooding => "beyond a limit of the rules",
        HeaderField.Protocol => Protocol(value),
        HeaderField.ConnectionState => State(value),
        HeaderField.ConnectionDirection => "back in its connection",
        HeaderField.ConnectionProtocol => $"of a connection of {Protocol(value)}",
        _ => $"{Name(field)} {Text(field, value)}",
    };

    private static string State(UInt128 value) => (int)value switch
    {
        HeaderFields.New => "the first of its connection",
        HeaderFields.Established => "of an established connection",
        HeaderFields.Related => "about another connection",
        HeaderFields.Invalid => "of no connection that can be",
        HeaderFields.Untracked => "untracked",
        var other => string.Create(CultureInfo.InvariantCulture, $"connection state {other}"),
    };

    private static string Protocol(UInt128 value) => (int)value switch
    {
        HeaderFields.Tcp => "TCP",
        HeaderFields.Udp => "UDP",
        HeaderFields.Icmp => "ICMP",
        HeaderFields.Icmp6 => "ICMPv6",
        var number => string.Create(CultureInfo.InvariantCulture, $"IP protocol {number}"),
    };

    private static string Name(HeaderField field) => field switch
    {
        HeaderField.HopLimit => "hop limit",
        HeaderField.Length6 => "payload length",
        HeaderField.IcmpType => "ICMP type",
        HeaderField.IcmpCode => "ICMP code",
        HeaderField.SourcePort => "source port",
        HeaderField.DestinationPort => "destination port",
        HeaderField.TcpFlags => "TCP flags",
        HeaderField.PacketType => "packet type",
        HeaderField.ArpHardware => "ARP hardware type",
        HeaderField.ArpProtocol => "ARP protocol type",
        HeaderField.ArpHardwareLength => "ARP hardware length",
        HeaderField.ArpProtocolLength => "ARP protocol length",
        HeaderField.ArpOperation => "ARP operation",
        HeaderField.NeighbourOption => "neighbour option",
        HeaderField.DhcpHead => "DHCP operation and hardware",
        HeaderField.DhcpRelay => "DHCP relay",
        HeaderField.Dhcp6Type => "DHCPv6 message",
        HeaderField.VxlanNumber => "VXLAN number",
        HeaderField.ConnectionPort => "its connection opened to port",
        HeaderField.InName => "from port",
        HeaderField.InGroup => "from ports of group",
        HeaderField.EtherSource => "source MAC",
        HeaderField.Source4 or HeaderField.Source6 => "from",
        HeaderField.ArpSenderMac => "ARP sender MAC",
        HeaderField.ArpSender => "ARP sender",
        HeaderField.NeighbourTarget => "neighbour target",
        HeaderField.NeighbourMac => "neighbour MAC",
        HeaderField.DhcpMac => "DHCP client MAC",
        HeaderField.ConnectionSource4 or HeaderField.ConnectionSource6 => "its connection opened by",
        HeaderField.OutName => "to port",
        HeaderField.OutGroup => "to ports of group",
        HeaderField.EtherDestination => "destination MAC",
        HeaderField.Destination4 or HeaderField.Destination6 => "to",
        HeaderField.ArpTarget => "ARP target",
        HeaderField.ConnectionDestination4 or HeaderField.ConnectionDestination6 => "its connection opened to",
        _ => field.ToString(),
    };

    private static string Text(HeaderField field, UInt128 value) => field switch
    {
        HeaderField.InName or HeaderField.OutName => NftValues.Text("ifname", value),
        HeaderField.EtherSource or HeaderField.EtherDestination or HeaderField.ArpSenderMac
            or HeaderField.NeighbourMac or HeaderField.DhcpMac => NftValues.Text("ether_addr", value),
        HeaderField.Source4 or HeaderField.Destination4 or HeaderField.ArpSender or HeaderField.ArpTarget
            or HeaderField.DhcpRelay or HeaderField.ConnectionSource4 or HeaderField.ConnectionDestination4 =>
            NftValues.Text("ipv4_addr", value),
        HeaderField.Source6 or HeaderField.Destination6 or HeaderField.NeighbourTarget
            or HeaderField.ConnectionSource6 or HeaderField.ConnectionDestination6 =>
            NftValues.Text("ipv6_addr", value),
        HeaderField.TcpFlags or HeaderField.DhcpHead => string.Create(CultureInfo.InvariantCulture, $"0x{value:x}"),
        _ => value.ToString(CultureInfo.InvariantCulture),
    };
}
