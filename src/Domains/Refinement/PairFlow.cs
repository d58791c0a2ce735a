using System.Collections.Immutable;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Open network flows of one direction and transport between the same machines, as one, with where these are: the same
/// for every host.
/// </summary>
internal sealed class PairFlow
{
    private PairFlow(OpenFlow[] flows, FlowProtocol protocol, FlowEnd clients, FlowEnd servers)
    {
        (Protocol, Clients, Servers) = (protocol, clients, servers);
        ImmutableArray<PortRange>[] ports =
            [.. flows.Select(flow => flow.Resource).OfType<FlowResource.Network>().Select(network => network.Ports)];
        Ranges = ports.Sum(ranges => Math.Max(1, ranges.Length));
        Ports = PortSets.Merged(ports.SelectMany(ranges => ranges));
        var (grant, accept) = (flows[0].Grant, flows[0].Accept);
        Reason = new Reason($"{grant} grants it and {accept} accepts it.", [grant, accept]);
    }

    public FlowProtocol Protocol { get; }

    /// <summary>The ports of all, in their one form.</summary>
    public ImmutableArray<PortRange> Ports { get; }

    /// <summary>The ranges that the statements name, each of which is counted as a rule.</summary>
    public int Ranges { get; }

    /// <summary>The senders that are admitted.</summary>
    public FlowEnd Clients { get; }

    /// <summary>The receivers that are admitted.</summary>
    public FlowEnd Servers { get; }

    /// <summary>Who grants and accepts it.</summary>
    public Reason Reason { get; }

    /// <summary>The flows of a pair.</summary>
    public static ImmutableArray<PairFlow> Of(
        FlowPair pair, Func<DomainModel, ImmutableArray<CompartmentRef>, FlowEnd> end) =>
    [
        .. pair.Flows.GroupBy(flow => (
                flow.From, flow.Senders, flow.Receivers, (flow.Resource as FlowResource.Network)?.Protocol))
            .Where(group => group.Key.Protocol is not null)
            .Select(group => new PairFlow(
                [.. group], group.Key.Protocol ?? throw new System.Diagnostics.UnreachableException(),
                end(pair.Of(group.Key.From), group.Key.Senders),
                end(pair.Other(pair.Of(group.Key.From)), group.Key.Receivers))),
    ];
}

/// <summary>A flow on one host that has a machine of it: every client with every server, if one of the two is here.
/// </summary>
/// <param name="Of">The flow.</param>
/// <param name="Clients">Its clients, or where the passage does not leave the host, those here.</param>
/// <param name="Servers">Its servers, or those here.</param>
/// <param name="ClientsHere">The clients here; null for none.</param>
/// <param name="ServersHere">The servers here; null for none.</param>
internal readonly record struct FlowOnHost(
    PairFlow Of, FlowEnd Clients, FlowEnd Servers, HostMembers? ClientsHere, HostMembers? ServersHere)
{
    /// <summary>The side of one of the two domains.</summary>
    public FlowEnd Near(DomainModel domain) => IsOutward(domain) ? Clients : Servers;

    /// <summary>Its machines here; null for none.</summary>
    public HostMembers? Here(DomainModel domain) => IsOutward(domain) ? ClientsHere : ServersHere;

    /// <summary>The other's.</summary>
    public FlowEnd Far(DomainModel domain) => IsOutward(domain) ? Servers : Clients;

    /// <summary>Whether the clients are this domain's.</summary>
    public bool IsOutward(DomainModel domain) => Clients.Domain.Ref == domain.Ref;
}
