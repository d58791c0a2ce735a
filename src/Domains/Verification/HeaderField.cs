namespace Bailiwick.Domains.Verification;

/// <summary>
/// What of a packet, and of where it is, a rule can ask. The order is that of the levels of a a packet set:
/// first what kind of packet it is, then who sends it, then where it goes, so that the ones who send share one
/// description of where they may send to.
/// </summary>
public enum HeaderField
{
    /// <summary>The Ethernet type, as it is in the frame (16 bits).</summary>
    EtherType = 1,
    /// <summary>Whether an IPv6 header is followed by an extension header: 0 or 1.</summary>
    Extended,
    /// <summary>The next header of an IPv6 fragment header; 256 where there is none (RFC 8200, section 4.5).</summary>
    FragmentNext,
    /// <summary>The transport protocol, behind all extension headers; 256 where there is none.</summary>
    Protocol,
    /// <summary>Whether it is a fragment but the first, which has no transport header: 0 or 1.</summary>
    LaterFragment,
    /// <summary>IPv6 hop limit.</summary>
    HopLimit,
    /// <summary>IPv6 payload length.</summary>
    Length6,
    /// <summary>Type of an ICMP or ICMPv6 message.</summary>
    IcmpType,
    /// <summary>Its code.</summary>
    IcmpCode,
    /// <summary>Source port.</summary>
    SourcePort,
    /// <summary>Destination port.</summary>
    DestinationPort,
    /// <summary>TCP's flags.</summary>
    TcpFlags,
    /// <summary>What the kernel says of the frame: to this station, to all, to some (linux/if_packet.h).</summary>
    PacketType,
    /// <summary>ARP: hardware type (RFC 826).</summary>
    ArpHardware,
    /// <summary>ARP: protocol type.</summary>
    ArpProtocol,
    /// <summary>ARP: length of a hardware address.</summary>
    ArpHardwareLength,
    /// <summary>ARP: length of a protocol address.</summary>
    ArpProtocolLength,
    /// <summary>ARP: operation.</summary>
    ArpOperation,
    /// <summary>Neighbour discovery: type and length of the first option (RFC 4861, section 4.6).</summary>
    NeighbourOption,
    /// <summary>DHCP: operation, hardware type, length of a hardware address (RFC 2131, section 2).</summary>
    DhcpHead,
    /// <summary>DHCP: the relay's address.</summary>
    DhcpRelay,
    /// <summary>DHCPv6: message type (RFC 8415, section 8).</summary>
    Dhcp6Type,
    /// <summary>VXLAN: network number (RFC 7348, section 5).</summary>
    VxlanNumber,
    /// <summary>Whether it comes faster than a limit of the rules: 0 or 1. Nothing is known of it.</summary>
    Flooding,
    /// <summary>What connection tracking says of it: nftables' bits of <c>ct state</c>, one of them.</summary>
    ConnectionState,
    /// <summary>Its direction in its connection: 0 as it was opened, 1 back.</summary>
    ConnectionDirection,
    /// <summary>The connection's protocol.</summary>
    ConnectionProtocol,
    /// <summary>The port to which the connection was opened.</summary>
    ConnectionPort,
    /// <summary>The name of the device by which it came, as 16 bytes.</summary>
    InName,
    /// <summary>That device's group.</summary>
    InGroup,
    /// <summary>Ethernet source.</summary>
    EtherSource,
    /// <summary>IPv4 source.</summary>
    Source4,
    /// <summary>IPv6 source.</summary>
    Source6,
    /// <summary>ARP: the sender's hardware address.</summary>
    ArpSenderMac,
    /// <summary>ARP: the sender's IPv4 address.</summary>
    ArpSender,
    /// <summary>Neighbour discovery: the target.</summary>
    NeighbourTarget,
    /// <summary>Neighbour discovery: the address in the first option.</summary>
    NeighbourMac,
    /// <summary>DHCP: the client's hardware address.</summary>
    DhcpMac,
    /// <summary>The IPv4 address that opened the connection.</summary>
    ConnectionSource4,
    /// <summary>The IPv6 address that opened the connection.</summary>
    ConnectionSource6,
    /// <summary>The name of the device by which it would go, as 16 bytes.</summary>
    OutName,
    /// <summary>That device's group.</summary>
    OutGroup,
    /// <summary>Ethernet destination.</summary>
    EtherDestination,
    /// <summary>IPv4 destination.</summary>
    Destination4,
    /// <summary>IPv6 destination.</summary>
    Destination6,
    /// <summary>ARP: the IPv4 address that is asked for.</summary>
    ArpTarget,
    /// <summary>The IPv4 address to which the connection was opened.</summary>
    ConnectionDestination4,
    /// <summary>The IPv6 address to which the connection was opened.</summary>
    ConnectionDestination6,
}
