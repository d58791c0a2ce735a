using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Tests.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

public sealed class SharedRefinementTests
{
    [Fact]
    public void One_refinement_gives_every_host_on_many_threads_the_plan_that_it_gets_alone()
    {
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new RandomDatacentre(seed);
            var all = Refine.Of(random.Datacentre, random.Proposals, Now);
            Parallel.ForEach(Enumerable.Range(0, 12), i => Assert.Equal(
                PlanJson.Write(random.Plans[i % 3]), PlanJson.Write(all.ForHost(Host($"host-{(i % 3) + 1}")))));
        }
    }

    [Fact]
    public void In_every_passage_each_leg_has_an_address_of_its_own_and_all_hosts_know_it_by_the_same()
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(30, 200, 40, 20, Seed: 4));
        var all = Refine.Of(PolicyCheck.Run(drawn.Read()).Datacentre, drawn.Proposals, Now);
        var known = new Dictionary<(string Passage, string Ipv4), PassageMember>();
        var agreed = 0;
        for (var host = 0; host < drawn.Shape.Hosts; host++)
        {
            foreach (var passage in all.ForHost(GeneratedDatacentre.Host(host)).Passages)
            {
                foreach (var leg in passage.Ports.Select(port => port.Leg)
                    .Concat(passage.Network.Peers.SelectMany(peer => peer.Legs)))
                {
                    agreed += known.TryAdd((passage.Name, leg.Address), leg) ? 0 : 1;
                    Assert.Equal(known[(passage.Name, leg.Address)], leg);
                }
            }
        }

        Assert.True(agreed > 100 && known.Count > 100, $"{agreed} of {known.Count}");
    }

    [Fact]
    public void What_is_said_of_a_host_is_one_and_the_same_for_all_whom_the_same_links_join_with_it()
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(10, 400, 40, 20, Seed: 4));
        var all = Refine.Of(PolicyCheck.Run(drawn.Read()).Datacentre, drawn.Proposals, Now);
        HostPlan[] plans =
            [.. Enumerable.Range(0, drawn.Shape.Hosts).Select(host => all.ForHost(GeneratedDatacentre.Host(host)))];
        var inside = plans.SelectMany(plan => plan.Domains).SelectMany(
            domain => domain.Network.Peers,
            (domain, peer) => ($"{domain.Domain} {peer.Host} {peer.Reason.Sentence}", (object)peer));
        var across = plans.SelectMany(plan => plan.Passages).SelectMany(
            passage => passage.Network.Peers,
            (passage, peer) => (
                $"{passage.Name} {peer.Host} {peer.Legs.Length} {peer.Legs[0]} {peer.Reason.Sentence}", (object)peer));
        foreach (var said in new[] { inside, across })
        {
            var groups = said.GroupBy(one => one.Item1, one => one.Item2).ToArray();
            Assert.All(groups, group => Assert.Single(group.Distinct(ReferenceEqualityComparer.Instance)));
            Assert.True(groups.Sum(group => group.Count()) > 5 * groups.Length);
        }

        // Hosts of one rack and of two do not say the same of a host where somebody minds.
        Assert.NotEqual(1, plans.SelectMany(plan => plan.Domains).SelectMany(domain => domain.Network.Peers)
            .GroupBy(peer => peer.Host).Max(group => group.Select(peer => peer.Protection).Distinct().Count()));
    }

    [Fact]
    public void No_gateway_has_an_address_in_one_passage_that_a_peer_has_in_another()
    {
        // The kernel takes no next hop that is an address of its own.
        var drawn = new GeneratedDatacentre(new DatacentreShape(30, 60, 3, 20, Seed: 4));
        var all = Refine.Of(PolicyCheck.Run(drawn.Read()).Datacentre, drawn.Proposals, Now);
        GatewayPlan[] gateways =
        [
            .. Enumerable.Range(0, drawn.Shape.Hosts)
                .SelectMany(host => all.ForHost(GeneratedDatacentre.Host(host)).Domains)
                .Select(domain => domain.Gateway).OfType<GatewayPlan>().Where(gateway => gateway.Legs.Length > 1),
        ];
        Assert.NotEmpty(gateways);
        Assert.All(gateways, gateway => Assert.Empty(
            gateway.Legs.SelectMany(leg => leg.Routes).Select(route => route.Via)
                .Intersect(gateway.Legs.Select(leg => leg.Address.Split('/')[0]))));
    }

    [Fact]
    public void A_host_that_nobody_described_gets_an_empty_plan()
    {
        var random = new RandomDatacentre(1);
        var all = Refine.Of(random.Datacentre, random.Proposals, Now);
        Assert.Empty(all.ForHost(Host("host-9")).Domains);
        Assert.Contains(Enumerable.Range(1, 3), number => !all.ForHost(Host($"host-{number}")).Domains.IsEmpty);
    }
}
