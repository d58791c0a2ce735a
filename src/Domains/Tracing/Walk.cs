using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Tracing;

/// <summary>
/// Follows one packet through the plans of the hosts, by the same look-ups that the tables rendered from them make.
/// It stops where the packet does.
/// </summary>
internal sealed class Walk(TraceScene scene, TracedPacket packet)
{
    private const int Dhcp = 67;
    private const int Dhcp6 = 547;
    private const int DhcpClient = 68;
    private const int Dhcp6Client = 546;
    private readonly ImmutableArray<TraceStep>.Builder _steps = ImmutableArray.CreateBuilder<TraceStep>();

    public ImmutableArray<TraceStep> Steps => _steps.ToImmutable();

    /// <summary>Whether it is asked of whoever tells machines their addresses (RFC 2131, RFC 8415).</summary>
    private bool IsAddressService => packet.Question.Protocol == FlowProtocol.Udp
        && packet.Question.Port == (packet.IsIpv6 ? Dhcp6 : Dhcp);

    /// <summary>Whether it is what a machine is told of its addresses.</summary>
    private bool IsToAddressClient => packet.Question.Protocol == FlowProtocol.Udp
        && packet.Question.Port == (packet.IsIpv6 ? Dhcp6Client : DhcpClient);

    /// <summary>True if the packet arrives.</summary>
    public bool Run()
    {
        if (!Sent())
        {
            return false;
        }

        return packet.From.Domain.Domain == packet.To.Domain.Domain
            ? ToSibling() && Received()
            : ToGateway(packet.From.Plan, packet.From.Domain) is { } door
                && Out(door) is { } leg && Across(leg) is { } arrival && HasCrossed() && In(arrival)
                && FromGateway(arrival) && Received();
    }

    /// <summary>From here on addresses are those by which the receiver's domain knows them.</summary>
    private bool HasCrossed()
    {
        packet = packet with { HasCrossed = true };
        return true;
    }

    /// <summary>How a gateway has a machine of its own domain known to the other.</summary>
    private bool Translated(Door door, FlowLine? path)
    {
        if (path is not { Known: { } known })
        {
            return true;
        }

        var (map, from, to) = path.Outward ? ("outbound", path.Own, known) : ("inbound", known, path.Own);
        return Step(
            TracePlace.Gateway, door.Plan.Host, [door.Domain.Domain],
            $"namespace {door.Gateway.Namespace}, inet bw_gateway, map {map}{packet.Family}: "
            + $"{path.Leg} . {from} : {to}", true,
            $"The other domain knows {path.Own} as {known}: both policies state that.", path.Reason);
    }

    /// <summary>Prerouting of the domain's table: port, MAC and address must be one of its own members'.</summary>
    private bool Sent()
    {
        var (plan, domain, port) = packet.From;
        var end = packet.Way == TraceWay.Answer && IsAddressService ? "sport"
            : packet.Way == TraceWay.Request && IsToAddressClient ? "dport" : null;
        if (end is not null && domain.AddressServer != port.Member)
        {
            return Step(
                TracePlace.Port, plan.Host, [domain.Domain],
                $"{Table(domain)}, chain member{packet.Family}: udp {end} {packet.Question.Port}", false,
                $"{scene.NameOf(port.Member.Ref)} may not tell others their addresses, so what it "
                + $"{(end == "sport" ? "answers from" : "sends to")} this port is dropped.", domain.Reason);
        }

        var map = $"set sources{packet.Family}";
        var element = $"{port.Device} . {port.Member.Mac} . {packet.Source}";
        return Step(
            TracePlace.Port, plan.Host, [domain.Domain], $"{Table(domain)}, {map}: {element}", true,
            $"{scene.NameOf(port.Member.Ref)} sends as itself: only {packet.Source} with {port.Member.Mac} may come "
            + $"from this port.", TraceScene.ReasonOf(packet.From))
            && Limited(packet.From, port.Limit?.OutMbit, "sends");
    }

    private bool Received()
    {
        var (plan, domain, port) = packet.To;
        return Step(
            TracePlace.Port, plan.Host, [domain.Domain],
            $"{Table(domain)}, set places: {port.Device} . {port.Member.Mac}", true,
            $"{scene.NameOf(port.Member.Ref)} gets the packet.", TraceScene.ReasonOf(packet.To))
            && Limited(packet.To, port.Limit?.InMbit, "gets");
    }

