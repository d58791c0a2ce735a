using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Tracing;
using Bailiwick.Domains.Verification;
using Bailiwick.Tests.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>
/// One packet on its whole way, through every table that it meets as these were read: the places of which each is
/// proven by itself are a way together, exactly where the tracer, which knows no tables, finds one.
/// </summary>
public sealed class PacketThroughTablesTests
{
    private const int New = 8, Established = 2;

    private static readonly PacketHook[] Switch = [PacketHook.Prerouting, PacketHook.Forward, PacketHook.Postrouting];

    [Fact]
    public void A_packet_and_its_answer_pass_all_tables_of_their_way_exactly_where_the_tracer_says_so()
    {
        int open = 0, closed = 0, crossing = 0;
        for (int seed = 200; seed < 212; seed++)
        {
            var random = new RandomDatacentre(seed);
            var way = new Way(random.Plans);
            foreach (var (from, to) in Pairs())
            {
                foreach (string service in new[] { "tcp/80", "tcp/5432", "tcp/8005", "udp/443", "icmp" })
                {
                    Assert.True(TraceQuestion.TryParseService(service, out FlowProtocol protocol, out int port));
                    var question = new TraceQuestion(from, to, protocol, port);
                    bool traced = Tracer.Run(random.Plans, question).IsOpen;
                    bool passes = way.Passes(question);
                    Assert.True(passes == traced, $"seed {seed}: {from} to {to}, {service}: the tracer says {traced}");
                    open += passes ? 1 : 0;
                    closed += passes ? 0 : 1;
                    crossing += passes && from.Tenant != to.Tenant ? 1 : 0;
                }
            }
        }

        Assert.True(open > 100 && closed > 100 && crossing > 20, $"{open} open, {closed} closed, {crossing} crossing");
    }

    private static IEnumerable<(CompartmentRef From, CompartmentRef To)> Pairs() =>
        from one in All
        from other in All
        where one.Compartment != other.Compartment
        select (one.Compartment, other.Compartment);

    private sealed class Way(HostPlan[] plans)
    {
        private readonly Dictionary<string, HostRulesets> _tables =
            plans.ToDictionary(plan => plan.Host.ToString(), HostRulesets.Of);

        public bool Passes(TraceQuestion question)
        {
            var scene = new TraceScene(plans);
            return scene.Ports(question.From).Any(client => scene.Ports(question.To).Any(server =>
                Passes(question, client, server, isAnswer: false) && Passes(question, server, client, isAnswer: true)));
        }

        private bool Passes(TraceQuestion question, TraceEnd from, TraceEnd to, bool isAnswer)
        {
            var packet = Packet(question, from, to, isAnswer);
            return from.Domain.Domain == to.Domain.Domain ? Within(packet, from, to) : Across(packet, from, to);
        }

        private bool Within(Dictionary<HeaderField, UInt128> packet, TraceEnd from, TraceEnd to)
        {
            packet[HeaderField.EtherDestination] = NftValues.OfMac(to.Member.Mac);
            if (from.Plan.Host == to.Plan.Host)
            {
                return OnSwitch(packet, from.Plan, PortGroups.Of(from.Domain), from.Port.Device, to.Port.Device);
            }

            string[] there = Ways(from, to.Plan), back = Ways(to, from.Plan);
            return there.Length > 0 && back.Length > 0
                && OnSwitch(packet, from.Plan, PortGroups.Of(from.Domain), from.Port.Device, there[0])
                && OnSwitch(packet, to.Plan, PortGroups.Of(to.Domain), back[0], to.Port.Device);
        }

        private static string[] Ways(TraceEnd at, HostPlan other) =>
        [
            .. at.Domain.Network.Peers.Where(peer => peer.Host == other.Host)
                .SelectMany(peer => Tunnels.To(at.Domain.Network, peer.Protection)),
        ];

