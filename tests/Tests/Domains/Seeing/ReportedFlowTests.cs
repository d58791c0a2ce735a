using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Seeing;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Seeing;

/// <summary>What is told of a flow to the owner of one of its ends.</summary>
public sealed class ReportedFlowTests
{
    private static readonly FlowTotal Ten = new(10, 600), Four = new(4, 240);

    [Theory]
    [InlineData("bank/web-1", "10.20.1.11", "10.20.2.11", 5432, "out", "10.20.2.11", "bank/ledger-1")]
    [InlineData("bank/web-1", "10.20.1.12", "10.20.1.11", 22, "in", "10.20.1.12", "bank/web-2")]
    [InlineData("bank/web-1", "10.20.1.11", "10.30.0.11", 22, "out", "10.30.0.11", "")]
    [InlineData("bank/web-1", "10.20.1.99", "10.20.2.11", 22, "forged", "10.20.2.11", "")]
    [InlineData("hospital/records-1", "10.20.1.11", "10.20.2.11", 5432, "out", "10.20.2.11", "")]
    public void Names_the_other_machine_only_where_a_flow_with_it_is_open(
        string machine, string client, string server, int port, string direction, string peer, string name)
    {
        ReportedFlow flow = Report(machine, new FlowKey(client, server, "tcp", port), Ten, Ten);

        Assert.Equal((machine, direction, peer, name), (flow.Machine, flow.Direction, flow.Peer, flow.PeerName));
        Assert.Equal((10L, 600L, 0L, ""), (flow.Packets, flow.Bytes, flow.Dropped, flow.DroppedBy));
    }

    [Theory]
    [InlineData("bank/web-1", "10.20.1.99", "10.20.2.11", "The port (set sources4): 10.20.1.99 is not this machine's.")]
    [InlineData("bank/web-1", "10.20.1.11", "10.30.0.11",
        "The switch (set outward4): no flow between 10.20.1.11 and 10.30.0.11 is open.")]
    [InlineData("bank/web-1", "fd20:1::11", "fd30::11",
        "The switch (set outward6): no flow between fd20:1::11 and fd30::11 is open.")]
    [InlineData("hospital/records-1", "10.20.1.11", "10.20.2.11",
        "The switch: no flow of hospital/records is open, so there is no gateway.")]
    public void Says_which_rule_of_the_switch_dropped(string machine, string client, string server, string why)
    {
        ReportedFlow flow = Report(machine, new FlowKey(client, server, "tcp", 5432), Ten, Four);

        Assert.Equal((4L, 6L, why), (flow.Packets, flow.Dropped, flow.DroppedBy));
        Assert.Equal("", Report(machine, new FlowKey(client, server, "tcp", 5432), Ten, Ten).DroppedBy);
    }

    [Theory]
    [InlineData("tcp", 5433, "The gateway (set tcp4): no flow of tcp/5433 from 10.20.1.11 to 10.20.2.11 is open.")]
    [InlineData("icmp", 0, "The gateway (set echo4): no flow of icmp from 10.20.1.11 to 10.20.2.11 is open.")]
    [InlineData("tcp", 5432, "The gateway: by rules that stood then, or as part of no connection.")]
    public void Says_which_rule_of_the_gateway_dropped(string protocol, int port, string why)
    {
        ReportedFlow flow = Report(
            "bank/web-1", new FlowKey("10.20.1.11", "10.20.2.11", protocol, port), Ten, Ten, Ten, FlowTotal.None);

        Assert.Equal((0L, 10L, why), (flow.Packets, flow.Dropped, flow.DroppedBy));
    }

    [Fact]
    public void What_was_counted_later_and_is_more_is_not_dropped()
    {
        ReportedFlow flow = Report("bank/web-1", new FlowKey("10.20.1.11", "10.20.1.12", "tcp", 22), Four, Ten);

        Assert.Equal((10L, 0L, ""), (flow.Packets, flow.Dropped, flow.DroppedBy));
    }

    [Theory]
    [InlineData("bank/web-1", "10.20.1.11", "100.64.9.12", "hospital/records-2")]
    [InlineData("hospital/records-1", "100.64.8.12", "10.20.1.11", "bank/web-2")]
    [InlineData("bank/web-1", "10.20.1.11", "100.64.9.99", "")]
    public void Names_the_other_machine_by_the_address_that_both_owners_agreed_on(
        string machine, string client, string server, string name)
    {
        ReportedFlow flow = Report(
            machine, new FlowKey(client, server, "tcp", 5432), Ten, Ten,
            example: TranslatedExample.Of(Example.ThreeTenants));

        Assert.Equal(name, flow.PeerName);
    }

    private static ReportedFlow Report(
        string machine, FlowKey flow, FlowTotal asked, FlowTotal sent, FlowTotal? at = null, FlowTotal? through = null,
        Example? example = null)
    {
        HostPlan plan = Refine.ForHost(Datacentre(example), All, Host("host-1"), Now);
        CompartmentRef wanted = Machine(machine);
        DomainPlan domain = plan.Domains.Single(one => one.Network.Ports.Any(port => port.Member.Ref == wanted));
        LocalPort own = domain.Network.Ports.Single(port => port.Member.Ref == wanted);
        var record = new FlowRecord(own.Device, wanted.ToString(), flow, Now, Now)
        {
            Asked = asked, Sent = sent, AtGateway = at ?? FlowTotal.None, ThroughGateway = through ?? FlowTotal.None,
        };
        return ReportedFlow.Of(record, plan, domain, Datacentre(example));
    }
}
