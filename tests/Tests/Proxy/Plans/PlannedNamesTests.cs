using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Tests.Proxy.Plans;

public sealed class PlannedNamesTests
{
    private const string Subnet = "10.20.1.0/24";

    [Fact]
    public void A_successor_knows_every_port_that_its_predecessors_plan_named_and_whose_it_was()
    {
        using ProxyBench bench = ProxyBench.OfTwoTenants();
        JsonObject body = bench.Datacentre.DomainBody(Subnet);
        body["services"] = new JsonObject { ["addresses"] = "host", ["names"] = "host" };
        bench.Datacentre.Envelopes.Add(bench.Datacentre.Acme.Sign(StatementKind.Domain, "web", body));
        bench.Publish((bench.Datacentre.Acme, "web-1"), (bench.Datacentre.Acme, "web-2"));
        DomainPlan web = Assert.Single(bench.Plans.Current.Plan.Domains);
        string[] names =
        [
            web.Network.Bridge, .. web.Network.Ports.Select(port => port.Device),
            web.ServicePoint?.BridgePort ?? throw new InvalidOperationException("there is a service point"),
        ];
        Assert.Equal(4, names.Length);

        PlanKeeper successor = new(
            bench.Datacentre.Host(1), bench.Integrity, TimeProvider.System, (_, _) => null);
        Assert.Empty(successor.Current.Plan.Domains);
        Assert.All(names, name => Assert.True(successor.Names.Has(name), name));
        Assert.All(names, name => Assert.Equal(
            IntegrityReaders.Of(bench.Datacentre.Acme.Id), successor.Names.ReadersOf(name)));
        Assert.False(successor.Names.Has("bwn0123456789"));
    }
}
