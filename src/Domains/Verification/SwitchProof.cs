using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// The tables of one host's own namespace: its switches, its guard and its underlay. All ports are one field, and what
/// passes between them is one set, so that nothing is asked pair by pair.
/// </summary>
internal sealed class SwitchProof(ProofScene scene, HostPlan plan, Ruleset ruleset)
{
    private const int VxlanPort = 4789;

    /// <summary>A device of ours that was given no group, and one that is not ours.</summary>
    private const string Dead = "bwt0000000dead", Foreign = "eth0";

    private readonly FrameSets _frames = new(new PacketSets());
    private readonly BaseChains _chains = new(ruleset);

    private static readonly PacketHook[] Passing = [PacketHook.Forward, PacketHook.Postrouting];

    /// <summary>Compares; gives how many nodes it took.</summary>
    public int Run(ImmutableArray<Counterexample>.Builder examples, ImmutableArray<string>.Builder unknown)
    {
        var machines = plan.Domains.SelectMany(domain => scene.Ports(plan.Host, domain.Domain))
            .SelectMany(port => new[] { port.Nic.Ipv4, port.Nic.Ipv6 }.OfType<IPAddress>(), (port, address) =>
                (port.Device, address)).ToList();
        var comparison = new Comparison(
            _frames.Sets, plan.Host, null, examples, _frames.Likely(machines, machines));
        var switches = plan.Domains.Select(domain => new Switch(
                PortGroups.Of(domain), () => new SwitchExpectation(_frames, scene, plan, domain).Frames()))
            .Concat(plan.Passages.Select(passage => new Switch(
                PortGroups.Of(passage), () => new PassageExpectation(_frames, scene, plan, passage).Frames())))
            .Append(new Switch(Alone(Dead), () => PacketSets.None))
            // What is not ours is nobody's business here.
            .Append(new Switch(Alone(Foreign), () => PacketSets.All)).ToList();
        var leaving = Ports(HeaderField.OutName, HeaderField.OutGroup, switches);
        foreach (var one in switches)
        {
            Between(one, switches, leaving, comparison, unknown);
        }

        Underlay(comparison, unknown);
        return _frames.Sets.Count;
    }

    private static ImmutableSortedDictionary<string, int> Alone(string port) =>
        ImmutableSortedDictionary<string, int>.Empty.Add(port, PortGroups.Dead);

    private int Ports(HeaderField name, HeaderField group, IEnumerable<Switch> switches) => _frames.Rows(
        [name, group],
        switches.SelectMany(one => one.Ports)
            .Select(port => new[] { NftValues.OfName(port.Key), (UInt128)port.Value }));

    /// <summary>What comes by the ports of one switch: one set for all of them.</summary>
    private void Between(
        Switch one, List<Switch> switches, int leaving, Comparison comparison, ImmutableArray<string>.Builder unknown)
    {
        var coming = _frames.All(_frames.WellFormed, Ports(HeaderField.InName, HeaderField.InGroup, [one]));
        var own = Ports(HeaderField.OutName, HeaderField.OutGroup, [one]);
        var promised = one.Open();
        Compare(
            comparison, unknown, ProofPlace.Switch, [PacketHook.Prerouting, .. Passing], coming, promised, own);
        // Whatever else a frame is, it does not leave by another switch, whatever the names of that one's ports are.
        // Only if one does it matters what it may be.
        var elsewhere = _frames.All(
            _frames.But(PacketSets.All, _frames.IsAny(HeaderField.OutName, one.Ports.Keys.Select(NftValues.OfName))),
            _frames.IsAny(
                HeaderField.OutGroup, switches.Where(other => other != one).SelectMany(other => other.Ports.Values)
                    .Distinct().Select(group => (UInt128)group)));
        var evaluation = new HookEvaluation(_frames.Sets, _chains);
        if (evaluation.Passing("bridge", Passing, _frames.All(coming, elsewhere)) != PacketSets.None)
        {
            Compare(
                comparison, unknown, ProofPlace.Switch, [PacketHook.Prerouting, .. Passing], coming, PacketSets.None,
                _frames.But(leaving, own));
        }

        var open = promised == PacketSets.All ? PacketSets.All : PacketSets.None;
        if (open == PacketSets.None && evaluation.Passing("bridge", [PacketHook.Input], coming) != PacketSets.None)
        {
            Compare(comparison, unknown, ProofPlace.IntoHost, [PacketHook.Prerouting, PacketHook.Input], coming, open);
        }

        Compare(
            comparison, unknown, ProofPlace.FromHost, [PacketHook.Output, PacketHook.Postrouting],
            _frames.All(_frames.WellFormed, own), open);
        unknown.AddRange(evaluation.Unproven);
    }