    /// <summary>A limit closes nothing, but it is why frames can be late or lost.</summary>
    private bool Limited(TraceEnd end, int? mbit, string verb) => mbit is null || Step(
        TracePlace.Port, end.Plan.Host, [end.Domain.Domain],
        $"tc: token bucket of {(verb == "sends" ? "what comes from" : "what goes to")} {end.Port.Device}", true,
        string.Create(
            CultureInfo.InvariantCulture,
            $"{scene.NameOf(end.Port.Member.Ref)} {verb} at most {mbit} Mbit/s; what is more waits 50 ms at most and "
            + $"is dropped then."), TraceScene.ReasonOf(end));

    /// <summary>The forward hook of the domain's table, towards a machine of the same domain.</summary>
    private bool ToSibling()
    {
        var (plan, domain, _) = packet.From;
        var network = domain.Network;
        if (packet.Way == TraceWay.Request && domain.ServicePoint is { GivesAddresses: true } point
            && packet.Question is { Protocol: FlowProtocol.Udp, Port: Dhcp or Dhcp6 })
        {
            return Step(
                TracePlace.Switch, plan.Host, [domain.Domain], $"{Table(domain)}, chain but_service", false,
                $"In {domain.DisplayName} each host tells its machines their addresses: what they ask reaches nobody "
                + "else.", point.Reason);
        }

        if (packet.To.Plan.Host == plan.Host)
        {
            return Step(
                TracePlace.Switch, plan.Host, [domain.Domain],
                $"{Table(domain)}, set places: {packet.To.Port.Device} . {packet.To.Member.Mac}", true,
                $"Both machines are members of {domain.DisplayName} on this host.", network.Reason);
        }

        var peer = network.Peers.FirstOrDefault(one => one.Members.Any(member => member.Mac == packet.To.Member.Mac));
        if (peer is null || Tunnels.To(network, peer.Protection).IsEmpty)
        {
            return Step(
                TracePlace.Switch, plan.Host, [domain.Domain], $"{Table(domain)}, set places", false,
                $"This host's switch of {domain.DisplayName} does not reach {scene.NameOf(packet.To.Member.Ref)} on "
                + $"another host.", network.Reason);
        }

        var tunnel = Tunnels.To(network, peer.Protection)[0];
        return Step(
                TracePlace.Switch, plan.Host, [domain.Domain],
                $"{Table(domain)}, set places: {tunnel} . {packet.To.Member.Mac}", true,
                $"{scene.NameOf(packet.To.Member.Ref)} is a member of {domain.DisplayName} behind "
                + $"{peer.Host.Name}.", network.Reason)
            && OverLink(new Carrier(
                plan, [domain.Domain], network.Number, network.Encrypted?.Segment, peer.Host, peer.UnderlayIpv4,
                peer.Protection, peer.Reason)
            {
                Vlan = network.Vlan,
            })
            && FromTunnel(plan.Host, peer.Protection);
    }

    /// <summary>A frame out of a tunnel counts as a member's behind that host, and goes to machines only.</summary>
    private bool FromTunnel(HostRef sender, LinkProtection protection)
    {
        var (plan, domain, _) = packet.To;
        var known = domain.Network.Peers.Any(peer =>
            peer.Host == sender && peer.Protection == protection
            && peer.Members.Any(member => member.Mac == packet.From.Member.Mac
                && (packet.IsIpv6 ? member.Ipv6 : member.Ipv4) == packet.Source));
        return Step(
            TracePlace.Switch, plan.Host, [domain.Domain],
            $"{Table(domain)}, set sources{packet.Family}: "
            + $"{Tunnels.To(domain.Network, protection).FirstOrDefault() ?? "no tunnel"} . {packet.From.Member.Mac} . "
            + packet.Source, known,
            known
                ? $"{scene.NameOf(packet.From.Member.Ref)} is a member of {domain.DisplayName} behind {sender.Name}."
                : $"This host does not take {scene.NameOf(packet.From.Member.Ref)} for a member of "
                    + $"{domain.DisplayName} behind {sender.Name}.", domain.Network.Reason);
    }

    /// <summary>The forward hook of the domain's table, towards the gateway.</summary>
    private Door? ToGateway(HostPlan plan, DomainPlan domain)
    {
        if (domain.Gateway is not { } gateway)
        {
            Step(
                TracePlace.Switch, plan.Host, [domain.Domain], Table(domain), false,
                $"{domain.DisplayName} has no gateway here: no flow that it is a part of is open.",
                domain.Network.Reason);
            return null;
        }

        var named = gateway.Between(packet.Source, packet.Destination).FirstOrDefault();
        var passes = Step(
            TracePlace.Switch, plan.Host, [domain.Domain],
            $"{Table(domain)}, set outward{packet.Family}: {packet.Source} . {packet.Destination}", named is not null,
            named is not null
                ? $"A flow between {packet.Source} and {packet.Destination} is open, so the gateway is asked."
                : $"No flow between {packet.Source} and {packet.Destination} is open, so the gateway hears nothing.",
            named?.Reason ?? domain.Network.Reason);
        return passes ? new Door(plan, domain, gateway) : null;
    }

