using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Tracing;
using Bailiwick.Domains.Verification;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>
/// Plans that a broken refinement would make, one thing each: every one is found, with a packet that shows it, and by
/// what says how far the proof takes a plan's word.
/// </summary>
public sealed class PlanMutantTests
{
    private const string OtherMac = "02:ff:ff:ff:ff:fe";
    private static readonly string[] Services = ["tcp/5432", "tcp/8443", "tcp/8080", "udp/5353", "icmp"];
    private static readonly bool[] Families = [false, true];

    /// <summary>What finds a broken plan first.</summary>
    private enum Finder
    {
        /// <summary>The proof, which takes from the plan where machines are and by what devices they are reached.
        /// </summary>
        Proof = 1,
        /// <summary>The proof of its tables by the plans that the statements give.</summary>
        Tables,
        /// <summary>The tracer, by a way that the plans of the statements have otherwise.</summary>
        Trace,
    }

    private static readonly MemberPlan Stranger =
        new(Machine("stranger/machine"), "02:11:22:33:44:55", "10.20.1.77", "fd20:1::77");

    private static readonly (string What, Finder By, Func<HostPlan, HostPlan?> Broken)[] Mutants =
    [
        ("a stranger has a port", Finder.Proof, plan => Network(plan, net =>
            net with { Ports = net.Ports.Add(new LocalPort("bwt0000000000", Stranger)) })),
        ("a machine of another host has a port here", Finder.Proof, plan => Network(plan, net => net.Peers.IsEmpty
            ? null : net with { Ports = net.Ports.Add(new LocalPort("bwt0000000000", net.Peers[0].Members[0])) })),
        ("a machine has no port", Finder.Proof, plan => Network(plan, net => net with { Ports = net.Ports[1..] })),
        ("a port has another MAC", Finder.Tables, plan => Port(plan, one => one with { Mac = OtherMac })),
        ("a port has another address", Finder.Proof, plan => Port(plan, one => one with { Ipv4 = "10.20.1.78" })),
        ("a port has no IPv6 address", Finder.Proof, plan => Port(plan, one => one with { Ipv6 = null })),
        ("a stranger is behind a peer", Finder.Proof, plan => Peer(plan, peer =>
            peer with { Members = peer.Members.Add(Stranger) })),
        ("a member behind a peer is missing", Finder.Proof, plan => Peer(plan, peer =>
            peer with { Members = peer.Members[1..] })),
        ("a member behind a peer has another address", Finder.Proof, plan => Peer(plan, peer =>
            peer with { Members = [peer.Members[0] with { Ipv4 = "10.20.1.78" }, .. peer.Members[1..]] })),
        ("a peer is missing", Finder.Tables, plan => Network(plan, net => net.Peers.IsEmpty
            ? null : net with { Peers = net.Peers[1..] })),
        ("what was ciphertext is in clear", Finder.Proof, plan => Peer(plan, peer =>
            peer.Protection == LinkProtection.Encrypted ? peer with { Protection = LinkProtection.Clear } : null)),
        ("what was in clear has no tunnel", Finder.Proof, plan => Peer(plan, peer =>
            peer.Protection == LinkProtection.Clear ? peer with { Protection = LinkProtection.Encrypted } : null)),
        ("a port of a flow too many", Finder.Proof, plan => Flow(plan, flow => flow.Protocol == FlowProtocol.Tcp
            ? flow with { Ports = [new PortRange(flow.Ports[0].First, flow.Ports[0].Last + 1)] } : null)),
        ("every port of a flow is another", Finder.Proof, plan => Flow(plan, flow => flow.Protocol == FlowProtocol.Udp
            ? flow with { Ports = [new PortRange(1, 2)] } : null)),
        ("a flow has another protocol", Finder.Proof, plan => Flow(plan, flow => flow.Protocol == FlowProtocol.Tcp
            ? flow with { Protocol = FlowProtocol.Udp } : null)),
        ("who may open is turned round", Finder.Proof, plan => Flow(plan, flow =>
            flow.Known is null ? flow with { Outward = !flow.Outward } : null)),
        ("a machine too many may use a flow", Finder.Proof, plan => Flow(plan, flow => flow.IsIpv6
            ? null : flow with { Others = flow.Others.Add("10.99.99.99") })),
        ("a machine may not use a flow", Finder.Proof, plan => Flow(plan, flow =>
            flow.Others.Length > 1 ? flow with { Others = flow.Others[1..] } : null)),
        ("nobody knows a machine by its other address", Finder.Proof, plan => Gateway(plan, gateway =>
            gateway.Flows.All(flow => flow.Known is null) ? null : gateway with
            {
                Flows = [.. gateway.Flows.Select(flow => flow with { Known = null })],
            })),
        ("a flow is missing", Finder.Proof, plan => Gateway(plan, gateway =>
            gateway with { Flows = gateway.Flows[1..] })),
        ("a flow goes by another leg", Finder.Proof, plan => Gateway(plan, gateway => gateway.Legs.Length < 2
            ? null : gateway with
            {
                Flows = gateway.Flows.SetItem(0, gateway.Flows[0] with
                {
                    Leg = gateway.Legs.First(leg => leg.Device != gateway.Flows[0].Leg).Device,
                }),
            })),
        ("a gateway has another MAC", Finder.Proof, plan => Gateway(plan, one => one with { Mac = OtherMac })),
        ("a gateway is missing", Finder.Trace, plan => Domain(plan, domain => domain.Gateway is null
            ? null : domain with { Gateway = null })),
        ("a neighbour of a gateway is missing", Finder.Trace, plan => Gateway(plan, gateway =>
            gateway with { Neighbours = gateway.Neighbours[1..] })),
        ("a neighbour of a gateway is somebody else", Finder.Trace, plan => Gateway(plan, gateway => gateway with
        {
            Neighbours = gateway.Neighbours.SetItem(0, gateway.Neighbours[0] with { Mac = OtherMac }),
        })),
        ("a route of a leg is missing", Finder.Trace, plan => Leg(plan, leg => leg.Routes.IsEmpty
            ? null : leg with { Routes = leg.Routes[1..] })),
        ("a route of a leg leads to nobody", Finder.Trace, plan => Leg(plan, leg => leg.Routes.IsEmpty
            ? null : leg with { Routes = [.. leg.Routes.Select(route => route with { ViaMac = OtherMac })] })),
        ("a leg is missing", Finder.Trace, plan => Gateway(plan, gateway =>
            gateway with { Legs = gateway.Legs[1..] })),
        ("a leg in a passage has another MAC", Finder.Proof, plan => Passage(plan, passage => passage with
        {
            Ports = passage.Ports.SetItem(0, new PassagePort(
                passage.Ports[0].Device, passage.Ports[0].Leg with { Mac = OtherMac })),
        })),
        ("a leg behind a passage's peer too many", Finder.Proof, plan => Behind(plan, peer => peer with
        {
            Legs = peer.Legs.Add(peer.Legs[0] with { Mac = OtherMac }),
        })),
        ("a leg behind a passage's peer is missing", Finder.Proof, plan => Behind(plan, peer => peer with
        {
            Legs = peer.Legs[1..],
        })),
        ("a passage's ciphertext is in clear", Finder.Proof, plan => Behind(plan, peer =>
            peer.Protection == LinkProtection.Encrypted ? peer with { Protection = LinkProtection.Clear } : null)),
        ("a passage is missing", Finder.Proof, plan => plan.Passages.IsEmpty
            ? null : plan with { Passages = plan.Passages[1..] }),
        ("a tunnel is heard from a stranger", Finder.Proof, plan => Underlay(plan, tunnels =>
            tunnels.Add(tunnels[0] with { PeerIpv4 = "10.99.0.99" }))),
        ("a tunnel is not heard", Finder.Proof, plan => Underlay(plan, tunnels => tunnels[1..])),
        ("a tunnel has another number", Finder.Proof, plan => Underlay(plan, tunnels =>
            tunnels.SetItem(0, tunnels[0] with { Number = 7 }))),
    ];

