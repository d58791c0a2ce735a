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
    private PairFlow(OpenFlow[] flows, FlowProtocol protocol, PlacedDomain clients, PlacedDomain servers)
    {
        (Flow, Protocol, Clients, Servers) = (flows[0], protocol, clients, servers);
        ImmutableArray<PortRange>[] ports =
            [.. flows.Select(flow => flow.Resource).OfType<FlowResource.Network>().Select(network => network.Ports)];
        Ranges = ports.Sum(ranges => Math.Max(1, ranges.Length));
        Ports = PortSets.Merged(ports.SelectMany(ranges => ranges));
        Reason = new Reason($"{Flow.Grant} grants it and {Flow.Accept} accepts it.", [Flow.Grant, Flow.Accept]);
    }

    /// <summary>One of them: domains, machines and statements are all of theirs.</summary>
    public OpenFlow Flow { get; }

    public FlowProtocol Protocol { get; }

    /// <summary>The ports of all, in their one form.</summary>
    public ImmutableArray<PortRange> Ports { get; }

    /// <summary>The ranges that the statements name, each of which is counted as a rule.</summary>
    public int Ranges { get; }

    /// <summary>The senders that are admitted.</summary>
    public PlacedDomain Clients { get; }

    /// <summary>The receivers that are admitted.</summary>
    public PlacedDomain Servers { get; }

    /// <summary>Who grants and accepts it.</summary>
    public Reason Reason { get; }

    /// <summary>The flows of a pair.</summary>
    public static ImmutableArray<PairFlow> Of(
        FlowPair pair, Func<DomainRef, ImmutableArray<CompartmentRef>, PlacedDomain> placed) =>
    [
        .. pair.Flows.GroupBy(flow => (
                flow.From, flow.Senders, flow.Receivers, (flow.Resource as FlowResource.Network)?.Protocol))
            .Where(group => group.Key.Protocol is not null)
            .Select(group => new PairFlow(
                [.. group], group.Key.Protocol ?? throw new System.Diagnostics.UnreachableException(),
                placed(group.Key.From, group.Key.Senders), placed(group.First().To, group.Key.Receivers))),
    ];
}