    /// <summary>The forward hook of the gateway on the sender's side, and its route.</summary>
    private Leg? Out(Door door)
    {
        var (_, _, gateway) = door;
        if (!Forwards(door, (packet.Source, packet.Destination), out var path))
        {
            return null;
        }

        var leg = gateway.Legs.FirstOrDefault(one => one.Device == path?.Leg);
        var route = leg?.Routes.FirstOrDefault(one => one.Destination == packet.Destination);
        if (leg is null || route is null)
        {
            Step(
                TracePlace.Gateway, door.Plan.Host, [door.Domain.Domain], $"namespace {gateway.Namespace}, routes",
                false, $"The gateway of {door.Domain.DisplayName} has no route to {packet.Destination}.",
                gateway.Reason);
            return null;
        }

        return Translated(door, path) ? new Leg(door, leg, route) : null;
    }

    /// <summary>
    /// What the gateway's table asks of every packet: its path, and the flow of the connection that it belongs to.
    /// </summary>
    private bool Forwards(Door door, (string Own, string Other) ends, out FlowLine? path)
    {
        var (plan, domain, gateway) = door;
        var between = gateway.Between(ends.Own, ends.Other).ToArray();
        path = between.FirstOrDefault();
        var flow = between.FirstOrDefault(packet.IsOf);
        var set = packet.Question.Protocol == FlowProtocol.Icmp
            ? "echo" : WireText.Of(packet.Question.Protocol);
        var port = packet.Question.Protocol == FlowProtocol.Icmp ? "" : string.Create(
            CultureInfo.InvariantCulture, $" . {packet.Question.Port}");
        var answers = packet.Way == TraceWay.Answer ? " It answers a connection of that flow." : "";
        var table = $"namespace {gateway.Namespace}, inet bw_gateway";
        if (packet.Way == TraceWay.Error && path is not null && flow is not null)
        {
            return Step(
                TracePlace.Gateway, plan.Host, [domain.Domain],
                $"{table}, set ends{packet.Family}: {packet.Source} . {packet.Destination} . {packet.Client} . "
                + flow.Original, true,
                "Each end of a connection of that flow may tell the other that it is unreachable, or that a packet is "
                + "too big, and nobody in between.", flow.Reason);
        }

        return path is null
            ? Step(
                TracePlace.Gateway, plan.Host, [domain.Domain], $"{table}, set paths{packet.Family}", false,
                $"The gateway of {domain.DisplayName} knows no path from {packet.Source} to {packet.Destination}.",
                gateway.Reason)
            : Step(
                TracePlace.Gateway, plan.Host, [domain.Domain],
                $"{table}, set {set}{packet.Family}: {packet.Client} . {flow?.Original ?? packet.Server}{port}",
                flow is not null,
                flow is not null
                    ? $"{flow.Reason.Sentence}{answers}"
                    : $"The gateway of {domain.DisplayName} has a flow between {packet.Client} and {packet.Server}, "
                        + $"but none of {packet.Question.Service}.", flow?.Reason ?? path.Reason);
    }

    /// <summary>The passage's table here, the link, and the passage's table there.</summary>
    private Door? Across(Leg way)
    {
        var plan = way.Door.Plan;
        var passage = plan.Passages.FirstOrDefault(one => one.Name == way.Out.Passage);
        var port = passage?.Ports.FirstOrDefault(one => one.Device == way.Out.Port);
        if (passage is null || port is null)
        {
            Step(
                TracePlace.Passage, plan.Host, [way.Door.Domain.Domain], $"device {way.Out.Port}", false,
                "The gateway's leg is in no passage of this host.", way.Door.Gateway.Reason);
            return null;
        }

        var target = way.Route.ViaMac;
        var isHere = passage.Ports.Any(one => one.Leg.Mac == target && one.Leg.Domain != port.Leg.Domain);
        var peer = passage.Network.Peers.FirstOrDefault(one =>
            one.Legs.Any(leg => leg.Mac == target && leg.Domain != port.Leg.Domain));
        var reaches = isHere || (peer is not null && !Tunnels.To(passage.Network, peer.Protection).IsEmpty);
        if (!Step(
                TracePlace.Passage, plan.Host, passage.Between,
                $"bridge {passage.Network.Table}, map legs: {port.Device} . {port.Leg.Mac} . {target}", reaches,
                reaches
                    ? $"The leg of the other gateway is {(isHere ? "on this host" : $"behind {peer?.Host.Name}")}."
                    : $"This host's part of the passage does not reach the other gateway.",
                passage.Reason))
        {
            return null;
        }

        return isHere || peer is null ? DoorOf(plan, passage, target) : Over(plan, passage, port, peer, target);
    }

