using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Tunnel packets in clear pass between this host and hosts with which it shares a switch over a link that does not
/// need ciphertext, each for that switch's number; what comes by a switch's port is never the host's.
/// </summary>
internal sealed class UnderlayProof(ProofScene scene, HostPlan plan, BaseChains chains, PacketSets sets)
{
    private const int VxlanPort = 4789;
    private readonly FrameSets _frames = new(sets);
    private readonly ImmutableArray<Counterexample>.Builder _examples = ImmutableArray.CreateBuilder<Counterexample>();
    private readonly ImmutableArray<string>.Builder _unknown = ImmutableArray.CreateBuilder<string>();

    public PlaceProof Run()
    {
        var tunnel = _frames.All(
            _frames.WellFormed, _frames.Any(_frames.Ipv4, _frames.Ipv6),
            _frames.Udp(HeaderField.DestinationPort, VxlanPort));
        var local = plan.Underlay.LocalIpv4.Length == 0
            ? (UInt128?)null : NftValues.OfAddress(plan.Underlay.LocalIpv4);
        var rows = Numbers().Select(one => new[] { NftValues.OfAddress(one.Peer), (UInt128)one.Number }).ToList();
        var coming = _frames.All(tunnel, _frames.IsAny(
            HeaderField.InName, [NftValues.OfName(SwitchPorts.Foreign), NftValues.OfName(SwitchPorts.Dead)]));
        Compare(
            ProofPlace.TunnelIn, [PacketHook.Prerouting, PacketHook.Input], coming,
            _frames.All(
                coming, _frames.Is(HeaderField.InName, NftValues.OfName(SwitchPorts.Foreign)),
                Named(local, HeaderField.Destination4, HeaderField.Source4, rows)));
        Compare(
            ProofPlace.TunnelOut, [PacketHook.Output, PacketHook.Postrouting], tunnel,
            _frames.All(tunnel, Named(local, HeaderField.Source4, HeaderField.Destination4, rows)));
        return new PlaceProof(_examples.ToImmutable(), _unknown.ToImmutable(), _frames.Sets.Count);
    }

    private int Named(UInt128? local, HeaderField here, HeaderField there, List<UInt128[]> rows) => local is { } own
        ? _frames.All(_frames.Ipv4, _frames.Is(here, own), _frames.Rows([there, HeaderField.VxlanNumber], rows))
        : PacketSets.None;

    private void Compare(ProofPlace place, ImmutableArray<PacketHook> hooks, int packets, int open)
    {
        var evaluation = new HookEvaluation(new NamedSets(_frames.Sets), chains);
        var passing = evaluation.Passing("inet", hooks, packets);
        _unknown.AddRange(evaluation.Unproven);
        new Comparison(_frames.Sets, plan.Host, null, _examples, () => []).Run(
            place, passing, open, evaluation, _ => []);
    }

    /// <summary>Who shares which switch with this host in clear.</summary>
    private IEnumerable<(string Peer, int Number)> Numbers() =>
        plan.Domains.SelectMany(domain => domain.Network.Peers
            .Where(peer => peer.Protection == LinkProtection.Clear)
            .Where(peer => scene.Ports(peer.Host, domain.Domain).Count > 0)
            .Select(peer => (peer.UnderlayIpv4, domain.Network.Number)))
        .Concat(plan.Passages.Where(passage => scene.Flows.Joins(passage.Between[0], passage.Between[1]))
            .SelectMany(passage => passage.Network.Peers
                .Where(peer => peer.Protection == LinkProtection.Clear)
                .Select(peer => (peer.UnderlayIpv4, passage.Network.Number))));
}
