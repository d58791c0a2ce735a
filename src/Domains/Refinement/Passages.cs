using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A pair's passage on one host, and the flows that have a machine on it.</summary>
internal sealed class PassageOnHost(
    FlowPair pair, PassagePlan plan, ImmutableArray<FlowOnHost> flows, LaidPair laid, PairHost own,
    WithheldPart withheld)
{
    private LegOnHost? _first;
    private LegOnHost? _second;

    public FlowPair Pair => pair;

    public PassagePlan Plan => plan;

    public ImmutableArray<FlowOnHost> Flows => flows;

    public LaidPair Laid => laid;

    public PairHost Own => own;

    /// <summary>What it leaves out.</summary>
    public WithheldPart Withheld => withheld;

    /// <summary>What the gateway of one of the two domains has of it, made once for as long as it stays.</summary>
    public LegOnHost Leg(DomainModel domain) => domain.Ref == pair.First.Ref
        ? _first ??= LegOnHost.Of(domain, this) : _second ??= LegOnHost.Of(domain, this);
}

/// <summary>Passages between domains: who needs one on a host, and which hosts are on the other side.</summary>
internal static class Passages
{
    /// <summary>The passage of a pair on a host; null where neither domain has a machine there.</summary>
    public static PassageOnHost? Of(Scene scene, HostModel host, FlowPair pair)
    {
        var laid = scene.Laid(pair);
        var (first, second) = (laid.First.At(host.Ref), laid.Second.At(host.Ref));
        if ((first ?? second) is not { } members)
        {
            return null;
        }

        var (own, withheld) = (laid.At(members), new WithheldPart());
        var flows = Placed(laid, host, pair, withheld);
        var number = pair.Number;
        if (!scene.Numbers.Holds(number, pair.Reference))
        {
            withheld.Add(pair.Reference + " number", new Reason(
                $"The passage between {Display.Of(pair.First)} and {Display.Of(pair.Second)} does not leave this host: "
                + $"another network has its VXLAN number {number}.", [pair.First.Origin, pair.Second.Origin]));
            flows =
            [
                .. flows.Where(flow => flow.ClientsHere is not null && flow.ServersHere is not null)
                    .Select(flow => flow with
                    {
                        Clients = flow.Clients.Only(host.Ref), Servers = flow.Servers.Only(host.Ref),
                    }),
            ];
        }

        var peers = Peers(own, laid, flows);
        var network = new PassageNetwork(
            laid.Bridge, peers.Any(static peer => peer.Protection == LinkProtection.Clear) ? laid.Vxlan : null,
            peers.Any(static peer => peer.Protection == LinkProtection.Encrypted)
                ? DeviceNames.Encrypted(pair.Name, scene.Links.Inside(host)) : null,
            number, laid.Table, laid.Mtu, peers);
        var plan = new PassagePlan(
            pair.Name, laid.Between, network,
            first is null ? [laid.Port(own, isFirst: false)] : second is null ? [laid.Port(own, isFirst: true)]
                : [laid.Port(own, isFirst: true), laid.Port(own, isFirst: false)],
            laid.Reason);
        return new PassageOnHost(pair, plan, flows, laid, own, withheld);
    }

    /// <summary>
    /// The open flows with a machine on the host; none if they are more than the two domains' gateways have room for.
    /// </summary>
    private static ImmutableArray<FlowOnHost> Placed(
        LaidPair laid, HostModel host, FlowPair pair, WithheldPart withheld)
    {
        var placed = ImmutableArray.CreateBuilder<FlowOnHost>(laid.Flows.Length);
        var rules = 0L;
        foreach (var flow in laid.Flows)
        {
            var (clients, servers) = (flow.Clients.Placed, flow.Servers.Placed);
            var (clientsHere, serversHere) = (clients.At(host.Ref), servers.At(host.Ref));
            var clientsCount = clientsHere?.All.Length ?? 0;
            var pairs = ((long)clientsCount * servers.All.Length)
                + ((long)(clients.All.Length - clientsCount) * (serversHere?.All.Length ?? 0));
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
                placed.Add(new FlowOnHost(flow, flow.Clients, flow.Servers, clientsHere, serversHere));
            }
        }

        return placed.DrainToImmutable();
    }

    /// <summary>The hosts whom a machine of this one meets by a flow, whichever of the two is the client.</summary>
    private static ImmutableArray<PassagePeer> Peers(
        PairHost own, LaidPair laid, ImmutableArray<FlowOnHost> flows)
    {
        ImmutableArray<MetHost> met = [];
        foreach (var flow in flows)
        {
            met = flow.ClientsHere is null ? met : laid.Met(met, flow.Servers.Hosts);
            met = flow.ServersHere is null ? met : laid.Met(met, flow.Clients.Hosts);
        }

        return laid.Peers(own, met);
    }
}
