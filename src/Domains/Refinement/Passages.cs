using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A pair's passage on one host, and the flows that have a machine on it.</summary>
internal sealed record PassageOnHost(
    FlowPair Pair, PassagePlan Plan, ImmutableArray<FlowOnHost> Flows, LaidPair Laid);

/// <summary>Passages between domains: who needs one on a host, and which hosts are on the other side.</summary>
internal static class Passages
{
    public static ImmutableArray<PassageOnHost> On(
        Scene scene, HostModel host, ImmutableArray<DomainModel> domains,
        SortedDictionary<string, Reason> withheld) =>
    [
        .. scene.PairsOf(domains).Select(pair => Of(scene, host, pair, withheld)).OfType<PassageOnHost>(),
    ];

    private static PassageOnHost? Of(
        Scene scene, HostModel host, FlowPair pair, SortedDictionary<string, Reason> withheld)
    {
        var here = pair.Both
            .Where(domain => !scene.Members(domain).On(host.Ref).IsEmpty).ToList();
        if (here.Count == 0)
        {
            return null;
        }

        var laid = scene.Laid(pair);
        var legs = laid.Legs;
        var flows = Placed(laid, host, pair, withheld);
        var number = pair.Number;
        if (!scene.Numbers.Holds(number, pair.Reference))
        {
            withheld.TryAdd(pair.Reference + " number", new Reason(
                $"The passage between {Display.Of(pair.First)} and {Display.Of(pair.Second)} does not leave this host: "
                + $"another network has its VXLAN number {number}.", [pair.First.Origin, pair.Second.Origin]));
            flows =
            [
                .. flows.Select(flow => new FlowOnHost(
                    flow.Of, flow.Clients.Only(host.Ref), flow.Servers.Only(host.Ref)))
                    .Where(flow => !flow.Clients.Placed.All.IsEmpty && !flow.Servers.Placed.All.IsEmpty),
            ];
        }

        var peers = Peers(scene, host, pair, flows, legs);
        var network = new PassageNetwork(
            DeviceNames.PassageBridge(pair.Name),
            peers.Any(peer => peer.Protection == LinkProtection.Clear) ? DeviceNames.PassageVxlan(pair.Name) : null,
            peers.Any(peer => peer.Protection == LinkProtection.Encrypted)
                ? DeviceNames.Encrypted(pair.Name, host.UnderlayIpv4) : null,
            number, DeviceNames.PassageTable(pair.Name), Scene.Mtu(pair.Both), peers);
        var plan = new PassagePlan(
            pair.Name, [pair.First.Ref, pair.Second.Ref], network,
            [.. here.Select(domain => new PassagePort(
                DeviceNames.LegPort(domain.Ref, pair.Name), legs.Member(host.Ref, domain.Ref)))],
            new Reason($"A flow is open between {Display.Of(pair.First)} and {Display.Of(pair.Second)}.",
                [pair.First.Origin, pair.Second.Origin]));
        return new PassageOnHost(pair, plan, flows, laid);
    }

    /// <summary>
    /// The open flows with a machine on the host; none if they are more than the two domains' gateways have room for.
    /// How much room there is follows from the two statements alone, so that no third domain can take it.
    /// </summary>
    private static ImmutableArray<FlowOnHost> Placed(
        LaidPair laid, HostModel host, FlowPair pair, SortedDictionary<string, Reason> withheld)
    {
        var placed = ImmutableArray.CreateBuilder<FlowOnHost>();
        var most = PolicyLimits.GatewayRules / pair.Both.Max(Peers);
        var rules = 0L;
        foreach (var flow in laid.Flows)
        {
            var (clients, servers) = (flow.Clients.Placed, flow.Servers.Placed);
            var (clientsHere, serversHere) = (clients.On(host.Ref).Length, servers.On(host.Ref).Length);
            var pairs = ((long)clientsHere * servers.All.Length)
                + ((long)(clients.All.Length - clientsHere) * serversHere);
            rules += flow.Ranges * pairs;
            if (rules > most)
            {
                withheld.TryAdd(pair.Reference + " rules", new Reason(
                    $"The flows between {Display.Of(pair.First)} and {Display.Of(pair.Second)} are not laid on "
                    + $"{Display.Of(host)}: they would be more than {most} rules, which is the part of a gateway's "
                    + $"{PolicyLimits.GatewayRules} for each of the peers that the two statements name.",
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

    private static int Peers(DomainModel domain) => domain.Grants.Concat(domain.Accepts)
        .Where(term => term.Resource is FlowResource.Network).Select(term => term.Peer).Distinct().Count();

    /// <summary>The hosts whom a machine of this one meets by a flow, whichever of the two is the client.</summary>
    private static ImmutableArray<PassagePeer> Peers(
        Scene scene, HostModel host, FlowPair pair, ImmutableArray<FlowOnHost> flows, LegAddresses legs)
    {
        var met = flows.Where(flow => flow.Clients.Placed.At(host.Ref) is not null).Select(flow => flow.Servers)
            .Concat(flows.Where(flow => flow.Servers.Placed.At(host.Ref) is not null).Select(flow => flow.Clients))
            .Distinct();
        return
        [
            .. met.SelectMany(end => end.Placed.ByHost, (end, there) => (there.Name, end.Domain.Ref, there.Host))
                .Where(side => side.Host.Ref != host.Ref)
                .GroupBy(side => side.Name, StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => Peer(
                    scene, host, pair, [.. group.Select(side => (side.Ref, side.Host)).Distinct()], legs)),
        ];
    }

    /// <summary>Encrypted as soon as one of the two domains demands it: either's frames are in it.</summary>
    private static PassagePeer Peer(
        Scene scene, HostModel host, FlowPair pair, ImmutableArray<(DomainRef Domain, HostModel Host)> sides,
        LegAddresses legs)
    {
        var peer = sides[0].Host;
        var way = Links.Of(scene.Datacentre, pair.Both, host, peer);
        return new PassagePeer(
            peer.Ref, peer.UnderlayIpv4,
            [.. sides.OrderBy(side => pair.First.Ref == side.Domain ? 0 : 1)
                .Select(side => legs.Member(side.Host.Ref, side.Domain))],
            way.Protection, new Reason(way.Sentence, way.Because));
    }
}
