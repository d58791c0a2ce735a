using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain's gateway on one host.</summary>
internal static class Gateways
{
    private static readonly bool[] BothFamilies = [false, true];

    public static GatewayPlan? Of(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<PassageOnHost> passages)
    {
        if (!scene.HasGateway(domain))
        {
            return null;
        }

        var own = passages.OrderBy(passage => passage.Plan.Name, StringComparer.Ordinal).ToList();
        var laid = scene.Laid(domain);
        var flows = own.SelectMany(passage => Flows(host, domain, passage)).ToImmutableArray();
        return new GatewayPlan(
            laid.Namespace, laid.GatewayPort, laid.GatewayMac, laid.GatewayAddresses,
            Neighbours(scene, host, domain, flows),
            [.. own.Select(passage => Leg(host, domain, passage))],
            flows,
            new Reason(
                $"{Display.Of(domain)} has open flows with "
                + Display.List(own.Select(passage => Display.Of(passage.Pair.Other(domain)))) + ".",
                [domain.Origin, .. own.Select(passage => passage.Pair.Other(domain).Origin)]));
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

    private static GatewayLeg Leg(HostModel host, DomainModel domain, PassageOnHost passage)
    {
        var leg = passage.Laid.Legs.Member(host.Ref, domain.Ref);
        var name = passage.Plan.Name;
        return new GatewayLeg(
            name, passage.Laid.LegPort(domain), passage.Laid.LegDevice, leg.Mac,
            leg.Address + "/64", passage.Plan.Network.Mtu, Routes(host, domain, passage));
    }

    private static ImmutableArray<GatewayRoute> Routes(HostModel host, DomainModel domain, PassageOnHost passage) =>
        passage.Laid.Routes(passage.Flows.SelectMany(flow => BothFamilies
            .Where(isIpv6 => flow.Near(domain).Placed.At(host.Ref)?.Addresses(isIpv6).IsEmpty is false)
            .Select(isIpv6 => flow.Far(domain).Routes(isIpv6))));

    /// <summary>What each flow lets pass, in each family that machines of both sides have.</summary>
    private static IEnumerable<FlowPlan> Flows(HostModel host, DomainModel domain, PassageOnHost passage) =>
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
