using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>A field has one of these values.</summary>
/// <param name="Field">The field.</param>
/// <param name="Values">In order, neither overlapping nor adjoining.</param>
public sealed record FieldMatch(HeaderField Field, ImmutableArray<ValueRange> Values)
{
    internal static FieldMatch Is(HeaderField field, params ReadOnlySpan<UInt128> values) =>
        new(field, Ranges.Sorted(values.ToArray().Select(ValueRange.Of)));
}

/// <summary>How large fields are, and which packets have them: a match on what a packet lacks fails.</summary>
internal static class HeaderFields
{
    public const int Ipv4 = 0x0800;
    public const int Arp = 0x0806;
    public const int Ipv6 = 0x86dd;
    public const int Icmp = 1;
    public const int Tcp = 6;
    public const int Udp = 17;
    public const int Icmp6 = 58;
    public const int None = 256;
    public const int Invalid = 1;
    public const int Established = 2;
    public const int Related = 4;
    public const int New = 8;
    public const int Untracked = 64;

    /// <summary>How many fields there are; their numbers begin at 1.</summary>
    public const int Count = (int)HeaderField.ConnectionDestination6;

    private static readonly UInt128[] Sizes = Indexed(new()
    {
        [HeaderField.EtherType] = 0xffff, [HeaderField.Extended] = 1, [HeaderField.FragmentNext] = None,
        [HeaderField.Protocol] = None, [HeaderField.LaterFragment] = 1, [HeaderField.HopLimit] = 0xff,
        [HeaderField.Length6] = 0xffff, [HeaderField.IcmpType] = 0xff, [HeaderField.IcmpCode] = 0xff,
        [HeaderField.SourcePort] = 0xffff, [HeaderField.DestinationPort] = 0xffff, [HeaderField.TcpFlags] = 0xff,
        [HeaderField.PacketType] = 0xff, [HeaderField.ArpHardware] = 0xffff, [HeaderField.ArpProtocol] = 0xffff,
        [HeaderField.ArpHardwareLength] = 0xff, [HeaderField.ArpProtocolLength] = 0xff,
        [HeaderField.ArpOperation] = 0xffff, [HeaderField.NeighbourOption] = 0xffff,
        [HeaderField.DhcpHead] = 0xffffff, [HeaderField.DhcpRelay] = uint.MaxValue, [HeaderField.Dhcp6Type] = 0xff,
        [HeaderField.VxlanNumber] = 0xffffff, [HeaderField.Flooding] = 1, [HeaderField.ConnectionState] = 0xff,
        [HeaderField.ConnectionDirection] = 1, [HeaderField.ConnectionProtocol] = 0xff,
        [HeaderField.ConnectionPort] = 0xffff, [HeaderField.InName] = UInt128.MaxValue,
        [HeaderField.InGroup] = uint.MaxValue, [HeaderField.EtherSource] = 0xffff_ffff_ffff,
        [HeaderField.Source4] = uint.MaxValue, [HeaderField.Source6] = UInt128.MaxValue,
        [HeaderField.ArpSenderMac] = 0xffff_ffff_ffff, [HeaderField.ArpSender] = uint.MaxValue,
        [HeaderField.NeighbourTarget] = UInt128.MaxValue, [HeaderField.NeighbourMac] = 0xffff_ffff_ffff,
        [HeaderField.DhcpMac] = 0xffff_ffff_ffff, [HeaderField.ConnectionSource4] = uint.MaxValue,
        [HeaderField.ConnectionSource6] = UInt128.MaxValue, [HeaderField.OutName] = UInt128.MaxValue,
        [HeaderField.OutGroup] = uint.MaxValue, [HeaderField.EtherDestination] = 0xffff_ffff_ffff,
        [HeaderField.Destination4] = uint.MaxValue, [HeaderField.Destination6] = UInt128.MaxValue,
        [HeaderField.ArpTarget] = uint.MaxValue, [HeaderField.ConnectionDestination4] = uint.MaxValue,
        [HeaderField.ConnectionDestination6] = UInt128.MaxValue,
    });

