using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain's gateway on one host.</summary>
internal static class Gateways
{
    /// <param name="scene">The datacentre.</param>
    /// <param name="host">The host.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="passages">Its passages there, by name.</param>
    public static GatewayPlan? Of(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<PassageOnHost> passages)
    {
        if (!scene.HasGateway(domain))
        {
            return null;
        }

        var laid = scene.Laid(domain);
        ImmutableArray<LegOnHost> legs = [.. passages.Select(passage => passage.Leg(host, domain))];
        ImmutableArray<FlowPlan> flows = [.. legs.SelectMany(leg => leg.Flows)];
        return new GatewayPlan(
            laid.Namespace, laid.GatewayPort, laid.GatewayMac, laid.GatewayAddresses,
            Neighbours(scene, host, domain, flows), [.. legs.Select(leg => leg.Plan)], flows,
            scene.PairsOf(domain).Reason(domain));
    }

    private static ImmutableArray<GatewayNeighbour> Neighbours(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<FlowPlan> flows)
    {
        var named = flows.SelectMany(flow => flow.Own).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. scene.Members(domain).On(host.Ref)
                .SelectMany(member => Addresses(member.Plan)
                    .Where(named.Contains)
                    .Select(address => new GatewayNeighbour(address, member.Plan.Mac))),
        ];
    }

    private static IEnumerable<string> Addresses(MemberPlan member) =>
        new[] { member.Ipv4, member.Ipv6 }.OfType<string>();
}

/// <summary>What one domain's gateway on a host has of a passage.</summary>
internal sealed record LegOnHost(GatewayLeg Plan, ImmutableArray<FlowPlan> Flows)
{
    private static readonly bool[] BothFamilies = [false, true];

    public static LegOnHost Of(HostModel host, DomainModel domain, PassageOnHost passage)
    {
        var leg = passage.Laid.Legs.Member(host.Ref, domain.Ref);
        return new LegOnHost(
            new GatewayLeg(
                passage.Plan.Name, passage.Laid.LegPort(domain), passage.Laid.LegDevice, leg.Mac,
                leg.Address + "/64", passage.Plan.Network.Mtu, Routes(host, domain, passage)),
            [.. FlowsOf(host, domain, passage)]);
    }

    private static ImmutableArray<GatewayRoute> Routes(HostModel host, DomainModel domain, PassageOnHost passage) =>
        passage.Laid.Routes(passage.Flows.SelectMany(flow => BothFamilies
            .Where(isIpv6 => flow.Near(domain).Placed.At(host.Ref)?.Addresses(isIpv6).IsEmpty is false)
            .Select(isIpv6 => flow.Far(domain).Routes(isIpv6))));

    /// <summary>What each flow lets pass, in each family that machines of both sides have.</summary>
    private static IEnumerable<FlowPlan> FlowsOf(HostModel host, DomainModel domain, PassageOnHost passage) =>
        from flow in passage.Flows
        let here = flow.Near(domain).Placed.At(host.Ref)
        where here is not null
        from isIpv6 in BothFamilies
        let own = here.Addresses(isIpv6)
        let others = flow.Far(domain).Known(isIpv6)
        where !own.IsEmpty && !others.IsEmpty
        select new FlowPlan(
            flow.IsOutward(domain), passage.Laid.LegDevice, flow.Of.Protocol, flow.Of.Ports, own,
            others, flow.Of.Reason)
        {
            Known = flow.Near(domain).KnownOf(own),
        };
}
