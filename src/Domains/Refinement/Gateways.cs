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
        ImmutableArray<LegOnHost> legs = [.. passages.Select(passage => passage.Leg(domain))];
        ImmutableArray<FlowPlan> flows = Joined(legs);
        return new GatewayPlan(
            laid.Namespace, laid.GatewayPort, laid.GatewayMac, laid.GatewayAddresses,
            Neighbours(scene, host, domain, flows), [.. legs.Select(leg => leg.Plan)], flows,
            scene.PairsOf(domain).Reason(domain));
    }

    private static ImmutableArray<FlowPlan> Joined(ImmutableArray<LegOnHost> legs)
    {
        var all = ImmutableArray.CreateBuilder<FlowPlan>(legs.Sum(static leg => leg.Flows.Length));
        foreach (var leg in legs)
        {
            all.AddRange(leg.Flows);
        }

        return all.MoveToImmutable();
    }

    private static ImmutableArray<GatewayNeighbour> Neighbours(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<FlowPlan> flows)
    {
        // All flows that name the same machines of a host name them by one list.
        var (lists, named) = (new HashSet<ImmutableArray<string>>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var flow in flows)
        {
            if (lists.Add(flow.Own))
            {
                named.UnionWith(flow.Own);
            }
        }

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

/// <summary>
/// What one domain's gateway on a host has of a passage, with what each flow lets pass in each family that machines of
/// both sides have.
/// </summary>
internal sealed record LegOnHost(GatewayLeg Plan, ImmutableArray<FlowPlan> Flows)
{
    private static readonly bool[] BothFamilies = [false, true];

    public static LegOnHost Of(DomainModel domain, PassageOnHost passage)
    {
        var (leg, laid) = (passage.Own.Leg(domain), passage.Laid);
        var flows = ImmutableArray.CreateBuilder<FlowPlan>(2 * passage.Flows.Length);
        ImmutableArray<GatewayRoute> routes = [];
        foreach (var flow in passage.Flows)
        {
            if (flow.Here(domain) is not { } here)
            {
                continue;
            }

            var (near, far) = (flow.Near(domain), flow.Far(domain));
            foreach (var isIpv6 in BothFamilies)
            {
                var (own, others) = (here.Addresses(isIpv6), far.Known(isIpv6));
                if (own.IsEmpty || others.IsEmpty)
                {
                    continue;
                }

                routes = laid.Routes(routes, far.Routes(isIpv6));
                flows.Add(new FlowPlan(
                    flow.IsOutward(domain), laid.LegDevice, flow.Of.Protocol, flow.Of.Ports, own, others,
                    flow.Of.Reason)
                {
                    Known = near.KnownOf(own),
                });
            }
        }

        return new LegOnHost(
            new GatewayLeg(
                passage.Plan.Name, laid.LegPort(domain), laid.LegDevice, leg.Mac, leg.Address + "/64",
                passage.Plan.Network.Mtu, routes),
            flows.DrainToImmutable());
    }
}
