using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// What comes by the ports of one of a host's switches, in all tables of the host's own namespace. All ports are one
/// field, and what passes between them is one set, so that nothing is asked pair by pair.
/// </summary>
/// <param name="scene">What is promised.</param>
/// <param name="plan">The host's plan.</param>
/// <param name="chains">The host's tables.</param>
/// <param name="switches">All switches of the host.</param>
/// <param name="one">The switch.</param>
/// <param name="sets">Whose sets the packets are.</param>
internal sealed class SwitchProof(
    ProofScene scene, HostPlan plan, BaseChains chains, ImmutableArray<SwitchPorts> switches, SwitchPorts one,
    PacketSets sets)
{
    private static readonly PacketHook[] Passing = [PacketHook.Forward, PacketHook.Postrouting];
    private readonly FrameSets _frames = new(sets);
    private readonly ImmutableArray<Counterexample>.Builder _examples = ImmutableArray.CreateBuilder<Counterexample>();
    private readonly ImmutableArray<string>.Builder _unknown = ImmutableArray.CreateBuilder<string>();

    public PlaceProof Run()
    {
        var named = new NamedSets(_frames.Sets);
        var comparison = new Comparison(_frames.Sets, plan.Host, null, _examples, Likely);
        var coming = _frames.All(_frames.WellFormed, Ports(HeaderField.InName, HeaderField.InGroup, [one]));
        var own = Ports(HeaderField.OutName, HeaderField.OutGroup, [one]);
        var promised = one.Open(_frames);
        Compare(named, comparison, ProofPlace.Switch, [PacketHook.Prerouting, .. Passing], coming, promised, own);
        // Whatever else a frame is, it does not leave by another switch, whatever the names of that one's ports are.
        // Only if one does it matters what it may be.
        var elsewhere = _frames.All(
            _frames.But(PacketSets.All, _frames.IsAny(HeaderField.OutName, one.Ports.Keys.Select(NftValues.OfName))),
            _frames.IsAny(
                HeaderField.OutGroup, switches.Where(other => other != one).SelectMany(other => other.Ports.Values)
                    .Distinct().Select(group => (UInt128)group)));
        var evaluation = new HookEvaluation(named, chains);
        if (evaluation.Passing("bridge", Passing, _frames.All(coming, elsewhere)) != PacketSets.None)
        {
            Compare(
                named, comparison, ProofPlace.Switch, [PacketHook.Prerouting, .. Passing], coming, PacketSets.None,
                _frames.But(Ports(HeaderField.OutName, HeaderField.OutGroup, switches), own));
        }

        var open = promised == PacketSets.All ? PacketSets.All : PacketSets.None;
        if (open == PacketSets.None && evaluation.Passing("bridge", [PacketHook.Input], coming) != PacketSets.None)
        {
            Compare(
                named, comparison, ProofPlace.IntoHost, [PacketHook.Prerouting, PacketHook.Input], coming, open);
        }

        Compare(
            named, comparison, ProofPlace.FromHost, [PacketHook.Output, PacketHook.Postrouting],
            _frames.All(_frames.WellFormed, own), open);
        _unknown.AddRange(evaluation.Unproven);
        return new PlaceProof(_examples.ToImmutable(), _unknown.ToImmutable(), _frames.Sets.Count);
    }

    private ImmutableArray<int> Likely()
    {
        var machines = plan.Domains.SelectMany(domain => scene.Ports(plan.Host, domain.Domain))
            .SelectMany(port => new[] { port.Nic.Ipv4, port.Nic.Ipv6 }.OfType<IPAddress>(), (port, address) =>
                (port.Device, address)).ToList();
        return _frames.Likely(machines, machines);
    }

    private int Ports(HeaderField name, HeaderField group, IEnumerable<SwitchPorts> some) => _frames.Rows(
        [name, group],
        some.SelectMany(each => each.Ports)
            .Select(port => new[] { NftValues.OfName(port.Key), (UInt128)port.Value }));

    /// <param name="named">What sets of the tables mean.</param>
    /// <param name="comparison">Where differences are told.</param>
    /// <param name="place">Where the packets are.</param>
    /// <param name="hooks">The hooks that they pass.</param>
    /// <param name="packets">Those that come.</param>
    /// <param name="open">Which of them pass by the statements.</param>
    /// <param name="leaving">By which ports they would leave, where that is known; it is not at the first hook.</param>
    private void Compare(
        NamedSets named, Comparison comparison, ProofPlace place, ImmutableArray<PacketHook> hooks, int packets,
        int open, int leaving = PacketSets.All)
    {
        var evaluation = new HookEvaluation(named, chains);
        var passing = leaving == PacketSets.All
            ? evaluation.Passing("bridge", hooks, packets)
            : evaluation.Passing(
                "bridge", hooks[1..],
                _frames.All(evaluation.Passing("bridge", hooks[0], packets), leaving));
        _unknown.AddRange(evaluation.Unproven);
        comparison.Run(place, passing, _frames.All(packets, leaving, open), evaluation, Because);
    }

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
                    port => devices.Contains(NftValues.OfName(port)))).SelectMany(passage => passage.Reason.Because))
                .Distinct(),
        ];
    }
}
