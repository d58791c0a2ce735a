using System.Buffers.Binary;
using System.Net;

namespace Bailiwick.HostTests.Rendering;

/// <summary>Hand-made frames. Checksums are left zero: no filter and no capture of the tests reads them.</summary>
internal static class Frames
{
    public const string Broadcast = "ff:ff:ff:ff:ff:ff";

    public static byte[] Mac(string mac) =>
        [.. mac.Split(':').Select(part => Convert.ToByte(part, 16))];

    public static byte[] Address(string address) => IPAddress.Parse(address).GetAddressBytes();

    public static byte[] Ethernet(string to, string from, int type, byte[] payload) =>
        [.. Mac(to), .. Mac(from), .. Big(type), .. payload];

    public static byte[] Ipv4(string from, string to, int protocol, byte[] payload) =>
    [
        0x45, 0, .. Big(20 + payload.Length), 0, 1, 0, 0, 64, (byte)protocol, 0, 0, .. Address(from), .. Address(to),
        .. payload,
    ];

    public static byte[] Ipv6(string from, string to, int next, byte[] payload, int hops = 255) =>
    [
        0x60, 0, 0, 0, .. Big(payload.Length), (byte)next, (byte)hops, .. Address(from), .. Address(to), .. payload,
    ];

    public static byte[] Udp(int from, int to, byte[] payload) =>
        [.. Big(from), .. Big(to), .. Big(8 + payload.Length), 0, 0, .. payload];

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

    private static byte[] Big(int value)
    {
        byte[] bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }
}
