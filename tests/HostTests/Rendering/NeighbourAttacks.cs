using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// What a machine would send to pass for another, for the router, or for a server of addresses: as its victims' own
/// stacks would believe it, checksums included.
/// </summary>
/// <param name="own">Who attacks.</param>
/// <param name="victim">Who is to believe it.</param>
/// <param name="neighbour">Whom it passes for.</param>
/// <param name="gateway">The gateway that it passes for.</param>
internal sealed class NeighbourAttacks(Station own, Station victim, Station neighbour, Station gateway)
{
    private const string Nobody = "02:00:00:00:00:99";
    private const string Everyone = "ff02::1";
    private const string EveryoneMac = "33:33:00:00:00:01";
    private readonly string _local = LinkLocal(own.Mac);

    /// <summary>ARP (RFC 826), and its relatives.</summary>
    public IEnumerable<(string Name, byte[] Frame)> Arps()
    {
        foreach (var (whose, address) in new[] { ("neighbour", neighbour.V4), ("gateway", gateway.V4) })
        {
            foreach (var (how, operation) in new[] { ("request", 1), ("reply", 2) })
            {
                yield return ($"ARP {how} as the {whose}", Arped(victim.Mac, own.Mac, operation, own.Mac, address));
                yield return ($"gratuitous ARP {how} as the {whose}", Ethernet(Broadcast, own.Mac, 0x0806,
                    Arp(operation, own.Mac, address, address, [])));
                yield return ($"ARP {how} as the {whose} from nobody",
                    Arped(victim.Mac, own.Mac, operation, Nobody, address));
                yield return ($"ARP {how} from the {whose}'s MAC and another inside",
                    Arped(victim.Mac, neighbour.Mac, operation, own.Mac, address));
            }
        }

        yield return ("ARP with another sender inside", Arped(victim.Mac, own.Mac, 2, Nobody, own.V4));
        yield return ("ARP announcement as the victim", Ethernet(Broadcast, own.Mac, 0x0806,
            Arp(1, own.Mac, victim.V4, victim.V4, [])));
        yield return ("RARP answer", Ethernet(victim.Mac, own.Mac, 0x8035,
            Arp(4, own.Mac, neighbour.V4, victim.V4, [])));
        yield return ("inverse ARP", Arped(victim.Mac, own.Mac, 9, own.Mac, neighbour.V4));
        byte[] strange = Arp(2, own.Mac, neighbour.V4, victim.V4, []);
        yield return ("ARP of another hardware", Ethernet(victim.Mac, own.Mac, 0x0806, [0, 6, .. strange[2..]]));
    }

    /// <summary>Neighbour discovery (RFC 4861) of an address that is not the sender's.</summary>
    public IEnumerable<(string Name, byte[] Frame)> Discoveries()
    {
        foreach (var (whose, address) in new[]
        {
            ("neighbour", neighbour.V6), ("neighbour's own link", LinkLocal(neighbour.Mac)), ("gateway", gateway.V6),
        })
        {
            byte[] advert = Neighbour(136, address, own.Mac);
            advert[4] = 0xe0;
            yield return ($"advertisement of the {whose}", Icmp(victim.Mac, own.V6, victim.V6, advert));
            yield return ($"advertisement of the {whose} to all", Icmp(EveryoneMac, _local, Everyone, advert));
            yield return ($"advertisement as the {whose}", Icmp(victim.Mac, address, victim.V6, advert));
            yield return ($"solicitation as the {whose}",
                Icmp(victim.Mac, address, victim.V6, Neighbour(135, victim.V6, own.Mac)));
            yield return ($"advertisement of the {whose} behind options", Six(victim.Mac, own.V6, victim.V6, 60,
                [58, 0, 1, 4, 0, 0, 0, 0, .. Summed(own.V6, victim.V6, 58, advert)]));
        }

        byte[] twice = [.. Neighbour(136, own.V6, own.Mac), 2, 1, .. Mac(Nobody)];
        yield return ("advertisement with two senders", Icmp(victim.Mac, own.V6, victim.V6, twice));
        yield return ("advertisement with another sender",
            Icmp(victim.Mac, own.V6, victim.V6, Neighbour(136, own.V6, Nobody)));
        yield return ("solicitation with another sender",
            Icmp(victim.Mac, own.V6, victim.V6, Neighbour(135, victim.V6, Nobody)));
    }

