using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// The tables in a gateway's namespace. Packets are told apart by what they are of their connection: as it was opened,
/// back, and errors about it. What connection tracking remembers is then known from the packet itself.
/// </summary>
/// <remarks>
/// Connection tracking puts fragments together before any rule, translates only what a rule had it translate, and takes
/// a packet for a connection's only if its first one passed (nf_conntrack). A connection's source is its packets' own
/// until they leave; its destination is the one with which they came.
/// </remarks>
internal sealed class GatewayProof
{
    private const string Foreign = "eth0";
    private static readonly bool[] Families = [false, true];
    private readonly ProofScene _scene;
    private readonly HostPlan _plan;
    private readonly DomainPlan _domain;
    private readonly BaseChains _chains;
    private readonly FrameSets _frames;
    private readonly GatewayExpectation _open;
    private readonly Comparison _comparison;
    private readonly NamedSets _named;
    private readonly List<UInt128> _known4, _known6;
    private readonly ImmutableArray<Counterexample>.Builder _examples = ImmutableArray.CreateBuilder<Counterexample>();
    private readonly ImmutableArray<string>.Builder _unknown = ImmutableArray.CreateBuilder<string>();

    public GatewayProof(ProofScene scene, HostPlan plan, DomainPlan domain, Ruleset ruleset, PacketSets sets)
    {
        _frames = new FrameSets(sets);
        (_scene, _plan, _domain, _chains) = (scene, plan, domain, new BaseChains(ruleset));
        _open = new GatewayExpectation(_frames, scene, plan, domain);
        _named = new NamedSets(_frames.Sets);
        (_known4, _known6) = (Addresses(isIpv6: false), Addresses(isIpv6: true));
        _comparison = new Comparison(_frames.Sets, plan.Host, domain.Gateway?.Namespace, _examples, Likely);
    }

    private ImmutableArray<int> Likely()
    {
        var (own, others) = (Members(_domain.Domain).ToList(), Across().ToList());
        return [.. _frames.Likely(own, others), .. _frames.Likely(others, own)];
    }

    /// <summary>The domain's own machines, as its gateway sees them.</summary>
    private IEnumerable<(UInt128 Device, IPAddress Address)> Members(DomainRef domain) =>
        Machines(domain).Select(address => (NftValues.OfName(GatewayPlan.Inside), address));

    /// <summary>The machines of each domain with which it has a leg, by the addresses by which it knows them.</summary>
    private IEnumerable<(UInt128 Device, IPAddress Address)> Across() =>
        from peer in _scene.Open(_plan.Host, _domain.Domain).Select(pair => pair.Other.Domain).Distinct()
        from address in Machines(peer)
        select (
            NftValues.OfName(GatewayExpectation.Leg(_domain.Domain, peer)),
            Translations.Known(_scene.Model(peer), _scene.Model(_domain.Domain), address));

    private IEnumerable<IPAddress> Machines(DomainRef domain) =>
        _scene.Plans.SelectMany(plan => _scene.Ports(plan.Host, domain))
            .SelectMany(port => new[] { port.Nic.Ipv4, port.Nic.Ipv6 }).OfType<IPAddress>();

    public PlaceProof Run()
    {
        var names = _scene.Open(_plan.Host, _domain.Domain).Select(pair => pair.Other.Domain).Distinct()
            .Select(other => GatewayExpectation.Leg(_domain.Domain, other))
            .Concat(_domain.Gateway?.Legs.Select(leg => leg.Device) ?? [])
            .Concat([GatewayPlan.Inside, Foreign]).Distinct().Select(NftValues.OfName).ToList();
        var packets = _frames.All(
            _frames.WellFormed, _frames.Any(_frames.Ipv4, _frames.Ipv6), _frames.Is(HeaderField.LaterFragment, 0),
            _frames.IsAny(HeaderField.InName, names));
        var passing = _frames.All(packets, _frames.IsAny(HeaderField.OutName, names));
        Requests(passing);
        Answers(passing);
        Errors(passing);
        Compare(
            ProofPlace.IntoHost, [PacketHook.Input], packets, _frames.All(
                packets, _frames.Is(HeaderField.InName, NftValues.OfName(GatewayPlan.Inside)),
                _frames.Icmp6(135), _frames.Is(HeaderField.HopLimit, 255)));
        var own = _frames.All(passing, _frames.Is(
            HeaderField.InName, NftValues.OfName(GatewayPlan.Inside)));
        Compare(
            ProofPlace.FromHost, [PacketHook.Output], own, _frames.All(
                own, _frames.Is(HeaderField.OutName, NftValues.OfName(GatewayPlan.Inside)),
                _frames.Any(
                    _frames.Icmp6(136, 2), _frames.All(_frames.Icmp4(3), _frames.Is(HeaderField.IcmpCode, 4)))));
        return new PlaceProof(_examples.ToImmutable(), _unknown.ToImmutable(), _frames.Sets.Count);
    }

