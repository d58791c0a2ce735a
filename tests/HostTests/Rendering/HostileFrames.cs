using System.Security.Cryptography;
using Bailiwick.Domains.Refinement;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>Whom a frame is for.</summary>
internal sealed record Station(string Mac, string V4, string V6)
{
    public static Station Of(PortPlan port) => new(
        port.Mac, port.Ipv4 ?? throw new InvalidOperationException(),
        port.Ipv6 ?? throw new InvalidOperationException());
}

/// <summary>
/// Odd frames of one sender, who tells its own addresses truly. Each has a name, and bytes of its own in it by which it
/// is found wherever it is seen.
/// </summary>
internal sealed class HostileFrames(Station own)
{
    private const int RunBytes = 5;
    private const int MarkBytes = RunBytes + 3;
    private const int MoreFragments = 0x2000;
    private static readonly int[] TagTypes = [0x8100, 0x88a8, 0x9100];
    private readonly byte[] _run = RandomNumberGenerator.GetBytes(RunBytes);
    private readonly List<(string Name, byte[] Frame)> _all = [];

    public IReadOnlyList<(string Name, byte[] Frame)> All => _all;

    /// <summary>The names of those that are among frames that were seen, in order.</summary>
    public IReadOnlyList<string> In(IEnumerable<byte[]> seen) =>
        [.. seen.Select(one => NameIn(one)).OfType<string>().Distinct().Order(StringComparer.Ordinal)];

    /// <summary>The name of the one that is inside a frame that was seen; null for none.</summary>
    public string? NameIn(ReadOnlySpan<byte> seen)
    {
        var at = seen.IndexOf(_run);
        return at < 0 ? null
            : seen.Length < at + MarkBytes ? "cut off"
            : _all[(seen[at + RunBytes] << 16) | (seen[at + RunBytes + 1] << 8) | seen[at + RunBytes + 2]].Name;
    }

    /// <summary>Every protocol of IPv4, and every next header of IPv6.</summary>
    public HostileFrames Protocols(Station to)
    {
        for (var protocol = 0; protocol <= 255; protocol++)
        {
            var number = protocol;
            Add($"IPv4 protocol {number}", mark => V4(to, number, Body(number, to, mark, ipv6: false)));
            Add($"IPv6 next header {number}", mark => V6(to, number, Body(number, to, mark, ipv6: true)));
        }

        return this;
    }

    /// <summary>Every EtherType and every length that is not IP or ARP, before a packet that would be right.</summary>
    public HostileFrames EtherTypes(Station to)
    {
        for (var type = 0; type <= 0xffff; type++)
        {
            if (type is not (0x0800 or 0x0806 or 0x86dd))
            {
                var number = type;
                Add($"EtherType {number:x4}", mark =>
                    Ethernet(to.Mac, own.Mac, number, Ipv4(own.V4, to.V4, 17, Udp(9, 9, mark))));
            }
        }

        return this;
    }