    /// <summary>Routers' messages (RFC 4861, RFC 792, RFC 1256).</summary>
    public IEnumerable<(string Name, byte[] Frame)> Routers()
    {
        byte[] advert = Summed(_local, Everyone, 58, RouterAdvert());
        yield return ("router advertisement", Six(EveryoneMac, _local, Everyone, 58, advert));
        yield return ("router advertisement to one", Six(victim.Mac, _local, Everyone, 58, advert));
        yield return ("router advertisement as the gateway", Icmp(
            EveryoneMac, LinkLocal(gateway.Mac), Everyone, RouterAdvert()));
        yield return ("router advertisement behind options", Six(EveryoneMac, _local, Everyone, 60,
            [58, 0, 1, 4, 0, 0, 0, 0, .. advert]));
        yield return ("router advertisement behind hop-by-hop", Six(EveryoneMac, _local, Everyone, 0,
            [58, 0, 1, 4, 0, 0, 0, 0, .. advert]));
        yield return ("atomic fragment of a router advertisement", Six(EveryoneMac, _local, Everyone, 44,
            [58, 0, 0, 0, 0, 0, 0, 9, .. advert]));
        yield return ("first fragment without the router advertisement", Six(EveryoneMac, _local, Everyone, 44,
            [60, 0, 0, 1, 0, 0, 0, 10, 58, 0, 1, 4, 0, 0, 0, 0]));
        yield return ("second fragment with the router advertisement", Six(EveryoneMac, _local, Everyone, 44,
            [60, 0, 0, 8, 0, 0, 0, 10, .. advert]));
        foreach (var (how, from) in new[] { ("own", _local), ("gateway's", LinkLocal(gateway.Mac)) })
        {
            yield return ($"redirect from its {how} address", Icmp(victim.Mac, from, victim.V6,
                [137, 0, 0, 0, 0, 0, 0, 0, .. Address(_local), .. Address("fd99::9"), 2, 1, .. Mac(own.Mac)]));
        }

        byte[] inner = Ipv4(victim.V4, "10.99.99.99", 17, Udp(9, 9, []));
        foreach (var (how, from) in new[] { ("own", own.V4), ("gateway's", gateway.V4) })
        {
            yield return ($"IPv4 redirect from its {how} address", Ethernet(victim.Mac, own.Mac, 0x0800, Ipv4(
                from, victim.V4, 1, Summed(from, victim.V4, 1, [5, 1, 0, 0, .. Address(own.V4), .. inner]))));
        }

        yield return ("IPv4 router advertisement", Ethernet(Broadcast, own.Mac, 0x0800, Ipv4(own.V4, "255.255.255.255",
            1, Summed(own.V4, "255.255.255.255", 1, [9, 0, 0, 0, 1, 2, 7, 8, .. Address(own.V4), 0, 0, 0, 1]))));
    }

    /// <summary>Servers' answers, and a client's question in another's name (RFC 2131, RFC 8415).</summary>
    public IEnumerable<(string Name, byte[] Frame)> Servers(Func<byte[]> mark)
    {
        foreach (var (mac, to) in new[] { (victim.Mac, victim.V4), (Broadcast, "255.255.255.255") })
        {
            foreach (var (from, at) in new[] { (67, 68), (67, 67), (9, 68), (68, 68) })
            {
                yield return ($"DHCP answer from {from} to {at} at {to}", Ethernet(mac, own.Mac, 0x0800,
                    Ipv4(own.V4, to, 17, Udp(from, at, [2, 1, 6, 0, .. mark()]))));
                yield return ($"DHCP answer as the gateway from {from} to {at} at {to}", Ethernet(mac, own.Mac, 0x0800,
                    Ipv4(gateway.V4, to, 17, Udp(from, at, [2, 1, 6, 0, .. mark()]))));
            }
        }

        foreach (var (from, at) in new[] { (547, 546), (9, 546), (547, 547), (546, 546) })
        {
            yield return ($"DHCPv6 answer from {from} to {at}", Six(victim.Mac, _local, LinkLocal(victim.Mac), 17,
                Udp(from, at, mark())));
        }

        yield return ("DHCP question of nobody", Ethernet(Broadcast, own.Mac, 0x0800,
            Ipv4("0.0.0.0", "255.255.255.255", 17, Udp(68, 67, [1, 1, 6, 0, .. mark()]))));
    }

    /// <summary>What says that an address that a machine is about to take is taken (RFC 4862, section 5.4).</summary>
    public IEnumerable<(string Name, byte[] Frame)> Theft()
    {
        var last = victim.V6[^2..];
        yield return ("advertisement of the victim's address",
            Icmp(EveryoneMac, own.V6, Everyone, Neighbour(136, victim.V6, own.Mac)));
        yield return ("advertisement from the victim's address",
            Icmp(EveryoneMac, victim.V6, Everyone, Neighbour(136, victim.V6, own.Mac)));
        yield return ("probe for the victim's address", Icmp(
            $"33:33:ff:00:00:{last}", "::", $"ff02::1:ff00:{last}", Neighbour(135, victim.V6, own.Mac)[..24]));
    }

    /// <summary>RFC 4291, appendix A.</summary>
    public static string LinkLocal(string mac)
    {
        byte[] half = Mac(mac);
        return new System.Net.IPAddress((byte[])
        [
            0xfe, 0x80, 0, 0, 0, 0, 0, 0, (byte)(half[0] ^ 2), half[1], half[2], 0xff, 0xfe, half[3], half[4], half[5],
        ]).ToString();
    }

    /// <summary>A default router for half an hour, and a prefix to take an address of.</summary>
    private byte[] RouterAdvert() =>
    [
        134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 4, 64, 0xc0, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0, 0, .. Address("fd66:6::"), 1, 1, .. Mac(own.Mac),
    ];

    private byte[] Arped(string to, string from, int operation, string sender, string address) =>
        Ethernet(to, from, 0x0806, Arp(operation, sender, address, victim.V4, []));

    private byte[] Icmp(string mac, string from, string to, byte[] message) =>
        Six(mac, from, to, 58, Summed(from, to, 58, message));

    private byte[] Six(string mac, string from, string to, int next, byte[] payload) =>
        Ethernet(mac, own.Mac, 0x86dd, Ipv6(from, to, next, payload));
}
