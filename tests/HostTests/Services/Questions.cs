using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Services;

/// <summary>What clients of DHCP, DHCPv6, DNS and router discovery send, with checksums that a server reads.</summary>
internal static class Questions
{
    public const string AllRouters = "33:33:00:00:00:02";
    public const string AllServers = "33:33:00:01:00:02";

    /// <summary>A DHCPDISCOVER (RFC 2131) by whoever has the frame's MAC, for whoever has the other.</summary>
    public static byte[] Discover(string from, string client, int number, bool broadcast = false) =>
        Ethernet(Broadcast, from, 0x0800, Ipv4("0.0.0.0", "255.255.255.255", 17, Udp(68, 67,
        [
            1, 1, 6, 0, .. Big32(number), 0, 0, (byte)(broadcast ? 0x80 : 0), 0, .. new byte[16], .. Mac(client),
            .. new byte[10 + 192], 99, 130, 83, 99, 53, 1, 1, 55, 4, 1, 3, 6, 26, 255,
        ])));

    /// <summary>The beginning of a server's answer to a question of this number, up to the client's address.</summary>
    public static byte[] Offer(int number) => [2, 1, 6, 0, .. Big32(number)];

    /// <summary>A SOLICIT (RFC 8415) for one address, by a client with this MAC and identifier.</summary>
    public static byte[] Solicit(string from, string fromAddress, string client, int number) => Ethernet(
        AllServers, from, 0x86dd,
        Udp6(fromAddress, "ff02::1:2", 546, 547, Dhcp6(client, number)));

    /// <summary>The same question, as a relay would carry it for another client (RFC 6939 names the MAC).</summary>
    public static byte[] RelayedSolicit(string from, string fromAddress, string client, int number)
    {
        byte[] inner = Dhcp6(client, number);
        return Ethernet(AllServers, from, 0x86dd, Udp6(fromAddress, "ff02::1:2", 547, 547,
        [
            12, 0, .. Address("fd20:1::1"), .. Address(fromAddress), 0, 79, 0, 8, 0, 1, .. Mac(client),
            0, 9, .. Big(inner.Length), .. inner,
        ]));
    }

    /// <summary>The same from a client's port.</summary>
    public static byte[] RelayedFromClientPort(string from, string fromAddress, string client, int number)
    {
        byte[] inner = Dhcp6(client, number);
        return Ethernet(AllServers, from, 0x86dd, Udp6(fromAddress, "ff02::1:2", 546, 547,
        [
            12, 0, .. Address("fd20:1::1"), .. Address(fromAddress), 0, 79, 0, 8, 0, 1, .. Mac(client),
            0, 9, .. Big(inner.Length), .. inner,
        ]));
    }

    /// <summary>The beginning of an ADVERTISE of this number.</summary>
    public static byte[] Advertise(int number) => [2, .. Big32(number)[1..]];

    /// <summary>A router solicitation (RFC 4861, section 4.1).</summary>
    public static byte[] RouterSolicit(string from, string fromAddress, int hops = 255)
    {
        byte[] message = [133, 0, 0, 0, 0, 0, 0, 0, 1, 1, .. Mac(from)];
        return Ethernet(AllRouters, from, 0x86dd,
            Ipv6(fromAddress, "ff02::2", 58, Summed6(fromAddress, "ff02::2", 58, message, 2), hops));
    }

    /// <summary>An IPv6 datagram that a receiver takes.</summary>
    public static byte[] Udp6(string from, string to, int fromPort, int toPort, byte[] payload) =>
        Ipv6(from, to, 17, Summed6(from, to, 17, Udp(fromPort, toPort, payload), 6), 64);

    /// <summary>Asks over UDP; null when there is no answer in a second.</summary>
    public static byte[]? Ask(Socket socket, string server, string name, int type)
    {
        byte[] question =
        [
            0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
            .. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]),
            0, .. Big(type), 0, 1,
        ];
        socket.SendTo(question, new IPEndPoint(IPAddress.Parse(server), 53));
        byte[] answer = new byte[1500];
        try
        {
            return answer[..socket.Receive(answer)];
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>The response code of an answer (RFC 1035, section 4.1.1).</summary>
    public static int Code(byte[] answer) => answer[3] & 15;

    private static byte[] Dhcp6(string client, int number) =>
    [
        1, .. Big32(number)[1..], 0, 1, 0, 10, 0, 3, 0, 1, .. Mac(client), 0, 3, 0, 12, 0, 0, 0, 1, .. new byte[8],
        0, 8, 0, 2, 0, 0,
    ];

    private static byte[] Summed6(string from, string to, int next, byte[] message, int at)
    {
        byte[] pseudo =
            [.. Address(from), .. Address(to), 0, 0, .. Big(message.Length), 0, 0, 0, (byte)next, .. message];
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at), Sum(pseudo));
        return message;
    }

    /// <summary>RFC 1071.</summary>
    private static ushort Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i += 2)
        {
            sum += (uint)((bytes[i] << 8) | (i + 1 < bytes.Length ? bytes[i + 1] : 0));
        }

        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static byte[] Big(int value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Big32(int value) =>
        [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