    private Door? Over(HostPlan plan, PassagePlan passage, PassagePort port, PassagePeer peer, string target)
    {
        if (!OverLink(new Carrier(
                plan, passage.Between, passage.Network.Number, passage.Network.Encrypted?.Segment, peer.Host,
                peer.UnderlayIpv4, peer.Protection, peer.Reason))
            || scene.Plan(peer.Host) is not { } there)
        {
            return null;
        }

        var arrived = there.Passages.FirstOrDefault(one => one.Name == passage.Name);
        var known = arrived is not null
            && arrived.Network.Peers.Any(one => one.Host == plan.Host && one.Protection == peer.Protection
                && one.Legs.Any(leg => leg.Mac == port.Leg.Mac && leg.Domain == port.Leg.Domain))
            && arrived.Ports.Any(one => one.Leg.Mac == target && one.Leg.Domain != port.Leg.Domain);
        return Step(
            TracePlace.Passage, there.Host, passage.Between,
            $"bridge {passage.Network.Table}, map legs: "
            + (Tunnels.To(passage.Network, peer.Protection).FirstOrDefault() ?? "no tunnel")
            + $" . {port.Leg.Mac} . {target}", known,
            known
                ? $"The leg behind {plan.Host.Name} is of the passage."
                : $"This host does not take a leg behind {plan.Host.Name} for one of the passage.",
            (arrived ?? passage).Reason)
            && arrived is not null ? DoorOf(there, arrived, target) : null;
    }

    private Door? DoorOf(HostPlan plan, PassagePlan passage, string mac)
    {
        var domain = plan.Domains.FirstOrDefault(one => one.Gateway?.Legs.Any(leg => leg.Mac == mac) == true);
        if (domain?.Gateway is { } gateway)
        {
            return new Door(plan, domain, gateway);
        }

        Step(
            TracePlace.Passage, plan.Host, passage.Between, $"bridge {passage.Network.Bridge}", false,
            "No gateway has the leg that the packet is for.", passage.Reason);
        return null;
    }

    /// <summary>The forward hook of the gateway on the receiver's side, and whom it knows.</summary>
    private bool In(Door door) =>
        Forwards(door, (packet.Destination, packet.Source), out var path)
        && Translated(door, path)
        && (door.Gateway.Neighbours.Any(one => one.Address == packet.Destination && one.Mac == packet.To.Member.Mac)
            || Step(
                TracePlace.Gateway, door.Plan.Host, [door.Domain.Domain],
                $"namespace {door.Gateway.Namespace}, neighbours", false,
                $"The gateway of {door.Domain.DisplayName} knows no machine here with {packet.Destination}.",
                door.Gateway.Reason));

    /// <summary>The forward hook of the receiving domain's table, from its gateway.</summary>
    private bool FromGateway(Door door)
    {
        var named = door.Gateway.Between(packet.Destination, packet.Source).FirstOrDefault();
        var here = named is not null
            && door.Domain.Network.Ports.Any(port => port.Device == packet.To.Port.Device);
        return Step(
            TracePlace.Switch, door.Plan.Host, [door.Domain.Domain],
            $"{Table(door.Domain)}, set inward{packet.Family}: {packet.Source} . {packet.Destination}", here,
            here
                ? $"The gateway may bring {packet.Source} to {packet.Destination}."
                : $"The gateway may not bring {packet.Source} to {packet.Destination} here.",
            named?.Reason ?? door.Domain.Network.Reason);
    }

