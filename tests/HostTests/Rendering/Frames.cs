using System.Buffers.Binary;
using System.Net;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Hand-made frames. Checksums of transports are left zero unless <see cref="Summed"/> is asked: no filter of a switch
/// reads them, and gateways do.
/// </summary>
internal static class Frames
{
    public const string Broadcast = "ff:ff:ff:ff:ff:ff";

    public static byte[] Mac(string mac) =>
        [.. mac.Split(':').Select(part => Convert.ToByte(part, 16))];

    public static byte[] Address(string address) => IPAddress.Parse(address).GetAddressBytes();

    public static byte[] Ethernet(string to, string from, int type, byte[] payload) =>
        [.. Mac(to), .. Mac(from), .. Big(type), .. payload];

    public static byte[] Ipv4(string from, string to, int protocol, byte[] payload) =>
        Ipv4(from, to, protocol, payload, 0, []);

    /// <summary>With flags and fragment offset as the header has them (RFC 791, section 3.1), and options.</summary>
    public static byte[] Ipv4(string from, string to, int protocol, byte[] payload, int fragment, byte[] options)
    {
        byte[] packet =
        [
            (byte)(0x45 + (options.Length / 4)), 0, .. Big(20 + options.Length + payload.Length), 0, 1,
            .. Big(fragment), 64, (byte)protocol, 0, 0, .. Address(from), .. Address(to), .. options, .. payload,
        ];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Sum(packet.AsSpan(0, 20 + options.Length)));
        return packet;
    }

    public static byte[] Ipv6(string from, string to, int next, byte[] payload, int hops = 255) =>
    [
        0x60, 0, 0, 0, .. Big(payload.Length), (byte)next, (byte)hops, .. Address(from), .. Address(to), .. payload,
    ];

    public static byte[] Udp(int from, int to, byte[] payload) =>
        [.. Big(from), .. Big(to), .. Big(8 + payload.Length), 0, 0, .. payload];

    /// <summary>The opening of a TCP connection (RFC 9293).</summary>
    public static byte[] Syn(int from, int to, byte[] payload) =>
        [.. Big(from), .. Big(to), 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0, .. payload];

    /// <summary>A TCP, UDP, ICMP or ICMPv6 message with its checksum (RFC 1071).</summary>
    public static byte[] Summed(string from, string to, int protocol, byte[] message)
    {
        byte[] pseudo = protocol == 1
            ? [] : [.. Address(from), .. Address(to), 0, (byte)protocol, .. Big(message.Length)];
        byte[] summed = [.. message];
        var place = protocol switch { 6 => 16, 17 => 6, _ => 2 };
        summed.AsSpan(place, 2).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(summed.AsSpan(place), Sum([.. pseudo, .. summed]));
        return summed;
    }

    public static byte[] Arp(int operation, string senderMac, string senderIp, string targetIp, byte[] padding) =>
    [
        0, 1, 8, 0, 6, 4, .. Big(operation), .. Mac(senderMac), .. Address(senderIp), .. new byte[6],
        .. Address(targetIp), .. padding,
    ];

    /// <summary>A neighbour solicitation or advertisement (RFC 4861, sections 4.3 and 4.4).</summary>
    public static byte[] Neighbour(int type, string target, string optionMac) =>
    [
        (byte)type, 0, 0, 0, 0x60, 0, 0, 0, .. Address(target),
        (byte)(type == 135 ? 1 : 2), 1, .. Mac(optionMac),
    ];

    /// <summary>An encapsulated frame (RFC 7348, section 5).</summary>
    public static byte[] Vxlan(int number, byte[] frame) =>
        [8, 0, 0, 0, (byte)(number >> 16), (byte)(number >> 8), (byte)number, 0, .. frame];

    private static ushort Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (var at = 0; at < bytes.Length; at++)
        {
            sum += at % 2 == 0 ? (uint)bytes[at] << 8 : bytes[at];
        }

        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    public static byte[] Big(int value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }
}