    /// <summary>
    /// As a connection was opened. A destination that any rule, or any promise, could be about is written down as the
    /// connection's before rules translate it; every other stays what it is.
    /// </summary>
    private void Requests(int passing)
    {
        var packets = _frames.All(passing, Tracked(HeaderFields.New), _frames.Is(HeaderField.ConnectionDirection, 0));
        var open = _open.Requests();
        foreach (var isIpv6 in Families)
        {
            var (destination, original) = Destination(isIpv6);
            var known = isIpv6 ? _known6 : _known4;
            var family = _frames.All(packets, isIpv6 ? _frames.Ipv6 : _frames.Ipv4);
            var named = _frames.All(family, _frames.Rows(
                [destination, original], known.Select(address => new[] { address, address })));
            var others = _frames.But(family, _frames.IsAny(destination, known));
            PacketHook[] hooks = [PacketHook.Prerouting, PacketHook.Forward, PacketHook.Postrouting];
            Compare(
                ProofPlace.GatewayRequest, hooks, named,
                _frames.All(open, isIpv6 ? _frames.Ipv6 : _frames.Ipv4, Around(family, isIpv6)),
                Same(isReply: false, withDestination: false));
            Compare(
                ProofPlace.GatewayRequest, hooks, others, PacketSets.None,
                Same(isReply: false, withDestination: true));
        }
    }

    /// <summary>What a packet is besides its addresses, which may be others when it leaves.</summary>
    private int Around(int packets, bool isIpv6) => isIpv6
        ? _frames.Sets.Forget(packets, HeaderField.Source6, HeaderField.Destination6)
        : _frames.Sets.Forget(packets, HeaderField.Source4, HeaderField.Destination4);

    /// <summary>Back. Its source may be another than the connection's destination, where that was translated.</summary>
    private void Answers(int passing)
    {
        var packets = _frames.All(
            passing, Tracked(HeaderFields.Established), _frames.Is(HeaderField.ConnectionDirection, 1));
        var open = _open.Answers();
        foreach (var isIpv6 in Families)
        {
            var (_, original) = Destination(isIpv6);
            var source = isIpv6 ? HeaderField.Source6 : HeaderField.Source4;
            var known = isIpv6 ? _known6 : _known4;
            var family = _frames.All(packets, isIpv6 ? _frames.Ipv6 : _frames.Ipv4);
            var named = _frames.All(family, _frames.Rows(
                [source, original],
                known.Select(address => new[] { address, address })
                    .Concat(_open.Translated(isIpv6).Select(pair => new[] { pair.Own, pair.Known }))));
            Compare(
                ProofPlace.GatewayAnswer, [PacketHook.Forward], named, _frames.All(open, named),
                Same(isReply: true, withDestination: false));
            Compare(
                ProofPlace.GatewayAnswer, [PacketHook.Forward],
                _frames.But(family, _frames.IsAny(source, known)), PacketSets.None,
                Same(isReply: true, withDestination: true));
        }
    }

    /// <summary>
    /// Errors quote any connection, so nothing of it is known from the packet. Connection tracking takes no other
    /// message for one about a connection (nf_conntrack_proto_icmp, nf_conntrack_proto_icmpv6).
    /// </summary>
    private void Errors(int passing)
    {
        var packets = _frames.All(
            passing, _frames.Is(HeaderField.ConnectionState, HeaderFields.Related),
            _frames.Any(
                _frames.Icmp4(3, 4, 5, 11, 12),
                _frames.All(
                    _frames.Ipv6, _frames.Is(HeaderField.Protocol, HeaderFields.Icmp6),
                    _frames.Sets.Of(HeaderField.IcmpType, [new ValueRange(0, 127)]))));
        Compare(ProofPlace.GatewayError, [PacketHook.Forward], packets, _frames.All(_open.Errors(), packets));
    }