    /// <summary>The hosts' guards: who sends tunnel packets in clear, or whose key opens the ciphertext.</summary>
    private bool OverLink(Carrier carrier)
    {
        var there = scene.Plan(carrier.To);
        var local = carrier.From.Underlay.LocalIpv4;
        var passes = there is not null && carrier.Protection switch
        {
            LinkProtection.Encrypted => carrier.Segment is { } segment && Segments(there).Contains(segment),
            LinkProtection.Vlan => there.Domains.Any(one =>
                carrier.Owners.Contains(one.Domain) && one.Network.Vlan == carrier.Vlan),
            LinkProtection.Clear => Takes(carrier.From, carrier.Address) && Takes(there, local),
            _ => throw new UnreachableException(),
        };
        var (rule, how) = carrier.Protection switch
        {
            LinkProtection.Encrypted => ($"WireGuard of segment {carrier.Segment}", "As ciphertext"),
            LinkProtection.Vlan => (
                string.Create(CultureInfo.InvariantCulture, $"VLAN {carrier.Vlan?.Number}"), "In its VLAN"),
            LinkProtection.Clear => (
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"inet bw_underlay, set tunnels: {carrier.Address} . {carrier.Number}"), "In clear"),
            _ => throw new UnreachableException(),
        };
        var sentence = passes
            ? $"{how} to {carrier.To.Name}: {carrier.Reason.Sentence}"
            : $"{carrier.To.Name} takes no packets of this switch from {carrier.From.Host.Name}.";
        return Step(
            TracePlace.Link, carrier.From.Host, carrier.Owners, rule, passes, sentence, carrier.Reason)
            && Shared(carrier);

        bool Takes(HostPlan plan, string address) =>
            plan.Underlay.Tunnels.Any(one => (one.PeerIpv4, one.Number) == (address, carrier.Number));
    }

    /// <summary>
    /// Whose part of the sending host's uplink it is; a part closes nothing, and no domain with one has a VLAN.
    /// </summary>
    private bool Shared(Carrier carrier)
    {
        if (carrier.From.Uplink is not { } uplink)
        {
            return true;
        }

        var part = uplink.Parts.FirstOrDefault(one => carrier.Protection == LinkProtection.Encrypted
            ? carrier.Segment is { } segment && one.Segments.Contains(segment)
            : one.Networks.Contains(carrier.Number));
        var payer = carrier.From.Domains.FirstOrDefault(one => one.Domain == part?.Domain)?.DisplayName;
        return Step(
            TracePlace.Link, carrier.From.Host, part is null ? carrier.Owners : [part.Domain],
            part is null ? "tc: the class of all others" : string.Create(
                CultureInfo.InvariantCulture, $"tc: class b1:{part.Number:x}"), true,
            part is null
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"It shares with others what domains with a part leave of the host's {uplink.Mbit} Mbit/s.")
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"It counts for {payer}, which gets {part.ReserveMbit} Mbit/s of what the host sends when others "
                    + $"want more, and {part.LimitMbit} at most."),
            part?.Reason ?? uplink.Reason);
    }

    private static IEnumerable<string> Segments(HostPlan plan) =>
        plan.Domains.Select(domain => domain.Network.Encrypted)
            .Concat(plan.Passages.Select(passage => passage.Network.Encrypted))
            .OfType<EncryptedTunnels>().Select(tunnels => tunnels.Segment);

    private static string Table(DomainPlan domain) => $"bridge {domain.Network.Table}";

    /// <summary>What a plan leaves out that this packet's domains asked for.</summary>
    private IEnumerable<Reason> Withheld(HostPlan? plan)
    {
        DomainRef[] both = [packet.From.Domain.Domain, packet.To.Domain.Domain];
        return plan?.Withheld.Where(why => why.Because.Any(origin => both.Any(domain =>
            origin.Kind == StatementKind.Domain && origin.Owner == domain.Tenant && origin.Name == domain.Name))) ?? [];
    }

    private bool Step(
        TracePlace place, HostRef host, ImmutableArray<DomainRef> owners, string rule, bool passes, string sentence,
        Reason reason)
    {
        _steps.Add(new TraceStep(packet.Way, place, host, owners, rule, passes, sentence)
        {
            Because = reason.Because, Withheld = passes ? [] : [.. Withheld(scene.Plan(host))],
        });
        return passes;
    }

    /// <summary>A gateway that a packet is at.</summary>
    private sealed record Door(HostPlan Plan, DomainPlan Domain, GatewayPlan Gateway);

    /// <summary>The leg and the route by which a packet leaves a gateway.</summary>
    private sealed record Leg(Door Door, GatewayLeg Out, GatewayRoute Route);

    /// <summary>What carries a switch's frames to another host.</summary>
    private sealed record Carrier(
        HostPlan From, ImmutableArray<DomainRef> Owners, int Number, string? Segment, HostRef To, string Address,
        LinkProtection Protection, Reason Reason)
    {
        public VlanPlan? Vlan { get; init; }
    }
}
