using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain's gateway on one host.</summary>
internal static class Gateways
{
    public static GatewayPlan? Of(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<PassageOnHost> passages)
    {
        if (!scene.HasGateway(domain))
        {
            return null;
        }

        var own = passages.Where(passage => passage.Pair.Has(domain))
            .OrderBy(passage => passage.Plan.Name, StringComparer.Ordinal).ToList();
        var flows = own.SelectMany(passage => Flows(host, domain, passage)).ToImmutableArray();
        return new GatewayPlan(
            DeviceNames.Namespace(domain.Ref), DeviceNames.GatewayPort(domain.Ref), DeviceNames.GatewayMac(domain.Ref),
            [.. domain.Network.Subnets.Select(Subnets.GatewayText)],
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
        var named = flows.Select(flow => flow.Own).ToHashSet(StringComparer.Ordinal);
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
        var leg = passage.Legs.Member(host.Ref, domain.Ref);
        var name = passage.Plan.Name;
        return new GatewayLeg(
            name, DeviceNames.LegPort(domain.Ref, name), DeviceNames.LegDevice(name), leg.Mac,
            leg.Ipv4 + "/16", leg.Ipv6 + "/64", passage.Plan.Network.Mtu, Routes(host, domain, passage));
    }

    private static ImmutableArray<GatewayRoute> Routes(HostModel host, DomainModel domain, PassageOnHost passage)
    {
        var routes = new Dictionary<string, GatewayRoute>(StringComparer.Ordinal);
        foreach (var flow in passage.Flows)
        {
            var (own, other) = Sides(domain, flow);
            if (own.Host.Ref != host.Ref)
            {
                continue;
            }

            var via = passage.Legs.Member(other.Host.Ref, passage.Pair.Other(domain).Ref);
            foreach (var (_, destination, _) in Families(domain, passage.Pair.Other(domain), flow))
            {
                var isIpv6 = destination.Contains(':', StringComparison.Ordinal);
                routes[destination] = new GatewayRoute(destination, isIpv6 ? via.Ipv6 : via.Ipv4, via.Mac);
            }
        }

        return [.. routes.Values.OrderBy(route => route.Destination, StringComparer.Ordinal)];
    }

    private static IEnumerable<FlowPlan> Flows(HostModel host, DomainModel domain, PassageOnHost passage)
    {
        var lines = passage.Flows
            .Where(flow => Sides(domain, flow).Own.Host.Ref == host.Ref)
            .SelectMany(flow => Families(domain, passage.Pair.Other(domain), flow).Select(pair => (
                Outward: flow.Flow.From == domain.Ref, pair.Own, pair.Other, pair.Known, flow.Of)))
            .Select(line => (
                From: line.Outward ? line.Own : line.Other, To: line.Outward ? line.Other : line.Own, line.Outward,
                line.Known, line.Of))
            .GroupBy(line => (line.From, line.To, line.Outward, line.Of.Protocol))
            .OrderBy(group => group.Key.From, StringComparer.Ordinal)
            .ThenBy(group => group.Key.To, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Protocol);
        foreach (var group in lines)
        {
            var (flow, known) = (group.First().Of, group.First().Known);
            yield return new FlowPlan(
                group.Key.From, group.Key.To, group.Key.Outward, DeviceNames.LegDevice(passage.Plan.Name),
                group.Key.Protocol, Merged(group.SelectMany(line => line.Of.Ports)),
                flow.Reason)
            {
                Known = known,
            };
        }
    }

    private static (PlacedMember Own, PlacedMember Other) Sides(DomainModel domain, PlacedFlow flow) =>
        flow.Flow.From == domain.Ref ? (flow.Client, flow.Server) : (flow.Server, flow.Client);

    /// <summary>
    /// The two ends' addresses in each family that both have, as the domain's own gateway sees them: its own machine's,
    /// and that by which it knows the other; and that by which the other domain knows its own, if it is another.
    /// </summary>
    private static IEnumerable<(string Own, string Other, string? Known)> Families(
        DomainModel domain, DomainModel peer, PlacedFlow flow)
    {
        var (near, far) = Sides(domain, flow);
        if (!Translations.AreAny(domain, peer))
        {
            foreach (var (own, other) in new[] { (near.Plan.Ipv4, far.Plan.Ipv4), (near.Plan.Ipv6, far.Plan.Ipv6) })
            {
                if (own is not null && other is not null)
                {
                    yield return (own, other, null);
                }
            }

            yield break;
        }

        foreach (var (own, other) in new (IPAddress?, IPAddress?)[]
        {
            (near.Nic.Ipv4, far.Nic.Ipv4), (near.Nic.Ipv6, far.Nic.Ipv6),
        })
        {
            if (own is not null && other is not null)
            {
                var known = Translations.Known(domain, peer, own);
                yield return (
                    own.ToString(), Translations.Known(peer, domain, other).ToString(),
                    known.Equals(own) ? null : known.ToString());
            }
        }
    }

    /// <summary>Ranges in order, those that overlap or adjoin joined: an interval set refuses overlaps.</summary>
    private static ImmutableArray<PortRange> Merged(IEnumerable<PortRange> ranges)
    {
        var merged = new List<PortRange>();
        foreach (var range in ranges.OrderBy(range => range.First).ThenBy(range => range.Last))
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
            {
                merged[^1] = new PortRange(merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            }
            else
            {
                merged.Add(range);
            }
        }

        return [.. merged];
    }
}
