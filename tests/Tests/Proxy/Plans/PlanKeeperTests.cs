using Bailiwick.Proxy.Plans;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Plans;

/// <summary>The plan in force goes on from the one before it, and is what a Proxy that begins then computes.</summary>
public sealed class PlanKeeperTests
{
    [Fact]
    public void The_plan_after_changes_is_that_of_a_proxy_that_begins_after_them()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        SignedDatacentre datacentre = bench.Datacentre;
        (SignedParty, string) web1 = (datacentre.Acme, "web-1"), web2 = (datacentre.Acme, "web-2"),
            vault = (datacentre.Rival, "vault-1");
        Action[] changes =
        [
            () => bench.Order(datacentre.Acme, "web-1", running: false), () => bench.Place(web1, web2),
            () => bench.Order(datacentre.Acme, "web-1", running: true), () => bench.Place(web2, vault),
            () => Publish("host-9", web1, web2, vault), () => bench.Place(web1, vault),
            () => Publish("host-1", web1, vault), () => bench.Place(), () => bench.Place(web1, web2, vault),
        ];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (Action change in changes)
        {
            change();
            string plan = bench.Plans.Current.Text;
            seen.Add(plan);
            PlanKeeper anew = new(
                datacentre.Host(1), bench.Integrity, TimeProvider.System, (_, _) => null);
            anew.Take(bench.Plans.Book);
            anew.Take(bench.Plans.Current.Proposals);
            anew.Recompute();
            Assert.Equal(anew.Current.Text, plan);
        }

        Assert.True(seen.Count > 4, $"{seen.Count} plans");

        void Publish(string host, params (SignedParty, string)[] placed)
        {
            datacentre.Envelopes.Add(SignedDatacentre.Bound(datacentre.Acme, "web", "10.20.1.0/24", 1, host));
            bench.Publish(placed);
        }
    }
}
