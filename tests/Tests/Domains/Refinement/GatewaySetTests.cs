using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

/// <summary>A gateway's flows are sets; what they let pass is what is found by looking at each two machines.</summary>
public sealed class GatewaySetTests
{
    private static readonly bool[] BothFamilies = [false, true];

    [Fact]
    public void In_random_datacentres_the_sets_let_pass_what_each_two_machines_may()
    {
        var lines = 0;
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new RandomDatacentre(seed);
            lines += Compare(random.Datacentre, random.Proposals, random.Plans);
        }

        Assert.True(lines > 300, $"{lines} lines");
    }

    [Theory]
    [InlineData(12, 80, 6, 3)]
    [InlineData(8, 120, 2, 4)]
    [InlineData(30, 60, 20, 5)]
    public void In_drawn_datacentres_too(int domains, int machines, int hosts, int seed)
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(domains, machines, hosts, 12, seed));
        var datacentre = PolicyCheck.Run(drawn.Read()).Datacentre;
        var all = Refine.Of(datacentre, drawn.Proposals, Now);
        Assert.True(Compare(
            datacentre, drawn.Proposals,
            [.. Enumerable.Range(0, hosts).Select(host => all.ForHost(GeneratedDatacentre.Host(host)))]) > 100);
    }

    [Fact]
    public void Between_domains_that_know_each_other_by_other_addresses_too()
    {
        var datacentre = Datacentre(TranslatedExample.Of(Example.ThreeTenants));
        HostPlan[] plans = [.. Enumerable.Range(1, 3).Select(host =>
            Refine.ForHost(datacentre, All, Host($"host-{host}"), Now))];
        Assert.Contains(
            plans.SelectMany(plan => plan.Domains).SelectMany(domain => domain.Gateway?.Flows ?? []),
            flow => flow.Known is not null);
        Compare(datacentre, All, plans, (domain, peer, address) => (domain.Name.Text, peer.Name.Text) switch
        {
            ("web", "records") => address.Replace("10.20.1.", "100.64.8.", StringComparison.Ordinal)
                .Replace("fd20:1:", "fd64:8:", StringComparison.Ordinal),
            ("records", "web") => address.Replace("10.20.1.", "100.64.9.", StringComparison.Ordinal)
                .Replace("fd20:1:", "fd64:9:", StringComparison.Ordinal),
            _ => address,
        });
    }

    [Fact]
    public void What_all_hosts_have_in_common_is_one_list_in_all_plans()
    {
        // Few domains with many machines on every host: pairs of machines are many times as many as machines.
        var drawn = new GeneratedDatacentre(new DatacentreShape(4, 400, 4, 10, Seed: 8));
        var all = Refine.Of(PolicyCheck.Run(drawn.Read()).Datacentre, drawn.Proposals, Now);
        GatewayPlan[] gateways = [.. Enumerable.Range(0, 4).SelectMany(host =>
            all.ForHost(GeneratedDatacentre.Host(host)).Domains.Select(domain => domain.Gateway))
            .OfType<GatewayPlan>()];
        FlowPlan[] flows = [.. gateways.SelectMany(gateway => gateway.Flows)];
        var pairs = flows.Sum(flow => (long)flow.Own.Length * flow.Others.Length);
        var kept = flows.Select(flow => flow.Own).Concat(flows.Select(flow => flow.Others)).Distinct()
            .Sum(list => list.Length);
        Assert.True(pairs > 10_000 && kept < pairs / 10, $"{kept} addresses are kept for {pairs} pairs");

        ImmutableArray<GatewayRoute>[] routes =
            [.. gateways.SelectMany(gateway => gateway.Legs).Select(leg => leg.Routes).Where(one => !one.IsEmpty)];
        Assert.True(routes.Length >= 2 * routes.Distinct().Count(), $"{routes.Distinct().Count()} of {routes.Length}");
    }

    [Fact]
    public void A_set_names_whom_it_names_and_nobody_else()
    {
        var plan = Refine.ForHost(Datacentre(), All, Host("host-1"), Now);
        var gateway = plan.Domains.Single(domain => domain.DisplayName == "bank/web").Gateway;
        Assert.NotNull(gateway);
        var line = Assert.Single(gateway.Between("10.20.1.11", "10.20.2.11"));
        Assert.Equal(("10.20.1.11", "10.20.2.11", true), (line.From, line.To, line.Outward));
        Assert.Empty(gateway.Between("10.20.2.11", "10.20.1.11"));
        Assert.Empty(gateway.Between("10.20.1.12", "10.20.2.11"));
        Assert.Empty(gateway.Between("10.20.1.11", "10.20.2.13"));
        Assert.Empty(gateway.Between("10.20.1.11", "fd20:2::11"));
    }

    private static int Compare(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, HostPlan[] plans,
        Func<DomainRef, DomainRef, string, string>? known = null)
    {
        var places = AdmissionControl.DecideAll(datacentre, proposals, Now).OfType<AdmissionVerdict.Admitted>()
            .ToDictionary(verdict => verdict.Compartment, verdict => verdict.Host);
        ImmutableArray<int> asked = [.. Asked(datacentre).Distinct().Order()];
        var naive = Naive(datacentre, places, known ?? ((_, _, address) => address), asked)
            .ToLookup(pair => pair.Key);
        var found = 0;
        foreach (var plan in plans)
        {
            foreach (var domain in plan.Domains)
            {
                FlowLine[] lines = [.. FlowLine.Of(domain.Gateway?.Flows ?? [])];
                Assert.Equal(
                    naive[(plan.Host, domain.Domain)].SelectMany(one => one.Text).Distinct()
                        .Order(StringComparer.Ordinal),
                    lines.SelectMany(line => Text(line, asked)).Order(StringComparer.Ordinal));
                Assert.All(lines, line => Assert.Equal(
                    domain.Gateway?.Legs.Single(leg => leg.Device == line.Leg).Routes
                        .Single(route => route.Destination == line.Other).Destination, line.Other));
                found += lines.Length;
            }
        }

        return found;
    }

    /// <summary>Every port that a range begins or ends with, and those beside it.</summary>
    private static IEnumerable<int> Asked(CheckedDatacentre datacentre) => FlowMatrix.Of(datacentre).Open
        .Select(flow => flow.Resource).OfType<FlowResource.Network>().SelectMany(network => network.Ports)
        .SelectMany(range => new[] { range.First - 1, range.First, range.Last, range.Last + 1 });

    /// <summary>Each two machines, each flow, each gateway.</summary>
    private static IEnumerable<((HostRef, DomainRef) Key, ImmutableArray<string> Text)> Naive(
        CheckedDatacentre datacentre, Dictionary<CompartmentRef, HostRef> places,
        Func<DomainRef, DomainRef, string, string> known, ImmutableArray<int> asked) =>
        from flow in FlowMatrix.Of(datacentre).Open
        let network = flow.Resource as FlowResource.Network
        where network is not null
        from client in flow.Senders.Where(places.ContainsKey)
        from server in flow.Receivers.Where(places.ContainsKey)
        from clientNic in Nics(datacentre, client, flow.From)
        from serverNic in Nics(datacentre, server, flow.To)
        from isIpv6 in BothFamilies
        let source = (isIpv6 ? clientNic.Ipv6 : clientNic.Ipv4)?.ToString()
        let target = (isIpv6 ? serverNic.Ipv6 : serverNic.Ipv4)?.ToString()
        where source is not null && target is not null
        from outward in BothFamilies
        let own = outward ? (flow.From, source) : (flow.To, target)
        let other = outward ? (flow.To, target) : (flow.From, source)
        let seen = known(other.Item1, own.Item1, other.Item2)
        let name = known(own.Item1, other.Item1, own.Item2)
        select ((places[outward ? client : server], own.Item1), Text(
            outward ? source : seen, outward ? seen : target, outward, name == own.Item2 ? null : name,
            network.Protocol, network.Ports, asked));

    private static IEnumerable<NicModel> Nics(CheckedDatacentre datacentre, CompartmentRef machine, DomainRef domain) =>
        datacentre.Machinery.Compartments[machine.ToString()].Nics.Where(nic => nic.Domain == domain.Name);

    private static ImmutableArray<string> Text(FlowLine line, ImmutableArray<int> asked) =>
        Text(line.From, line.To, line.Outward, line.Known, line.Protocol, line.Ports, asked);

    private static ImmutableArray<string> Text(
        string from, string to, bool outward, string? known, FlowProtocol protocol, ImmutableArray<PortRange> ports,
        ImmutableArray<int> asked)
    {
        var head = $"{from} {to} {outward} {known} {protocol}";
        return ports.IsEmpty ? [head] :
        [
            .. asked.Where(port => ports.Any(range => range.First <= port && port <= range.Last))
                .Select(port => string.Create(CultureInfo.InvariantCulture, $"{head} {port}")),
        ];
    }
}