    private static readonly FieldMatch IsIpv4 = FieldMatch.Is(HeaderField.EtherType, Ipv4);
    private static readonly FieldMatch IsArp = FieldMatch.Is(HeaderField.EtherType, Arp);
    private static readonly FieldMatch IsIpv6 = FieldMatch.Is(HeaderField.EtherType, Ipv6);
    private static readonly FieldMatch IsWhole = FieldMatch.Is(HeaderField.LaterFragment, 0);

    /// <summary>Connection tracking knows of the packet's connection.</summary>
    private static readonly FieldMatch IsTracked =
        FieldMatch.Is(HeaderField.ConnectionState, Established, Related, New);

    private static readonly FieldMatch HasProtocol =
        new(HeaderField.Protocol, [new ValueRange(0, byte.MaxValue)]);

    private static readonly FrozenDictionary<HeaderField, ImmutableArray<FieldMatch>> Conditions = Needing();

    /// <summary>The greatest value of a field; the least is 0.</summary>
    public static UInt128 Greatest(HeaderField field) => Sizes[(int)field];

    /// <summary>What is so of every packet that has the field.</summary>
    public static ImmutableArray<FieldMatch> Needs(HeaderField field) => Conditions.GetValueOrDefault(field, []);

    private static UInt128[] Indexed(Dictionary<HeaderField, UInt128> sizes) =>
        [.. Enumerable.Range(0, Count + 1).Select(field => sizes.GetValueOrDefault((HeaderField)field))];

    private static FrozenDictionary<HeaderField, ImmutableArray<FieldMatch>> Needing()
    {
        var udp = FieldMatch.Is(HeaderField.Protocol, Udp);
        var icmp6 = FieldMatch.Is(HeaderField.Protocol, Icmp6);
        var all = new Dictionary<HeaderField, ImmutableArray<FieldMatch>>
        {
            [HeaderField.FragmentNext] =
            [
                IsIpv6, FieldMatch.Is(HeaderField.Extended, 1),
                new FieldMatch(HeaderField.FragmentNext, [new ValueRange(0, byte.MaxValue)]),
            ],
            [HeaderField.Extended] = [IsIpv6],
            [HeaderField.Protocol] = [HasProtocol],
            [HeaderField.TcpFlags] = [IsWhole, FieldMatch.Is(HeaderField.Protocol, Tcp)],
            [HeaderField.DhcpHead] = [IsWhole, IsIpv4, udp],
            [HeaderField.DhcpRelay] = [IsWhole, IsIpv4, udp],
            [HeaderField.DhcpMac] = [IsWhole, IsIpv4, udp],
            [HeaderField.Dhcp6Type] = [IsWhole, IsIpv6, udp],
            [HeaderField.VxlanNumber] = [IsWhole, udp],
            [HeaderField.ConnectionSource4] = [IsTracked, IsIpv4],
            [HeaderField.ConnectionDestination4] = [IsTracked, IsIpv4],
            [HeaderField.ConnectionSource6] = [IsTracked, IsIpv6],
            [HeaderField.ConnectionDestination6] = [IsTracked, IsIpv6],
        };
        Add([HeaderField.IcmpType, HeaderField.IcmpCode, HeaderField.SourcePort, HeaderField.DestinationPort],
            [IsWhole, HasProtocol]);
        Add([HeaderField.NeighbourTarget, HeaderField.NeighbourOption, HeaderField.NeighbourMac],
            [IsWhole, IsIpv6, icmp6]);
        Add([HeaderField.Source4, HeaderField.Destination4], [IsIpv4]);
        Add([HeaderField.Source6, HeaderField.Destination6, HeaderField.HopLimit, HeaderField.Length6], [IsIpv6]);
        Add(
            [
                HeaderField.ArpHardware, HeaderField.ArpProtocol, HeaderField.ArpHardwareLength,
                HeaderField.ArpProtocolLength, HeaderField.ArpOperation, HeaderField.ArpSenderMac,
                HeaderField.ArpSender, HeaderField.ArpTarget,
            ],
            [IsArp]);
        Add([HeaderField.ConnectionDirection, HeaderField.ConnectionProtocol, HeaderField.ConnectionPort], [IsTracked]);
        return all.ToFrozenDictionary();

        void Add(HeaderField[] fields, ImmutableArray<FieldMatch> needs)
        {
            foreach (var field in fields)
            {
                all[field] = needs;
            }
        }
    }
}