    /// <param name="comparison">Where differences are told.</param>
    /// <param name="unknown">Where is told what is not known.</param>
    /// <param name="place">Where the packets are.</param>
    /// <param name="hooks">The hooks that they pass.</param>
    /// <param name="packets">Those that come.</param>
    /// <param name="open">Which of them pass by the statements.</param>
    /// <param name="leaving">By which ports they would leave, where that is known; it is not at the first hook.</param>
    private void Compare(
        Comparison comparison, ImmutableArray<string>.Builder unknown, ProofPlace place,
        ImmutableArray<PacketHook> hooks, int packets, int open, int leaving = PacketSets.All)
    {
        var evaluation = new HookEvaluation(_frames.Sets, _chains);
        var passing = leaving == PacketSets.All
            ? evaluation.Passing("bridge", hooks, packets)
            : evaluation.Passing(
                "bridge", hooks[1..],
                _frames.All(evaluation.Passing("bridge", hooks[0], packets), leaving));
        unknown.AddRange(evaluation.Unproven);
        comparison.Run(place, passing, _frames.All(packets, leaving, open), evaluation, Because);
    }

    /// <summary>
    /// Tunnel packets in clear pass between this host and hosts with which it shares a switch over a link that does not
    /// need ciphertext, each for that switch's number; what comes by a switch's port is never the host's.
    /// </summary>
    private void Underlay(Comparison comparison, ImmutableArray<string>.Builder unknown)
    {
        var tunnel = _frames.All(
            _frames.WellFormed, _frames.Any(_frames.Ipv4, _frames.Ipv6),
            _frames.Udp(HeaderField.DestinationPort, VxlanPort));
        var local = plan.Underlay.LocalIpv4.Length == 0
            ? (UInt128?)null : NftValues.OfAddress(plan.Underlay.LocalIpv4);
        var rows = Numbers().Select(one => new[] { NftValues.OfAddress(one.Peer), (UInt128)one.Number }).ToList();
        var coming = _frames.All(tunnel, _frames.IsAny(
            HeaderField.InName, [NftValues.OfName(Foreign), NftValues.OfName(Dead)]));
        Underlay(
            comparison, unknown, ProofPlace.TunnelIn, [PacketHook.Prerouting, PacketHook.Input], coming,
            _frames.All(
                coming, _frames.Is(HeaderField.InName, NftValues.OfName(Foreign)),
                Named(local, HeaderField.Destination4, HeaderField.Source4, rows)));
        Underlay(
            comparison, unknown, ProofPlace.TunnelOut, [PacketHook.Output, PacketHook.Postrouting], tunnel,
            _frames.All(tunnel, Named(local, HeaderField.Source4, HeaderField.Destination4, rows)));
    }

    private int Named(UInt128? local, HeaderField here, HeaderField there, List<UInt128[]> rows) => local is { } own
        ? _frames.All(_frames.Ipv4, _frames.Is(here, own), _frames.Rows([there, HeaderField.VxlanNumber], rows))
        : PacketSets.None;

    private void Underlay(
        Comparison comparison, ImmutableArray<string>.Builder unknown, ProofPlace place,
        ImmutableArray<PacketHook> hooks, int packets, int open)
    {
        var evaluation = new HookEvaluation(_frames.Sets, _chains);
        var passing = evaluation.Passing("inet", hooks, packets);
        unknown.AddRange(evaluation.Unproven);
        comparison.Run(place, passing, open, evaluation, _ => []);
    }

    /// <summary>Who shares which switch with this host in clear.</summary>
    private IEnumerable<(string Peer, int Number)> Numbers() =>
        plan.Domains.SelectMany(domain => domain.Network.Peers
            .Where(peer => peer.Protection == Admission.LinkProtection.Clear)
            .Where(peer => scene.Ports(peer.Host, domain.Domain).Count > 0)
            .Select(peer => (peer.UnderlayIpv4, domain.Network.Number)))
        .Concat(plan.Passages.Where(passage => scene.Flows.Joins(passage.Between[0], passage.Between[1]))
            .SelectMany(passage => passage.Network.Peers
                .Where(peer => peer.Protection == Admission.LinkProtection.Clear)
                .Select(peer => (peer.UnderlayIpv4, passage.Network.Number))));

    /// <summary>The statements of the domains whose ports the packet passes.</summary>
    private ImmutableArray<StatementOrigin> Because(IReadOnlyDictionary<HeaderField, UInt128> packet)
    {
        var devices = new[] { HeaderField.InName, HeaderField.OutName }
            .Where(packet.ContainsKey).Select(field => packet[field]).ToHashSet();
        return
        [
            .. plan.Domains.Where(domain => PortGroups.Of(domain).Keys.Any(
                port => devices.Contains(NftValues.OfName(port)))).SelectMany(domain => domain.Reason.Because)
                .Concat(plan.Passages.Where(passage => PortGroups.Of(passage).Keys.Any(
                    port => devices.Contains(NftValues.OfName(port)))).SelectMany(one => one.Reason.Because))
                .Distinct(),
        ];
    }

    /// <summary>The ports of one switch, with their groups, and what passes between them by the statements.</summary>
    private sealed record Switch(ImmutableSortedDictionary<string, int> Ports, Func<int> Open);
}