    /// <summary>Fragments: first, later, tiny, overlapping, far (RFC 791, RFC 8200 section 4.5).</summary>
    public HostileFrames Fragments(Station to)
    {
        void Four(string name, int protocol, int offset, bool more, Func<byte[], byte[]> payload) =>
            Add("IPv4 " + name, mark => Ethernet(to.Mac, own.Mac, 0x0800, Ipv4(
                own.V4, to.V4, protocol, payload(mark), (more ? MoreFragments : 0) | (offset / 8), [])));
        void Six(string name, int next, int offset, bool more, Func<byte[], byte[]> payload) =>
            Add("IPv6 " + name, mark => V6(to, 44,
                [(byte)next, 0, .. Big(offset | (more ? 1 : 0)), 0, 0, 0, 7, .. payload(mark)]));
        foreach (var (icmp, row) in new (int, Action<string, int, int, bool, Func<byte[], byte[]>>)[]
        {
            (1, Four), (58, Six),
        })
        {
            row("first fragment", 17, 0, true, mark => Udp(9, 9, mark));
            row("first fragment of TCP", 6, 0, true, mark => Syn(9, 9, mark));
            row("later fragment", 17, 16, true, mark => mark);
            row("last fragment", 17, 24, false, mark => mark);
            row("tiny first fragment", 6, 0, true, mark => mark);
            row("tiny later fragment", 6, 8, true, mark => mark);
            row("overlapping fragment", 6, 8, false, mark => [.. mark, .. mark]);
            row("overlapping first fragment", 6, 0, false, mark => Syn(9, 9, mark));
            row("farthest fragment", 17, 65_528, false, mark => mark);
            row("fragment of nothing known", 253, 0, true, mark => mark);
            row("fragment of ICMP", icmp, 0, true, mark => [13, 0, 0, 0, 0, 0, 0, 0, .. mark]);
        }

        Six("atomic fragment", 17, 0, false, mark => Udp(9, 9, mark));
        Six("fragment of a fragment", 44, 0, true, mark => [17, 0, 0, 0, 0, 0, 0, 8, .. Udp(9, 9, mark)]);
        Six("fragment without its transport", 60, 0, true, mark => [58, 0, 1, 4, 0, 0, 0, 0, .. mark]);
        Six("fragment of a fragment of no transport", 44, 0, true, mark => [60, 0, 0, 1, 0, 0, 0, 8, .. mark]);
        return this;
    }

    /// <summary>IPv6 extension headers, alone, in chains, in wrong order and of wrong length (RFC 8200).</summary>
    public HostileFrames Extensions(Station to)
    {
        foreach (var header in new byte[] { 0, 43, 51, 60, 135, 139, 140, 253, 254 })
        {
            Add($"extension {header}", mark => V6(to, header, [.. Option(17), .. Udp(9, 9, mark)]));
            Add($"extension {header} twice", mark => V6(to, header,
                [.. Option(header), .. Option(6), .. Syn(9, 9, mark)]));
            Add($"extension {header} before hop-by-hop", mark => V6(to, header,
                [.. Option(0), .. Option(17), .. Udp(9, 9, mark)]));
            Add($"extension {header} too long", mark => V6(to, header, [17, 200, .. mark]));
            Add($"extension {header} before nothing", mark => V6(to, header, [59, 0, 1, 4, 0, 0, 0, 0, .. mark]));
        }

        foreach (var length in new[] { 8, 40, 120 })
        {
            byte[] chain = [.. Enumerable.Repeat(Option(60), length - 1).SelectMany(one => one), .. Option(17)];
            Add($"{length} extensions", mark => V6(to, 60, [.. chain, .. Udp(9, 9, mark)]));
        }

        foreach (var type in new byte[] { 0, 2, 3, 4 })
        {
            Add($"routing header {type}", mark => V6(to, 43,
                [17, 2, type, 1, 0, 0, 0, 0, .. Address(to.V6), .. Udp(9, 9, mark)]));
        }

        return this;
    }

