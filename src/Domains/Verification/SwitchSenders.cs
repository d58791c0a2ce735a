using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// A machine's port in a domain, as statements describe it, and where on a host its frames come from.
/// </summary>
/// <param name="Device">A port of the host's switch: its own, or a tunnel's.</param>
/// <param name="Mac">Its MAC.</param>
/// <param name="Ipv4">By its statement; null for none.</param>
/// <param name="Ipv6">By its statement; null for none.</param>
/// <param name="LinkLocal">Derived from its MAC.</param>
/// <param name="IsHere">Whether the host runs it.</param>
/// <param name="IsServer">Whether its domain names it to tell the others their addresses.</param>
internal sealed record Station(
    UInt128 Device, UInt128 Mac, UInt128? Ipv4, UInt128? Ipv6, UInt128 LinkLocal, bool IsHere, bool IsServer);

/// <summary>
/// What a domain's switch takes from machines' ports and from tunnels, said by the promises alone: everything from
/// their own addresses, but for what would have others believe something of the network (docs/networks.md).
/// </summary>
/// <remarks>
/// A machine sends from its own MAC with its own IPv4 address, IPv6 address or the link-local one of its MAC; ARP and
/// neighbour discovery only of itself and in their plainest shape. Refused are ICMP's redirects and router
/// advertisements; router renumbering, redirects and inverse discovery of ICMPv6; fragments whose rest could be hidden
/// (RFC 7112); answers of DHCP and DHCPv6 and what is sent to their clients, unless the domain names the machine. Where
/// a domain has a service of addresses, questions are for oneself only.
/// </remarks>
internal sealed class SwitchSenders(FrameSets frames, NetworkServices services, IReadOnlyList<Station> stations)
{
    private const uint Everybody4 = 0xffff_ffff;

    private static readonly UInt128 AllRouters = NftValues.OfAddress("ff02::2");

    private readonly int _own4 = frames.Rows(
        [HeaderField.InName, HeaderField.EtherSource, HeaderField.Source4],
        Having(stations, station => station.Ipv4, (station, address) => [station.Device, station.Mac, address]));

    private readonly int _own6 = Own(frames, stations, HeaderField.EtherSource, HeaderField.Source6);

    private bool Asks => services.Addresses is not AddressService.Nobody;

    private int Servers => frames.Rows(
        [HeaderField.InName, HeaderField.EtherSource],
        stations.Where(station => station.IsServer).Select(station => new[] { station.Device, station.Mac }));

    /// <summary>Frames that come from a machine, here or behind a tunnel.</summary>
    public int Frames() => frames.Any(Frames4(), Frames6(), FramesArp());

    private int Frames4()
    {
        var refused = frames.Any(
            frames.Icmp4(5, 9),
            frames.But(
                frames.Any(frames.Udp(HeaderField.SourcePort, 67), frames.Udp(HeaderField.DestinationPort, 68)),
                Servers));
        var own = frames.But(frames.All(frames.Ipv4, _own4), refused);
        if (!Asks)
        {
            return own;
        }

        var questions = frames.All(frames.Ipv4, frames.Udp(HeaderField.DestinationPort, 67));
        var ofOneself = frames.All(
            questions, frames.Udp(HeaderField.SourcePort, 68),
            // A boot request, Ethernet, six bytes of address; no relay.
            frames.Is(HeaderField.DhcpHead, 0x010106), frames.Is(HeaderField.DhcpRelay, 0),
            frames.Rows(
                [HeaderField.InName, HeaderField.EtherSource, HeaderField.DhcpMac],
                stations.Where(station => station.IsHere || services.Addresses is AddressService.Machine)
                    .Select(station => new[] { station.Device, station.Mac, station.Mac })));
        var withoutAddress = frames.All(
            frames.Is(HeaderField.Source4, 0), frames.Is(HeaderField.Destination4, Everybody4));
        return frames.Any(frames.But(own, questions), frames.All(ofOneself, frames.Any(_own4, withoutAddress)));
    }

    private int Frames6()
    {
        // What may follow in the next fragment is not seen in this one (RFC 7112).
        var hiding = frames.Is(HeaderField.FragmentNext, 0, 43, 44, 51, 60, 135, 139, 140);
        var claims = frames.But(
            frames.Any(frames.Udp(HeaderField.SourcePort, 547), frames.Udp(HeaderField.DestinationPort, 546)), Servers);
        var discovery = frames.Icmp6(133, 134, 135, 136, 137, 138, 141, 142);
        var questions = Asks ? frames.Udp(HeaderField.DestinationPort, 547) : PacketSets.None;
        var own = frames.All(frames.Ipv6, _own6);
        var plain = frames.But(own, frames.Any(hiding, claims, discovery, questions));
        // A relay's messages would carry whatever client address they like (RFC 8415, section 8).
        var ofOneself = frames.But(
            frames.All(
                own, questions, frames.Udp(HeaderField.SourcePort, 546),
                frames.Is(HeaderField.Dhcp6Type, 1, 3, 4, 5, 6, 8, 9, 11)),
            hiding);
        var advertised = services.Addresses is AddressService.Machine && stations.Any(station => station.IsServer)
            ? frames.All(frames.OnLink6(134), Servers, own) : PacketSets.None;
        var solicited = Asks
            ? frames.All(frames.OnLink6(133), frames.Is(HeaderField.Destination6, AllRouters),
                frames.Is(HeaderField.Length6, 8, 16), own)
            : PacketSets.None;
        return frames.Any(
            plain, ofOneself, solicited, advertised,
            frames.All(frames.OnLink6(135), own, Option(0x0101)),
            frames.All(
                frames.OnLink6(136), own, Option(0x0201),
                Own(frames, stations, HeaderField.EtherSource, HeaderField.NeighbourTarget)));
    }

    /// <summary>No option, or one that says the sender's own MAC.</summary>
    private int Option(UInt128 kind) => frames.Any(
        frames.Is(HeaderField.Length6, 24),
        frames.All(
            frames.Is(HeaderField.Length6, 32), frames.Is(HeaderField.NeighbourOption, kind),
            Own(frames, stations, HeaderField.NeighbourMac, HeaderField.Source6)));

    private int FramesArp() => frames.All(
        frames.Arp, frames.Is(HeaderField.ArpHardware, 1), frames.Is(HeaderField.ArpProtocol, HeaderFields.Ipv4),
        frames.Is(HeaderField.ArpHardwareLength, 6), frames.Is(HeaderField.ArpProtocolLength, 4),
        frames.Is(HeaderField.ArpOperation, 1, 2),
        frames.Rows(
            [HeaderField.InName, HeaderField.EtherSource, HeaderField.ArpSenderMac, HeaderField.ArpSender],
            Having(
                stations, station => station.Ipv4,
                (station, address) => [station.Device, station.Mac, station.Mac, address])));

    private static int Own(
        FrameSets frames, IReadOnlyList<Station> stations, HeaderField mac, HeaderField address) => frames.Rows(
        [HeaderField.InName, mac, address],
        Having(stations, station => station.Ipv6, (station, own) => [station.Device, station.Mac, own])
            .Concat(Having(
                stations, station => station.Ipv6,
                (station, _) => [station.Device, station.Mac, station.LinkLocal])));

    private static IEnumerable<UInt128[]> Having(
        IReadOnlyList<Station> stations, Func<Station, UInt128?> address,
        Func<Station, UInt128, UInt128[]> row) =>
        from station in stations
        where address(station) is not null
        select row(station, address(station) ?? 0);
}