    /// <summary>States of a packet that is no error about another connection, those that no rule may pass included.
    /// </summary>
    private int Tracked(UInt128 first) => _frames.Any(
        _frames.Is(
            HeaderField.ConnectionState, first, HeaderFields.Established, HeaderFields.Invalid,
            HeaderFields.Untracked),
        _frames.All(
            _frames.Is(HeaderField.ConnectionState, HeaderFields.Related),
            _frames.Is(HeaderField.Protocol, HeaderFields.Tcp, HeaderFields.Udp)));

    private static (HeaderField Destination, HeaderField Original) Destination(bool isIpv6) => isIpv6
        ? (HeaderField.Destination6, HeaderField.ConnectionDestination6)
        : (HeaderField.Destination4, HeaderField.ConnectionDestination4);

    private static Dictionary<HeaderField, HeaderField> Same(bool isReply, bool withDestination)
    {
        var same = new Dictionary<HeaderField, HeaderField>
        {
            [HeaderField.ConnectionSource4] = isReply ? HeaderField.Destination4 : HeaderField.Source4,
            [HeaderField.ConnectionSource6] = isReply ? HeaderField.Destination6 : HeaderField.Source6,
            [HeaderField.ConnectionPort] = isReply ? HeaderField.SourcePort : HeaderField.DestinationPort,
            [HeaderField.ConnectionProtocol] = HeaderField.Protocol,
        };
        if (withDestination)
        {
            same[HeaderField.ConnectionDestination4] = isReply ? HeaderField.Source4 : HeaderField.Destination4;
            same[HeaderField.ConnectionDestination6] = isReply ? HeaderField.Source6 : HeaderField.Destination6;
        }

        return same;
    }

    /// <summary>Addresses that a promise, or an element of the table, is about.</summary>
    private List<UInt128> Addresses(bool isIpv6)
    {
        var type = isIpv6 ? "ipv6_addr" : "ipv4_addr";
        HashSet<UInt128> known = [.. _open.Addresses(isIpv6)];
        foreach (var set in _chains.Tables.SelectMany(table => table.Sets.Values)
            .Where(set => !set.Flags.Contains("timeout")))
        {
            var parts = Enumerable.Range(0, set.Types.Length).Where(part => set.Types[part] == type).ToArray();
            foreach (var element in set.Elements)
            {
                foreach (var part in parts)
                {
                    if (element.Parts[part].First == element.Parts[part].Last)
                    {
                        known.Add(element.Parts[part].First);
                    }
                }

                if (set.Data == type && element.Value is { } value)
                {
                    known.Add(value);
                }
            }
        }

        return [.. known];
    }

    private void Compare(
        ProofPlace place, IEnumerable<PacketHook> hooks, int packets, int open,
        IReadOnlyDictionary<HeaderField, HeaderField>? same = null)
    {
        var evaluation = new HookEvaluation(_named, _chains, same);
        var passing = evaluation.Passing("inet", hooks, packets);
        _unknown.AddRange(evaluation.Unproven.Select(one => $"namespace {_domain.Gateway?.Namespace}, {one}"));
        _comparison.Run(place, passing, open, evaluation, Because);
    }

    /// <summary>The terms of the flows between the packet's ends, or else the domain's own statement.</summary>
    private ImmutableArray<StatementOrigin> Because(IReadOnlyDictionary<HeaderField, UInt128> packet)
    {
        var ends = new[]
        {
            HeaderField.Source4, HeaderField.Source6, HeaderField.Destination4, HeaderField.Destination6,
        }.Where(packet.ContainsKey).Select(field => packet[field]).ToHashSet();
        ImmutableArray<StatementOrigin> terms =
        [
            .. _scene.Open(_plan.Host, _domain.Domain)
                .Where(pair => Families.Any(isIpv6 => pair.Own.Address(isIpv6) is { } near
                    && pair.Other.Address(isIpv6) is { } far && ends.Contains(NftValues.OfAddress(near))
                    && ends.Contains(_scene.Known(pair.Other.Domain, _domain.Domain)(far))))
                .SelectMany(pair => pair.Flows.SelectMany(flow => new[] { flow.Grant, flow.Accept })).Distinct(),
        ];
        return terms.IsEmpty ? [.. _domain.Reason.Because] : terms;
    }
}
