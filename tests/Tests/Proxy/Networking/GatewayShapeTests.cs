using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Networking;
using Bailiwick.Tests.Domains.Policy;
using Placed = Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Proxy.Networking;

public sealed class GatewayShapeTests
{
    private const string Grant = "- {from: bank/web, network: {protocol: tcp, ports: [5432]}}";

    [Fact]
    public void A_withdrawn_flow_takes_its_own_leg_and_disturbs_no_other()
    {
        GatewayShape before = Ledger(Example.ThreeTenants), after = Ledger(
            Example.ThreeTenants.With("bank/ledger.yaml", Grant, ""));
        Assert.Equal(2, before.Legs.Count);
        Assert.Single(after.Legs);
        Assert.Equal(before.Core, after.Core);
        Assert.False(before.SameAs(after));
        Assert.All(after.Legs, leg => Assert.Equal(leg.Value, before.Legs[leg.Key]));
        Assert.Empty(after.Changes(before));
    }

    [Fact]
    public void A_flow_that_comes_adds_its_leg_and_nothing_else()
    {
        GatewayShape before = Ledger(Example.ThreeTenants.With("bank/ledger.yaml", Grant, "")), after =
            Ledger(Example.ThreeTenants);
        string leg = Assert.Single(after.Legs.Keys.Except(before.Legs.Keys));
        Assert.NotEmpty(after.Changes(before));
        Assert.Contains(after.Changes(before), c => c.Contains(leg));
        Assert.DoesNotContain(after.Changes(before), c => before.Legs.Keys.Any(c.Contains));
    }

    [Fact]
    public void Nothing_changes_when_nothing_changed()
    {
        GatewayShape one = Ledger(Example.ThreeTenants), same = Ledger(Example.ThreeTenants);
        Assert.True(one.SameAs(same));
        Assert.Empty(same.Changes(one));
    }

    private static GatewayShape Ledger(Example example) => GatewayShape.Of(
        Refine.ForHost(Placed.Datacentre(example), Placed.All, Placed.Host("host-3"), Placed.Now).Domains
            .Single(d => d.DisplayName == "bank/ledger").Gateway
            ?? throw new InvalidOperationException("the ledger has a gateway"),
        1400);
}
