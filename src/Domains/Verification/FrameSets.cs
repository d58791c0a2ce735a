using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace Bailiwick.Domains.Verification;

/// <summary>Sets of packets in the words of protocols.</summary>
internal sealed class FrameSets(PacketSets sets)
{
    private const ulong GroupBit = 0x0100_0000_0000;

    public PacketSets Sets { get; } = sets;

    public int Ipv4 => Is(HeaderField.EtherType, HeaderFields.Ipv4);

    public int Ipv6 => Is(HeaderField.EtherType, HeaderFields.Ipv6);

    public int Arp => Is(HeaderField.EtherType, HeaderFields.Arp);

    /// <summary>Frames for several stations (IEEE 802, the group bit).</summary>
    public int ToMany { get; } = sets.Of(
        HeaderField.EtherDestination,
        Ranges.Masked(GroupBit, GroupBit, HeaderFields.Greatest(HeaderField.EtherDestination)) ?? []);

    /// <summary>Every frame that can be: which headers it has follows from those before.</summary>
    public int WellFormed => Any(
        All(Ipv4, Is(HeaderField.Extended, 0), NoFragmentHeader, HasProtocol),
        All(Ipv6, Is(HeaderField.Extended, 0), NoFragmentHeader, HasProtocol, Is(HeaderField.LaterFragment, 0)),
        All(Ipv6, Is(HeaderField.Extended, 1)),
        All(But(But(PacketSets.All, Ipv4), Ipv6), Is(HeaderField.Extended, 0), NoFragmentHeader,
            Is(HeaderField.Protocol, HeaderFields.None), Is(HeaderField.LaterFragment, 0)));

    private int NoFragmentHeader => Is(HeaderField.FragmentNext, HeaderFields.None);

    private int HasProtocol => But(PacketSets.All, Is(HeaderField.Protocol, HeaderFields.None));

    public int Is(HeaderField field, params ReadOnlySpan<UInt128> values) =>
        Sets.Of(field, FieldMatch.Is(field, values).Values);

    public int IsAny(HeaderField field, IEnumerable<UInt128> values) =>
        Sets.Of(field, Ranges.Sorted(values.Select(ValueRange.Of)));

    /// <summary>The packets whose fields are one of these rows.</summary>
    public int Rows(ImmutableArray<HeaderField> key, IEnumerable<UInt128[]> rows)
    {
        var elements = new ElementRows(key);
        Span<ValueRange> parts = stackalloc ValueRange[key.Length];
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                parts[i] = ValueRange.Of(row[i]);
            }

            elements.Add(parts);
        }

        return Sets.Elements(elements);
    }

    /// <summary>What is in all of them.</summary>
    public int All(params ReadOnlySpan<int> all)
    {
        var both = PacketSets.All;
        foreach (var one in all)
        {
            both = Sets.Both(both, one);
        }

        return both;
    }

    /// <summary>What is in any of them.</summary>
    public int Any(params ReadOnlySpan<int> any)
    {
        var either = PacketSets.None;
        foreach (var one in any)
        {
            either = Sets.Either(either, one);
        }

        return either;
    }

    public int But(int one, int other) => Sets.Without(one, other);

    /// <summary>Datagrams with their header.</summary>
    public int Udp(HeaderField port, params ReadOnlySpan<UInt128> ports) =>
        All(Is(HeaderField.Protocol, HeaderFields.Udp), Is(HeaderField.LaterFragment, 0), Is(port, ports));

    public int Icmp4(params ReadOnlySpan<UInt128> types) =>
        All(Ipv4, Is(HeaderField.Protocol, HeaderFields.Icmp), Is(HeaderField.LaterFragment, 0),
            Is(HeaderField.IcmpType, types));

    public int Icmp6(params ReadOnlySpan<UInt128> types) =>
        All(Ipv6, Is(HeaderField.Protocol, HeaderFields.Icmp6), Is(HeaderField.LaterFragment, 0),
            Is(HeaderField.IcmpType, types));

    /// <summary>Of neighbour discovery: no extension header, from the same link (RFC 4861, section 6.1).</summary>
    public int OnLink6(UInt128 type) =>
        All(Icmp6(type), Is(HeaderField.Extended, 0), Is(HeaderField.HopLimit, 255));

    /// <summary>
    /// Packets as machines send them to each other: from one of these senders to one of these receivers, to a port that
    /// a server has; then those of which only one end is a machine's.
    /// </summary>
    /// <param name="senders">Port and address of machines that send.</param>
    /// <param name="receivers">Port and address of machines that receive.</param>
    public ImmutableArray<int> Likely(
        IReadOnlyCollection<(UInt128 Device, IPAddress Address)> senders,
        IReadOnlyCollection<(UInt128 Device, IPAddress Address)> receivers)
    {
        var (from, to) = (
            Ends(senders, HeaderField.InName, HeaderField.Source4, HeaderField.Source6),
            Ends(receivers, HeaderField.OutName, HeaderField.Destination4, HeaderField.Destination6));
        var served = Sets.Of(HeaderField.DestinationPort, [new ValueRange(1, 65535)]);
        var unicast = But(PacketSets.All, ToMany);
        return [All(from, to, served, unicast), All(from, to, served), All(from, to), to, from];
    }

    private int Ends(
        IReadOnlyCollection<(UInt128 Device, IPAddress Address)> ends, HeaderField device, HeaderField four,
        HeaderField six)
    {
        return Any(End(Ipv4, four, AddressFamily.InterNetwork), End(Ipv6, six, AddressFamily.InterNetworkV6));

        int End(int family, HeaderField address, AddressFamily of) => All(family, Rows(
            [device, address],
            ends.Where(end => end.Address.AddressFamily == of)
                .Select(end => new[] { end.Device, NftValues.OfAddress(end.Address) })));
    }
}
