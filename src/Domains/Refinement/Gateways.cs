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

    public static LegOnHost Of(DomainModel domain, PassageOnHost passage)
    {
        var leg = passage.Own.Leg(domain);
        return new LegOnHost(
            new GatewayLeg(
                passage.Plan.Name, passage.Laid.LegPort(domain), passage.Laid.LegDevice, leg.Mac,
                leg.Address + "/64", passage.Plan.Network.Mtu, passage.Laid.Routes(Routes(domain, passage))),
            [.. FlowsOf(domain, passage)]);
    }

    private static IEnumerable<ImmutableArray<GatewayRoute>> Routes(DomainModel domain, PassageOnHost passage)
    {
        foreach (var flow in passage.Flows)
        {
            if (flow.Here(domain) is { } here)
            {
                var far = flow.Far(domain);
                foreach (var isIpv6 in BothFamilies)
                {
                    if (!here.Addresses(isIpv6).IsEmpty)
                    {
                        yield return far.Routes(isIpv6);
                    }
                }
            }
        }
    }

    /// <summary>What each flow lets pass, in each family that machines of both sides have.</summary>
    private static IEnumerable<FlowPlan> FlowsOf(DomainModel domain, PassageOnHost passage)
    {
        foreach (var flow in passage.Flows)
        {
            if (flow.Here(domain) is { } here)
            {
                var (near, far) = (flow.Near(domain), flow.Far(domain));
                foreach (var isIpv6 in BothFamilies)
                {
                    if (here.Addresses(isIpv6) is { IsEmpty: false } own
                        && far.Known(isIpv6) is { IsEmpty: false } others)
                    {
                        yield return new FlowPlan(
                            flow.IsOutward(domain), passage.Laid.LegDevice, flow.Of.Protocol, flow.Of.Ports, own,
                            others, flow.Of.Reason)
                        {
                            Known = near.KnownOf(own),
                        };
                    }
                }
            }
        }
    }
}