    /// <summary>Headers that lie about themselves.</summary>
    public HostileFrames Malformed(Station to)
    {
        void Bent(string name, int place, byte value) => Add("IPv4 " + name, mark =>
        {
            var frame = V4(to, 17, Udp(9, 9, mark));
            frame[14 + place] = value;
            return frame;
        });
        Bent("header too short", 0, 0x44);
        Bent("header too long", 0, 0x4f);
        Bent("of version 6", 0, 0x65);
        Bent("of version 0", 0, 0x05);
        Bent("length too long", 2, 0x7f);
        Bent("length of nothing", 3, 0);
        Bent("time to live 0", 8, 0);
        Bent("evil bit", 6, 0x80);
        Bent("wrong checksum", 10, 0x5a);
        Add("IPv6 of version 4", mark => Changed(V6(to, 17, Udp(9, 9, mark)), 14, 0x45));
        Add("IPv6 length too long", mark => Changed(V6(to, 17, Udp(9, 9, mark)), 18, 0x7f));
        Add("IPv6 jumbogram", mark => Changed(
            V6(to, 0, [17, 0, 0xc2, 4, 0, 1, 0, 0, .. Udp(9, 9, mark)]), 19, 0));
        Add("IPv6 hop limit 0", mark => Changed(V6(to, 17, Udp(9, 9, mark)), 21, 0));
        byte[] Four(byte[] mark) => Ipv4(own.V4, to.V4, 17, Udp(9, 9, mark));
        byte[] Six(byte[] mark) => Ipv6(own.V6, to.V6, 17, Udp(9, 9, mark));
        Add("IPv4 in IPv6's type", mark => Ethernet(to.Mac, own.Mac, 0x86dd, Four(mark)));
        Add("IPv6 in IPv4's type", mark => Ethernet(to.Mac, own.Mac, 0x0800, Six(mark)));
        Add("IP in ARP's type", mark => Ethernet(to.Mac, own.Mac, 0x0806, Four(mark)));
        foreach (var (name, kind) in new (string, byte)[]
        {
            ("loose route", 131), ("strict route", 137), ("record", 7),
        })
        {
            Add("IPv4 option " + name, mark => Ethernet(to.Mac, own.Mac, 0x0800, Ipv4(
                own.V4, to.V4, 17, Udp(9, 9, mark), 0, [kind, 7, 4, .. Address(to.V4), 0])));
        }

        Add("no packet", mark => Ethernet(to.Mac, own.Mac, 0x0800, mark));
        Add("ARP of nothing", mark => Ethernet(to.Mac, own.Mac, 0x0806, mark));
        return this;
    }

    /// <summary>An odd frame, and the plain one after it to the same address: the first must not open a way.</summary>
    public HostileFrames Sequences(Station to)
    {
        for (var turn = 0; turn < 3; turn++)
        {
            Add("protocol 0", mark => V4(to, 0, [.. new byte[8], .. mark]));
            Add("TCP after protocol 0", mark => V4(to, 6, Summed(own.V4, to.V4, 6, Syn(4000, 9, mark))));
            Add("UDP after protocol 0", mark => V4(to, 17, Summed(own.V4, to.V4, 17, Udp(4000, 9, mark))));
            Add("hop-by-hop", mark => V6(to, 0, [.. Option(6), .. Syn(4001, 9, mark)]));
            Add("TCP after hop-by-hop", mark => V6(to, 6, Summed(own.V6, to.V6, 6, Syn(4001, 9, mark))));
            Add("fragment", mark => Ethernet(to.Mac, own.Mac, 0x0800, Ipv4(
                own.V4, to.V4, 6, Syn(4002, 9, mark), MoreFragments, [])));
            Add("TCP after a fragment", mark => V4(to, 6, Summed(own.V4, to.V4, 6, Syn(4002, 9, mark))));
            Add("tagged", mark => Ethernet(to.Mac, own.Mac, 0x8100, [0, 5, 8, 0, .. Ipv4(own.V4, to.V4, 17, mark)]));
            Add("UDP after a tag", mark => V4(to, 17, Summed(own.V4, to.V4, 17, Udp(4003, 9, mark))));
            Add("discovery", mark => Ethernet("01:80:c2:00:00:0e", own.Mac, 0x88cc, mark));
            Add("UDP after discovery", mark => V6(to, 17, Summed(own.V6, to.V6, 17, Udp(4004, 9, mark))));
        }

        return this;
    }

