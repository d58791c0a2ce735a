using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A pair's passage on one host, and the flows that have a machine on it.</summary>
internal sealed class PassageOnHost(
    FlowPair pair, PassagePlan plan, ImmutableArray<FlowOnHost> flows, LaidPair laid, WithheldPart withheld)
{
    private LegOnHost? _first;
    private LegOnHost? _second;

    public FlowPair Pair => pair;

    public PassagePlan Plan => plan;

    public ImmutableArray<FlowOnHost> Flows => flows;

    public LaidPair Laid => laid;

    /// <summary>What it leaves out.</summary>
    public WithheldPart Withheld => withheld;

    /// <summary>What the gateway of one of the two domains has of it, made once for as long as it stays.</summary>
    public LegOnHost Leg(HostModel host, DomainModel domain) => domain.Ref == pair.First.Ref
        ? _first ??= LegOnHost.Of(host, domain, this) : _second ??= LegOnHost.Of(host, domain, this);
}

/// <summary>Passages between domains: who needs one on a host, and which hosts are on the other side.</summary>
internal static class Passages
{
    /// <summary>The passage of a pair on a host; null where neither domain has a machine there.</summary>
    public static PassageOnHost? Of(Scene scene, HostModel host, FlowPair pair)
    {
        var here = pair.Both
            .Where(domain => !scene.Members(domain).On(host.Ref).IsEmpty).ToList();
        if (here.Count == 0)
        {
            return null;
        }

        var (laid, withheld) = (scene.Laid(pair), new WithheldPart());
        var flows = Placed(laid, host, pair, withheld);
        var number = pair.Number;
        if (!scene.Numbers.Holds(number, pair.Reference))
        {
            withheld.Add(pair.Reference + " number", new Reason(
                $"The passage between {Display.Of(pair.First)} and {Display.Of(pair.Second)} does not leave this host: "
                + $"another network has its VXLAN number {number}.", [pair.First.Origin, pair.Second.Origin]));
            flows =
            [
                .. flows.Select(flow => new FlowOnHost(
                    flow.Of, flow.Clients.Only(host.Ref), flow.Servers.Only(host.Ref)))
                    .Where(flow => !flow.Clients.Placed.All.IsEmpty && !flow.Servers.Placed.All.IsEmpty),
            ];
        }

        var peers = Peers(scene, host, laid, flows);
        var network = new PassageNetwork(
            DeviceNames.PassageBridge(pair.Name),
            peers.Any(peer => peer.Protection == LinkProtection.Clear) ? DeviceNames.PassageVxlan(pair.Name) : null,
            peers.Any(peer => peer.Protection == LinkProtection.Encrypted)
                ? DeviceNames.Encrypted(pair.Name, host.UnderlayIpv4) : null,
            number, DeviceNames.PassageTable(pair.Name), Scene.Mtu(pair.Both), peers);
        var plan = new PassagePlan(
            pair.Name, [pair.First.Ref, pair.Second.Ref], network,
            [.. here.Select(domain => new PassagePort(laid.LegPort(domain), laid.Legs.Member(host.Ref, domain.Ref)))],
            laid.Reason);
        return new PassageOnHost(pair, plan, flows, laid, withheld);
    }

    /// <summary>
    /// The open flows with a machine on the host; none if they are more than the two domains' gateways have room for.
    /// </summary>
    private static ImmutableArray<FlowOnHost> Placed(
        LaidPair laid, HostModel host, FlowPair pair, WithheldPart withheld)
    {
        var placed = ImmutableArray.CreateBuilder<FlowOnHost>();
        var rules = 0L;
        foreach (var flow in laid.Flows)
        {
            var (clients, servers) = (flow.Clients.Placed, flow.Servers.Placed);
            var (clientsHere, serversHere) = (clients.On(host.Ref).Length, servers.On(host.Ref).Length);
            var pairs = ((long)clientsHere * servers.All.Length)
                + ((long)(clients.All.Length - clientsHere) * serversHere);
            rules += flow.Ranges * pairs;
            if (rules > laid.Most)
            {
                withheld.Add(pair.Reference + " rules", new Reason(
                    $"The flows between {Display.Of(pair.First)} and {Display.Of(pair.Second)} are not laid on "
                    + $"{Display.Of(host)}: they would be more than {laid.Most} rules, which is the part of a "
                    + $"gateway's {PolicyLimits.GatewayRules} for each of the peers that the two statements name.",
                    [pair.First.Origin, pair.Second.Origin]));
                return [];
            }

            if (pairs > 0)
            {
                placed.Add(new FlowOnHost(flow, flow.Clients, flow.Servers));
            }
        }

        return placed.ToImmutable();
    }

    /// <summary>The hosts whom a machine of this one meets by a flow, whichever of the two is the client.</summary>
    private static ImmutableArray<PassagePeer> Peers(
        Scene scene, HostModel host, LaidPair laid, ImmutableArray<FlowOnHost> flows)
    {
        var links = scene.Links.Of(host);
        var met = laid.Met(
            flows.Where(flow => flow.Clients.Placed.At(host.Ref) is not null).Select(flow => flow.Servers.Hosts)
                .Concat(flows.Where(flow => flow.Servers.Placed.At(host.Ref) is not null)
                    .Select(flow => flow.Clients.Hosts)));
        var peers = ImmutableArray.CreateBuilder<PassagePeer>(met.Length);
        foreach (var (there, first, second) in met)
        {
            if (there.Host.Ref != host.Ref)
            {
                peers.Add(there.Peer(first, second, laid.Ways.By(scene.Links.Joining(links, there.Links))));
            }
        }

        return peers.DrainToImmutable();
    }
}