        private bool Across(Dictionary<HeaderField, UInt128> packet, TraceEnd from, TraceEnd to)
        {
            if (from.Domain.Gateway is not { } near || to.Domain.Gateway is not { } far)
            {
                return false;
            }

            GatewayLeg? leaving = near.Legs.FirstOrDefault(leg => leg.Routes.Any(route =>
                route.Destination == to.Member.Ipv4));
            GatewayLeg? arriving = far.Legs.FirstOrDefault(leg => leg.Passage == leaving?.Passage);
            packet[HeaderField.EtherDestination] = NftValues.OfMac(near.Mac);
            if (!OnSwitch(packet, from.Plan, PortGroups.Of(from.Domain), from.Port.Device, near.BridgePort)
                || leaving is null || arriving is null
                || !InGateway(packet, from.Plan, near, GatewayPlan.Inside, leaving.Device))
            {
                return false;
            }

            packet[HeaderField.EtherSource] = NftValues.OfMac(leaving.Mac);
            packet[HeaderField.EtherDestination] = NftValues.OfMac(arriving.Mac);
            if (!Passage(packet, from.Plan, to.Plan, leaving, arriving)
                || !InGateway(packet, to.Plan, far, arriving.Device, GatewayPlan.Inside))
            {
                return false;
            }

            packet[HeaderField.EtherSource] = NftValues.OfMac(far.Mac);
            packet[HeaderField.EtherDestination] = NftValues.OfMac(to.Member.Mac);
            return OnSwitch(packet, to.Plan, PortGroups.Of(to.Domain), far.BridgePort, to.Port.Device);
        }

        private bool Passage(
            Dictionary<HeaderField, UInt128> packet, HostPlan from, HostPlan to, GatewayLeg near, GatewayLeg far)
        {
            PassagePlan here = from.Passages.Single(one => one.Name == near.Passage);
            PassagePlan there = to.Passages.Single(one => one.Name == near.Passage);
            if (from.Host == to.Host)
            {
                return OnSwitch(packet, from, PortGroups.Of(here), near.Port, far.Port);
            }

            string[] ways = Tunnel(here, to), back = Tunnel(there, from);
            return ways.Length > 0 && back.Length > 0
                && OnSwitch(packet, from, PortGroups.Of(here), near.Port, ways[0])
                && OnSwitch(packet, to, PortGroups.Of(there), back[0], far.Port);
        }

        private static string[] Tunnel(PassagePlan passage, HostPlan other) =>
        [
            .. passage.Network.Peers.Where(peer => peer.Host == other.Host)
                .SelectMany(peer => Tunnels.To(passage.Network, peer.Protection)),
        ];

        private bool OnSwitch(
            Dictionary<HeaderField, UInt128> packet, HostPlan plan, ImmutableSortedDictionary<string, int> groups,
            string from, string to)
        {
            packet[HeaderField.InName] = NftValues.OfName(from);
            packet[HeaderField.InGroup] = (UInt128)groups[from];
            packet[HeaderField.OutName] = NftValues.OfName(to);
            packet[HeaderField.OutGroup] = (UInt128)groups[to];
            return new ReplayedPacket(
                RulesetReaderTests.Known(_tables[plan.Host.ToString()].Host), packet).Passes("bridge", Switch);
        }

        private bool InGateway(
            Dictionary<HeaderField, UInt128> packet, HostPlan plan, GatewayPlan gateway, string from, string to)
        {
            packet[HeaderField.InName] = NftValues.OfName(from);
            packet[HeaderField.OutName] = NftValues.OfName(to);
            return new ReplayedPacket(
                RulesetReaderTests.Known(_tables[plan.Host.ToString()].Gateways[gateway.Namespace]), packet)
                .Passes("inet", Switch);
        }

        private static Dictionary<HeaderField, UInt128> Packet(
            TraceQuestion question, TraceEnd from, TraceEnd to, bool isAnswer)
        {
            UInt128 source = NftValues.OfAddress(from.Member.Ipv4 ?? ""), destination =
                NftValues.OfAddress(to.Member.Ipv4 ?? "");
            UInt128 service = (UInt128)question.Port;
            return new()
            {
                [HeaderField.EtherType] = 0x0800,
                [HeaderField.FragmentNext] = 256,
                [HeaderField.Protocol] = question.Protocol switch
                {
                    FlowProtocol.Tcp => 6,
                    FlowProtocol.Udp => 17,
                    FlowProtocol.Icmp => 1,
                    _ => throw new System.Diagnostics.UnreachableException(),
                },
                [HeaderField.IcmpType] = isAnswer ? 0u : 8u,
                [HeaderField.SourcePort] = isAnswer ? service : 40000u,
                [HeaderField.DestinationPort] = isAnswer ? 40000u : service,
                [HeaderField.EtherSource] = NftValues.OfMac(from.Member.Mac),
                [HeaderField.Source4] = source,
                [HeaderField.Destination4] = destination,
                [HeaderField.ConnectionState] = (UInt128)(isAnswer ? Established : New),
                [HeaderField.ConnectionDirection] = isAnswer ? 1u : 0u,
                [HeaderField.ConnectionSource4] = isAnswer ? destination : source,
                [HeaderField.ConnectionDestination4] = isAnswer ? source : destination,
                [HeaderField.ConnectionPort] = service,
            };
        }
    }
}