    /// <summary>To everybody and to groups, about a station: what the sender's own domain may hear.</summary>
    public HostileFrames Everybody(Station to)
    {
        foreach (var (mac, v4, v6) in new[]
        {
            (Broadcast, to.V4, to.V6), (Broadcast, "255.255.255.255", "ff02::1"),
            ("01:00:5e:00:00:01", "224.0.0.1", to.V6), ("33:33:00:00:00:01", "224.0.0.251", "ff02::1"),
            ("33:33:ff:00:00:01", to.V4, "ff02::1:ff00:1"),
            ("01:00:5e:7f:ff:fa", "239.255.255.250", "ff0e::1"), ("03:00:00:00:00:01", to.V4, to.V6),
        })
        {
            var all = to with { Mac = mac, V4 = v4, V6 = v6 };
            Add($"UDP to {mac}", mark => V4(all, 17, Udp(9, 9, mark)));
            Add($"UDP over IPv6 to {mac}", mark => V6(all, 17, Udp(9, 9, mark)));
            Add($"IGMP query to {mac}", mark => V4(all, 2, [0x11, 10, 0, 0, 0, 0, 0, 0, .. mark]));
            Add($"OSPF to {mac}", mark => V4(all, 89, mark));
            Add($"VRRP to {mac}", mark => V4(all, 112, mark));
        }

        Add("ARP request", mark => Ethernet(Broadcast, own.Mac, 0x0806, Arp(1, own.Mac, own.V4, to.V4, mark)));
        Add("ARP reply", mark => Ethernet(Broadcast, own.Mac, 0x0806, Arp(2, own.Mac, own.V4, to.V4, mark)));
        return this;
    }

    /// <summary>A packet that would be right, behind every tag and behind tags of tags (IEEE 802.1Q).</summary>
    public HostileFrames Tags(Station to)
    {
        for (var tag = 0; tag <= 0xffff; tag += tag < 0x1000 ? 1 : 0x0fff)
        {
            var number = tag;
            Add($"tag {number:x4}", mark => Ethernet(to.Mac, own.Mac, 0x8100,
                [.. Big(number), 8, 0, .. Plain(to, mark)]));
            Add($"TCP behind tag {number:x4}", mark => Ethernet(to.Mac, own.Mac, 0x8100,
                [.. Big(number), 8, 0, .. Ipv4(own.V4, to.V4, 6, Syn(4005, 9, mark))]));
            Add($"TCP over IPv6 behind tag {number:x4}", mark => Ethernet(to.Mac, own.Mac, 0x8100,
                [.. Big(number), 0x86, 0xdd, .. Ipv6(own.V6, to.V6, 6, Syn(4006, 9, mark))]));
        }

        foreach (var (outer, inner) in from outer in TagTypes
                 from inner in TagTypes select (outer, inner))
        {
            foreach (var tag in new[] { 0, 1, 5, 4095 })
            {
                Add($"tag {tag} in {outer:x4} and {inner:x4}", mark => Ethernet(to.Mac, own.Mac, outer,
                    [.. Big(tag), .. Big(inner), .. Big(tag), 8, 0, .. Plain(to, mark)]));
            }
        }

        return this;
    }

