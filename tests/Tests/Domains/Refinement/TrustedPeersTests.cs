using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

/// <summary>A host in doubt is taken out of the plan, for the domains in doubt and for no others.</summary>
public sealed class TrustedPeersTests
{
    [Fact]
    public void A_plan_of_trusted_hosts_stays_as_it_is()
    {
        var plan = Refine.ForHost(Example.ThreeTenants.Check().Datacentre, All, Host("host-1"), Now);
        Assert.NotEmpty(TrustedPeers.Wanted(plan));
        Assert.Same(plan, TrustedPeers.Only(plan, (_, _) => null));
    }

    [Fact]
    public void Without_trust_nothing_goes_to_other_hosts_and_nothing_is_taken_from_them()
    {
        var plan = Refine.ForHost(Example.ThreeTenants.Check().Datacentre, All, Host("host-1"), Now);
        var alone = TrustedPeers.Only(plan, (_, _) => "it is silent.");

        Assert.NotEmpty(plan.Underlay.Tunnels);
        Assert.Empty(alone.Underlay.Tunnels);
        Assert.All(alone.Domains, domain => Assert.Empty(domain.Network.Peers));
        Assert.All(alone.Passages, passage => Assert.Empty(passage.Network.Peers));
        Assert.Equal(
            plan.Domains.SelectMany(d => d.Compartments).Select(m => m.Ref),
            alone.Domains.SelectMany(d => d.Compartments).Select(m => m.Ref));
        Assert.Equal(TrustedPeers.Wanted(plan).Length, alone.Withheld.Length - plan.Withheld.Length);
        Assert.All(
            alone.Withheld[plan.Withheld.Length..],
            reason => Assert.Contains("it is silent.", reason.Sentence, StringComparison.Ordinal));
    }

    [Fact]
    public void Doubt_about_one_pair_touches_no_other()
    {
        var plan = Refine.ForHost(Example.ThreeTenants.Check().Datacentre, All, Host("host-1"), Now);
        foreach (var (peer, domain) in TrustedPeers.Wanted(plan))
        {
            var narrowed = TrustedPeers.Only(plan, (host, one) => (host, one) == (peer, domain) ? "no." : null);

            Assert.Equal(
                TrustedPeers.Wanted(plan).Where(pair => pair != (peer, domain)), TrustedPeers.Wanted(narrowed));
            Assert.True(narrowed.Underlay.Tunnels.Count() <= plan.Underlay.Tunnels.Count());
            Assert.All(
                narrowed.Domains.SelectMany(d => d.Network.Peers.Where(p => p.Protection == LinkProtection.Clear)
                    .Select(p => (p.UnderlayIpv4, d.Network.Number))),
                pair => Assert.Contains(
                    narrowed.Underlay.Tunnels, tunnel => (tunnel.PeerIpv4, tunnel.Number) == pair));
        }
    }
}