    private static readonly CheckedDatacentre Policies = Datacentre(TranslatedExample.Of(Example.ThreeTenants));
    private static readonly HostPlan[] Plans = RefinementProofTests.Plans(Policies);

    public static TheoryData<string> Names => [.. Mutants.Select(mutant => mutant.What)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_broken_plan_is_found_with_a_packet(string what)
    {
        var (_, by, broken) = Mutants.Single(mutant => mutant.What == what);
        HostPlan plan = Plans.First(one => broken(one) is not null);
        HostPlan mutant = broken(plan) ?? plan;

        var (finder, packet) = Found(mutant);

        Assert.True(finder == by, $"{what} is found by {finder}: {packet}");
        Assert.NotEmpty(packet);
    }

    [Fact]
    public void Nothing_is_found_in_plans_that_nobody_broke() =>
        Assert.All(Plans, plan => Assert.Equal((null, ""), Found(plan)));

    private static (Finder? By, string Packet) Found(HostPlan mutant)
    {
        HostPlan[] all = [.. Plans.Select(plan => plan.Host == mutant.Host ? mutant : plan)];
        return RefinementProof.OfHost(mutant.Host, all, Policies) is RefinementVerdict.Refuted refuted
            ? (Finder.Proof, refuted.Examples[0].Sentence)
            : RefinementProof.OfHost(mutant.Host, Plans, Policies, _ => HostRulesets.Of(mutant))
                is RefinementVerdict.Refuted other
                ? (Finder.Tables, other.Examples[0].Sentence)
                : Questions().FirstOrDefault(one => Tracer.Run(all, one).IsOpen != Tracer.Run(Plans, one).IsOpen)
                    is { } question
                    ? (Finder.Trace, $"{question.From} to {question.To}, {question.Service}, IPv6 {question.Ipv6}")
                    : (null, "");
    }

    private static IEnumerable<TraceQuestion> Questions() =>
        from client in All
        from server in All
        where client.Compartment != server.Compartment
        from service in Services
        from ipv6 in Families
        let parsed = TraceQuestion.TryParseService(service, out FlowProtocol protocol, out int port)
            ? (protocol, port) : throw new InvalidOperationException(service)
        select new TraceQuestion(client.Compartment, server.Compartment, parsed.protocol, parsed.port) { Ipv6 = ipv6 };

    /// <summary>The plan with its first domain that can be broken so; null where there is none.</summary>
    private static HostPlan? Domain(HostPlan plan, Func<DomainPlan, DomainPlan?> broken)
    {
        for (int at = 0; at < plan.Domains.Length; at++)
        {
            if (broken(plan.Domains[at]) is { } domain)
            {
                return plan with { Domains = plan.Domains.SetItem(at, domain) };
            }
        }

        return null;
    }

    private static HostPlan? Network(HostPlan plan, Func<NetworkPlan, NetworkPlan?> broken) => Domain(plan, domain =>
        broken(domain.Network) is { } network ? domain with { Network = network } : null);

    private static HostPlan? Port(HostPlan plan, Func<MemberPlan, MemberPlan> broken) => Network(plan, network =>
        network with
        {
            Ports = network.Ports.SetItem(0, network.Ports[0] with { Member = broken(network.Ports[0].Member) }),
        });

    private static HostPlan? Peer(HostPlan plan, Func<PeerPlan, PeerPlan?> broken) => Network(plan, network =>
        First(network.Peers, broken) is { } peers ? network with { Peers = peers } : null);

    private static HostPlan? Gateway(HostPlan plan, Func<GatewayPlan, GatewayPlan?> broken) => Domain(plan, domain =>
        domain.Gateway is { Flows.IsEmpty: false } gateway && broken(gateway) is { } other
            ? domain with { Gateway = other } : null);

    private static HostPlan? Flow(HostPlan plan, Func<FlowPlan, FlowPlan?> broken) => Gateway(plan, gateway =>
        First(gateway.Flows, broken) is { } flows ? gateway with { Flows = flows } : null);

    private static HostPlan? Leg(HostPlan plan, Func<GatewayLeg, GatewayLeg?> broken) => Gateway(plan, gateway =>
        First(gateway.Legs, broken) is { } legs ? gateway with { Legs = legs } : null);

    private static HostPlan? Passage(HostPlan plan, Func<PassagePlan, PassagePlan?> broken) =>
        First(plan.Passages, broken) is { } passages ? plan with { Passages = passages } : null;

    private static HostPlan? Behind(HostPlan plan, Func<PassagePeer, PassagePeer?> broken) => Passage(plan, passage =>
        First(passage.Network.Peers, broken) is { } peers
            ? passage with { Network = passage.Network with { Peers = peers } } : null);

    private static HostPlan? Underlay(
        HostPlan plan, Func<ImmutableArray<TunnelPlan>, ImmutableArray<TunnelPlan>> broken) =>
        plan.Underlay.Tunnels.IsEmpty ? null : plan with
        {
            Underlay = plan.Underlay with { Tunnels = [.. broken([.. plan.Underlay.Tunnels])] },
        };

    private static ImmutableArray<T>? First<T>(ImmutableArray<T> all, Func<T, T?> broken)
        where T : class
    {
        for (int at = 0; at < all.Length; at++)
        {
            if (broken(all[at]) is { } other)
            {
                return all.SetItem(at, other);
            }
        }

        return null;
    }
}
