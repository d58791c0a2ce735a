using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>One flow between two placed machines, before it is split by gateway and family.</summary>
internal readonly record struct PlacedFlow(PairFlow Of, PlacedMember Client, PlacedMember Server)
{
    public OpenFlow Flow => Of.Flow;
}

/// <summary>A pair's passage on one host, the placed flows that touch the host, and where every leg is.</summary>
internal sealed record PassageOnHost(
    FlowPair Pair, PassagePlan Plan, ImmutableArray<PlacedFlow> Flows, LegAddresses Legs);

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

        var legs = scene.LegsOf(pair);
        var flows = Placed(scene, host, pair, withheld);
        var number = pair.Number;
        if (!scene.Numbers.Holds(number, pair.Reference))
        {
            withheld.TryAdd(pair.Reference + " number", new Reason(
                $"The passage between {Display.Of(pair.First)} and {Display.Of(pair.Second)} does not leave this host: "
                + $"another network has its VXLAN number {number}.", [pair.First.Origin, pair.Second.Origin]));
            flows = [.. flows.Where(flow => flow.Client.Host.Ref == flow.Server.Host.Ref)];
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
        return new PassageOnHost(pair, plan, flows, legs);
    }

    /// <summary>
    /// The open flows with a machine on the host; none if they are more than the two domains' gateways have room for.
    /// How much room there is follows from the two statements alone, so that no third domain can take it.
    /// </summary>
    private static ImmutableArray<PlacedFlow> Placed(
        Scene scene, HostModel host, FlowPair pair, SortedDictionary<string, Reason> withheld)
    {
        var placed = ImmutableArray.CreateBuilder<PlacedFlow>();
        var most = PolicyLimits.GatewayRules / pair.Both.Max(Peers);
        var rules = 0L;
        foreach (var flow in scene.FlowsOf(pair))
        {
            var (clients, servers) = (flow.Clients, flow.Servers);
            var (clientsHere, serversHere) = (clients.On(host.Ref), servers.On(host.Ref));
            rules += flow.Ranges * (((long)clientsHere.Length * servers.All.Length)
                + ((long)(clients.All.Length - clientsHere.Length) * serversHere.Length));
            if (rules > most)
            {
                withheld.TryAdd(pair.Reference + " rules", new Reason(
                    $"The flows between {Display.Of(pair.First)} and {Display.Of(pair.Second)} are not laid on "
                    + $"{Display.Of(host)}: they would be more than {most} rules, which is the part of a gateway's "
                    + $"{PolicyLimits.GatewayRules} for each of the peers that the two statements name.",
                    [pair.First.Origin, pair.Second.Origin]));
                return [];
            }

            // Where no server is here, only the clients that are have anything to be laid.
            foreach (var client in serversHere.IsEmpty ? clientsHere : clients.All)
            {
                foreach (var server in client.Host.Ref == host.Ref ? servers.All : serversHere)
                {
                    placed.Add(new PlacedFlow(flow, client, server));
                }
            }
        }

        return placed.ToImmutable();
    }

    private static int Peers(DomainModel domain) => domain.Grants.Concat(domain.Accepts)
        .Where(term => term.Resource is FlowResource.Network).Select(term => term.Peer).Distinct().Count();

    private static ImmutableArray<PassagePeer> Peers(
        Scene scene, HostModel host, FlowPair pair, ImmutableArray<PlacedFlow> flows, LegAddresses legs)
    {
        var far = flows
            .SelectMany(flow => new[] { (flow.Flow.From, flow.Client), (flow.Flow.To, flow.Server) })
            .Where(side => side.Item2.Host.Ref != host.Ref)
            .Select(side => (Domain: side.Item1, side.Item2.Host))
            .DistinctBy(side => (side.Domain, side.Host.Ref));
        return
        [
            .. far.GroupBy(side => side.Host.Ref.ToString(), StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => Peer(scene, host, pair, [.. group], legs)),
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
