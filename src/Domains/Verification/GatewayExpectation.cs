using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// What a domain's gateway on one host passes, said by the statements: of each open flow with a machine here the
/// requests to its ports, their answers, and errors between a connection's two ends; addresses as each side knows them.
/// </summary>
internal sealed class GatewayExpectation(FrameSets frames, ProofScene scene, HostPlan plan, DomainPlan domain)
{
    private static readonly bool[] BothFamilies = [false, true];

    /// <summary>A flow of one family at this gateway.</summary>
    /// <param name="IsIpv6">The family.</param>
    /// <param name="Outward">Whether the machine here is the client.</param>
    /// <param name="Own">The machine here.</param>
    /// <param name="Other">The machine there, as this domain knows it.</param>
    /// <param name="Known">The machine here, as the other domain knows it.</param>
    /// <param name="Leg">The way to the other domain.</param>
    /// <param name="Network">What both terms name.</param>
    private sealed record Line(
        bool IsIpv6, bool Outward, UInt128 Own, UInt128 Other, UInt128 Known, UInt128 Leg, FlowResource.Network Network)
    {
        public UInt128 Client => Outward ? Own : Other;

        /// <summary>The address to which the connection's first packet came.</summary>
        public UInt128 Original => Outward ? Other : Known;

        public ImmutableArray<ValueRange> Ports { get; } = Network.Protocol == FlowProtocol.Icmp
            ? [new ValueRange(0, ushort.MaxValue)]
            : [.. Network.Ports.Select(range => new ValueRange((UInt128)range.First, (UInt128)range.Last))];

        public int Protocol => Network.Protocol switch
        {
            FlowProtocol.Tcp => HeaderFields.Tcp,
            FlowProtocol.Udp => HeaderFields.Udp,
            FlowProtocol.Icmp => IsIpv6 ? HeaderFields.Icmp6 : HeaderFields.Icmp,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private readonly List<Line> _lines = [.. Lines(scene, plan, domain)];

    /// <summary>The gateway's end of the leg towards a domain.</summary>
    public static string Leg(DomainRef one, DomainRef other) => DeviceNames.LegDevice(DeviceNames.Passage(one, other));

    /// <summary>As they leave: with the addresses by which the other side knows them.</summary>
    public int Requests() => frames.All(
        Known, frames.Is(HeaderField.ConnectionDirection, 0),
        Rows(
            HeaderField.DestinationPort, isEcho: (8, 128),
            line => line.Outward
                ? (Inside, line.Known, line.Leg, line.Other) : (line.Leg, line.Other, Inside, line.Own)));

    /// <summary>As they pass: with the machines' own addresses on this side.</summary>
    public int Answers() => frames.All(
        Known, frames.Is(HeaderField.ConnectionDirection, 1),
        Rows(
            HeaderField.SourcePort, isEcho: (0, 129),
            line => line.Outward
                ? (line.Leg, line.Other, Inside, line.Own) : (Inside, line.Own, line.Leg, line.Other)));

    /// <summary>Destination unreachable, packet too big (RFC 1191, RFC 8201), whichever of the ends says it.</summary>
    public int Errors() => frames.All(
        frames.Is(HeaderField.ConnectionState, HeaderFields.Related),
        frames.Any(
            frames.All(frames.Icmp4(3), Quoting(isIpv6: false)),
            frames.All(frames.Icmp6(1, 2), Quoting(isIpv6: true))));

    /// <summary>Every address that is said anything about.</summary>
    public IEnumerable<UInt128> Addresses(bool isIpv6) => _lines.Where(line => line.IsIpv6 == isIpv6)
        .SelectMany(line => new[] { line.Own, line.Other, line.Known }).Distinct();

    /// <summary>Servers here that another domain knows by another address.</summary>
    public IEnumerable<(UInt128 Own, UInt128 Known)> Translated(bool isIpv6) => _lines
        .Where(line => line.IsIpv6 == isIpv6 && !line.Outward && line.Known != line.Own)
        .Select(line => (line.Own, line.Known)).Distinct();

    private static UInt128 Inside { get; } = NftValues.OfName(GatewayPlan.Inside);

    private int Known => frames.Is(
        HeaderField.ConnectionState, HeaderFields.New, HeaderFields.Established, HeaderFields.Related);

    private int Rows(
        HeaderField port, (UInt128 Four, UInt128 Six) isEcho,
        Func<Line, (UInt128 In, UInt128 Source, UInt128 Out, UInt128 Destination)> way)
    {
        var all = PacketSets.None;
        foreach (var group in _lines.GroupBy(line => (line.IsIpv6, IsEcho: line.Network.Protocol == FlowProtocol.Icmp)))
        {
            var (isIpv6, isPing) = group.Key;
            ImmutableArray<HeaderField> key =
            [
                HeaderField.Protocol, isPing ? HeaderField.IcmpType : port, HeaderField.InName,
                isIpv6 ? HeaderField.Source6 : HeaderField.Source4, HeaderField.OutName,
                isIpv6 ? HeaderField.Destination6 : HeaderField.Destination4,
                isIpv6 ? HeaderField.ConnectionDestination6 : HeaderField.ConnectionDestination4,
            ];
            var rows = new ElementRows(key);
            foreach (var line in group)
            {
                var (coming, source, leaving, destination) = way(line);
                foreach (var ports in line.Ports)
                {
                    rows.Add(
                        ValueRange.Of((UInt128)line.Protocol),
                        isPing ? ValueRange.Of(isIpv6 ? isEcho.Six : isEcho.Four) : ports, ValueRange.Of(coming),
                        ValueRange.Of(source), ValueRange.Of(leaving), ValueRange.Of(destination),
                        ValueRange.Of(line.Original));
                }
            }

            all = frames.Any(all, frames.All(
                isIpv6 ? frames.Ipv6 : frames.Ipv4, frames.Is(HeaderField.LaterFragment, 0),
                frames.Sets.Elements(rows)));
        }

        return all;
    }

    private int Quoting(bool isIpv6)
    {
        ImmutableArray<HeaderField> key = isIpv6
            ?
            [
                HeaderField.ConnectionProtocol, HeaderField.ConnectionPort, HeaderField.InName, HeaderField.Source6,
                HeaderField.OutName, HeaderField.Destination6, HeaderField.ConnectionSource6,
                HeaderField.ConnectionDestination6,
            ]
            :
            [
                HeaderField.ConnectionProtocol, HeaderField.ConnectionPort, HeaderField.InName, HeaderField.Source4,
                HeaderField.OutName, HeaderField.Destination4, HeaderField.ConnectionSource4,
                HeaderField.ConnectionDestination4,
            ];
        var rows = new ElementRows(key);
        foreach (var line in _lines.Where(line => line.IsIpv6 == isIpv6))
        {
            foreach (var ports in line.Ports)
            {
                Add(line, ports, Inside, line.Own, line.Leg, line.Other);
                Add(line, ports, line.Leg, line.Other, Inside, line.Own);
            }
        }

        return frames.Sets.Elements(rows);

        void Add(
            Line line, ValueRange ports, UInt128 coming, UInt128 source, UInt128 leaving, UInt128 destination) =>
            rows.Add(
                ValueRange.Of((UInt128)line.Protocol), ports, ValueRange.Of(coming), ValueRange.Of(source),
                ValueRange.Of(leaving), ValueRange.Of(destination), ValueRange.Of(line.Client),
                ValueRange.Of(line.Original));
    }

    private static IEnumerable<Line> Lines(ProofScene scene, HostPlan plan, DomainPlan domain)
    {
        foreach (var across in scene.Open(plan.Host, domain.Domain).GroupBy(pair => pair.Other.Domain))
        {
            var leg = NftValues.OfName(Leg(domain.Domain, across.Key));
            var known = scene.Known(across.Key, domain.Domain);
            var knownThere = scene.Known(domain.Domain, across.Key);
            foreach (var pair in across)
            {
                foreach (var isIpv6 in BothFamilies)
                {
                    if (pair.Own.Address(isIpv6) is { } near && pair.Other.Address(isIpv6) is { } far)
                    {
                        var (own, other, there) = (NftValues.OfAddress(near), known(far), knownThere(near));
                        foreach (var network in pair.Networks)
                        {
                            yield return new Line(isIpv6, pair.Outward, own, other, there, leg, network);
                        }
                    }
                }
            }
        }
    }
}