    /// <summary>
    /// Protocols between switches, to every reserved address of theirs, in the sender's and in another's name.
    /// </summary>
    public HostileFrames Controls(Station other)
    {
        byte[] loop = [0x42, 0x42, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (var last = 0; last <= 0x2f; last++)
        {
            foreach (var from in new[] { own.Mac, other.Mac })
            {
                var group = $"01:80:c2:00:00:{last:x2}";
                Add($"spanning tree to {group} from {from}", mark => Ethernet(group, from, 60, [.. loop, .. mark]));
                foreach (var (name, type) in new[]
                {
                    ("discovery", 0x88cc), ("aggregation", 0x8809), ("pause", 0x8808), ("port access", 0x888e),
                    ("registration", 0x88f5), ("faults", 0x8902), ("time", 0x88f7),
                })
                {
                    Add($"{name} to {group} from {from}", mark => Ethernet(group, from, type, [1, 1, .. mark]));
                }
            }
        }

        foreach (var group in new[] { "01:00:0c:cc:cc:cc", "01:00:0c:cc:cc:cd", "01:1b:19:00:00:00" })
        {
            Add($"to {group}", mark => Ethernet(group, own.Mac, 60,
                [0xaa, 0xaa, 3, 0, 0, 12, 1, 0x0b, .. loop, .. mark]));
        }

        return this;
    }

    /// <summary>Frames for a victim, packed for the tunnels of hosts, and sessions that watch over tunnels.</summary>
    public HostileFrames ForTunnels(Station victim, string hostMac, string hostV4, IEnumerable<int> numbers)
    {
        var to = new Station(hostMac, hostV4, victim.V6);
        byte[] Inner(byte[] mark) => Ethernet(victim.Mac, own.Mac, 0x0800, Plain(victim, mark));
        foreach (var number in numbers)
        {
            foreach (var port in new[] { 4789, 8472, 4790, 6081 })
            {
                Add($"tunnel {number} to {port} at {hostMac}", mark => V4(to, 17,
                    Udp(port, port, Vxlan(number, Inner(mark)))));
            }

            Add($"GRE {number} at {hostMac}", mark => V4(to, 47,
                [0x20, 0, 0x65, 0x58, .. Big(0), .. Big(number), .. Inner(mark)]));
        }

        foreach (var port in new[] { 3784, 3785, 4784, 6784 })
        {
            Add($"BFD to {port} at {hostMac}", mark => V4(to, 17, Udp(49152, port, [0x20, 0xc0, 3, 24, .. mark])));
        }

        return this;
    }

    /// <summary>To a host's own stack in another host's name: in plain, and packed for a tunnel.</summary>
    public HostileFrames AsHost(string hostMac, string hostV4, int number, Station far, Station near)
    {
        var to = new Station(hostMac, hostV4, near.V6);
        Add($"UDP to the host at {hostMac}", mark => V4(to, 17, Udp(9, 9, mark)));
        Add($"tunnel packet to the host at {hostMac}", mark => V4(to, 17, Udp(4789, 4789, Vxlan(number,
            Ethernet(near.Mac, far.Mac, 0x0800, Ipv4(far.V4, near.V4, 17, Udp(9, 9, mark)))))));
        return this;
    }

    private byte[] Plain(Station to, byte[] mark) => Ipv4(own.V4, to.V4, 17, Udp(9, 9, mark));

    private static byte[] Option(byte next) => [next, 0, 1, 4, 0, 0, 0, 0];

    private static byte[] Changed(byte[] frame, int place, byte value)
    {
        frame[place] = value;
        return frame;
    }

    /// <summary>What the protocol's own parser takes for right, to a port or of a type that no flow opens.</summary>
    private byte[] Body(int protocol, Station to, byte[] mark, bool ipv6)
    {
        var (from, at) = ipv6 ? (own.V6, to.V6) : (own.V4, to.V4);
        return protocol switch
        {
            1 => Summed(from, at, ipv6 ? 58 : 1, [13, 0, 0, 0, 0, 0, 0, 0, .. mark]),
            6 => Summed(from, at, 6, Syn(9, 9, mark)),
            17 => Summed(from, at, 17, Udp(9, 9, mark)),
            58 => Summed(from, at, ipv6 ? 58 : 1, [139, 0, 0, 0, 0, 0, 0, 0, .. mark]),
            _ => [.. new byte[16], .. mark, .. new byte[24]],
        };
    }

    private byte[] V4(Station to, int protocol, byte[] payload) =>
        Ethernet(to.Mac, own.Mac, 0x0800, Ipv4(own.V4, to.V4, protocol, payload));

    private byte[] V6(Station to, int next, byte[] payload) =>
        Ethernet(to.Mac, own.Mac, 0x86dd, Ipv6(own.V6, to.V6, next, payload, 64));

    private void Add(string name, Func<byte[], byte[]> frame) => _all.Add((
        name, frame([.. _run, (byte)(_all.Count >> 16), (byte)(_all.Count >> 8), (byte)_all.Count])));
}
