using System.Buffers.Binary;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Seeing;

/// <summary>
/// Which frames of a port are captured: all, or those of one service, both ways. Read from the frame's own headers
/// (IEEE 802.3, RFC 791, RFC 8200); what is cut short, a fragment but the first, or behind an IPv6 extension header is
/// of no service.
/// </summary>
/// <param name="Protocol">The transport; null for all frames.</param>
/// <param name="Port">The port of either end; 0 for any.</param>
public sealed record FrameFilter(FlowProtocol? Protocol, int Port)
{
    private const int EthernetBytes = 14;
    private const int Ipv6Bytes = 40;

    /// <summary>All frames.</summary>
    public static FrameFilter All { get; } = new(null, 0);

    /// <summary>Reads a filter from numbers of IP protocols; null where there is none like it.</summary>
    /// <param name="protocol">0 for all frames, 1 for ICMP of both families, 6, or 17.</param>
    /// <param name="port">1 to 65535 for 6 and 17, else 0.</param>
    public static FrameFilter? Of(int protocol, int port) => (protocol, port) switch
    {
        (0, 0) => All,
        (1, 0) => new FrameFilter(FlowProtocol.Icmp, 0),
        (6, >= 1 and <= 65535) => new FrameFilter(FlowProtocol.Tcp, port),
        (17, >= 1 and <= 65535) => new FrameFilter(FlowProtocol.Udp, port),
        _ => null,
    };

    /// <summary>The number of the protocol, as <see cref="Of"/> reads it.</summary>
    public int ProtocolNumber => Protocol is { } protocol ? Number(protocol, isIpv6: false) : 0;

    /// <summary>Whether a frame is captured.</summary>
    public bool Takes(ReadOnlySpan<byte> frame)
    {
        if (Protocol is not { } protocol)
        {
            return true;
        }

        if (frame.Length < EthernetBytes)
        {
            return false;
        }

        var packet = frame[EthernetBytes..];
        return BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
        {
            0x0800 => packet.Length >= 20 && packet[0] >> 4 == 4 && (packet[6] & 0x1f) == 0 && packet[7] == 0
                && packet[9] == Number(protocol, isIpv6: false) && IsOf(packet, (packet[0] & 0xf) * 4),
            0x86dd => packet.Length >= Ipv6Bytes && packet[0] >> 4 == 6
                && packet[6] == Number(protocol, isIpv6: true) && IsOf(packet, Ipv6Bytes),
            _ => false,
        };
    }

    /// <summary><c>tcp/443</c>, or <c>all frames</c>.</summary>
    public override string ToString() => Protocol switch
    {
        null => "all frames",
        FlowProtocol.Icmp => WireText.Of(FlowProtocol.Icmp),
        { } protocol => string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{WireText.Of(protocol)}/{Port}"),
    };

    private bool IsOf(ReadOnlySpan<byte> packet, int header) =>
        Port == 0 || (packet.Length >= header + 4 && header >= 20
            && (BinaryPrimitives.ReadUInt16BigEndian(packet[header..]) == Port
                || BinaryPrimitives.ReadUInt16BigEndian(packet[(header + 2)..]) == Port));

    private static int Number(FlowProtocol protocol, bool isIpv6) => protocol switch
    {
        FlowProtocol.Tcp => 6,
        FlowProtocol.Udp => 17,
        FlowProtocol.Icmp => isIpv6 ? 58 : 1,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
