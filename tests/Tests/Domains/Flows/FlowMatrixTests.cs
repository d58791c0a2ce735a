using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>A flow is what both sides name, and nothing else.</summary>
public sealed class FlowMatrixTests
{
    private const string Web = "bank/web.yaml";
    private const string Ledger = "bank/ledger.yaml";
    private const string Grant = "{to: bank/ledger, machines: [front], network: {protocol: tcp, ports: [5432]}}";
    private const string Accept = "{from: bank/web, network: {protocol: tcp, ports: [5432]}}";

    [Fact]
    public void The_example_opens_exactly_its_three_flows()
    {
        var all = FlowMatrix.Of(Example.ThreeTenants.Check().Datacentre).Open;
        var open = all.Where(flow => flow.Resource is FlowResource.Network).ToArray();
        var lent = Assert.Single(all, flow => flow.Resource is not FlowResource.Network);

        Assert.Equal("ledger>inspection inspector-1", $"{lent.From.Name}>{lent.To.Name} {Names(lent.Receivers)}");
        Assert.Equal(
            new FlowResource.Volume(StatementName.Parse("ledger-archive"), VolumeAccess.Read), lent.Resource);
        Assert.Equal(
            ["web>ledger 5432 web-1,web-2>ledger-1,ledger-2", "inspection>ledger 8443 inspector-1>ledger-1,ledger-2"],
            open.Select(Text).OrderByDescending(text => text, StringComparer.Ordinal));
        Assert.All(open, flow => Assert.Contains("bank/ledger", flow.Accept.ToString(), StringComparison.Ordinal));
    }

    public static TheoryData<string, string, string, string> Terms => new()
    {
        // what, grant, acceptance, what opens
        { "both name one port", Grant, Accept, "web>ledger 5432 web-1,web-2>ledger-1,ledger-2" },
        { "ranges meet", Grant.Replace("[5432]", "[\"5000-6000\", 7000]"), Accept.Replace("[5432]", "[\"5900-7000\"]"),
            "web>ledger 5900-6000,7000 web-1,web-2>ledger-1,ledger-2" },
        { "one machine each", Grant.Replace("[front]", "[web-2]"),
            Accept.Replace("bank/web,", "bank/web, machines: [ledger-1],"), "web>ledger 5432 web-2>ledger-1" },
        { "a group and a machine of it", Grant.Replace("[front]", "[front, web-1]"), Accept,
            "web>ledger 5432 web-1,web-2>ledger-1,ledger-2" },
        { "granted only", Grant, "", "" },
        { "accepted only", "", Accept, "" },
        { "other ports", Grant, Accept.Replace("5432", "5433"), "" },
        { "touching ranges", Grant.Replace("[5432]", "[\"1-5431\"]"), Accept, "" },
        { "other protocol", Grant, Accept.Replace("tcp", "udp"), "" },
        { "ICMP against TCP", Grant.Replace("tcp, ports: [5432]", "icmp"), Accept, "" },
        { "unknown group of the sender", Grant.Replace("[front]", "[back]"), Accept, "" },
        { "unknown machine of the receiver", Grant, Accept.Replace("bank/web,", "bank/web, machines: [ledger-9],"),
            "" },
        { "the other side's machine", Grant.Replace("[front]", "[ledger-1]"), Accept, "" },
        { "another peer", Grant, Accept.Replace("bank/web", "regulator/inspection"), "" },
        { "another tenant's domain of that name", Grant.Replace("bank/ledger", "hospital/ledger"), Accept, "" },
        { "the wrong way round", Accept.Replace("from", "to"),
            Grant.Replace("to:", "from:").Replace(", machines: [front]", ""), "" },
        { "an empty list", Grant.Replace("[front]", "[]"), Accept, "" },
    };

    [Theory]
    [MemberData(nameof(Terms))]
    public void Opens_the_intersection_and_nothing_else(string what, string grant, string accept, string opens)
    {
        var result = Example.ThreeTenants.With(Web, "    - " + Grant, grant.Length > 0 ? "    - " + grant : "    []")
            .With(Ledger, "    - " + Accept, accept.Length > 0 ? "    - " + accept : "").Check();

        var open = FlowMatrix.Of(result.Datacentre).Open.Where(flow =>
            flow.From.Name.Text != "inspection" && IsNetwork(flow)).Select(Text);
        Assert.Equal((what, opens), (what, string.Join(" | ", open)));
        Assert.Equal(opens.Length == 0, result.Findings.Length > 0);
    }

    [Fact]
    public void An_empty_group_is_nobody()
    {
        var result = Example.ThreeTenants.With(Web, "front: [web-1, web-2]", "front: []").Check();

        Assert.DoesNotContain(FlowMatrix.Of(result.Datacentre).Open, flow => flow.From.Name.Text == "web");
    }

    [Fact]
    public void A_peer_that_takes_anothers_subnet_cuts_off_itself_only()
    {
        var result = Example.ThreeTenants
            .With("regulator/inspection.yaml", "10.30.0", "10.20.1").With("regulator/inspection.yaml", "fd30:",
                "fd20:1:").Check();

        var matrix = FlowMatrix.Of(result.Datacentre);

        Assert.Equal("web>ledger 5432 web-1,web-2>ledger-1,ledger-2", Text(Assert.Single(matrix.Open, IsNetwork)));
        Assert.Contains(result.Findings,
            finding => finding.Code == FindingCode.SubnetSeenTwice && finding.File == Ledger);
    }

    [Fact]
    public void Promises_every_cell_of_the_matrix_with_a_reason()
    {
        var datacentre = Example.ThreeTenants.Check().Datacentre;
        var matrix = FlowMatrix.Of(datacentre);
        FlowExpectation Cell(string from, string to) =>
            matrix.Expect(Machine(datacentre, from), Machine(datacentre, to));

        Assert.IsType<FlowExpectation.Everything>(Cell("web-1", "web-2"));
        Assert.IsType<FlowExpectation.Everything>(Cell("ledger-1", "ledger-1"));
        Assert.Single(Assert.IsType<FlowExpectation.Only>(Cell("web-1", "ledger-2")).Flows);
        Assert.Single(Assert.IsType<FlowExpectation.Only>(Cell("inspector-1", "ledger-1")).Flows);
        Assert.Equal("bank/ledger grants nothing to bank/web, which accepts nothing from it.",
            Because(Cell("ledger-1", "web-1")));
        Assert.IsType<FlowExpectation.Nothing>(Cell("records-1", "web-1"));
        Assert.IsType<FlowExpectation.Nothing>(Cell("web-1", "records-1"));
        Assert.IsType<FlowExpectation.Nothing>(Cell("inspector-1", "web-1"));
        Assert.IsType<FlowExpectation.Nothing>(matrix.Expect(
            Machine(datacentre, "web-1"), new CompartmentRef(PartyId.Unsigned("x"), StatementName.Parse("y"))));
    }

    [Fact]
    public void Says_which_side_is_silent()
    {
        var datacentre = Example.ThreeTenants.With(Ledger, "    - " + Accept, "").Check().Datacentre;

        var cell = FlowMatrix.Of(datacentre).Expect(Machine(datacentre, "web-1"), Machine(datacentre, "ledger-1"));

        Assert.Equal("bank/ledger does not accept anything from bank/web.", Because(cell));
    }

    [Fact]
    public void Lends_a_volume_with_the_lesser_access_only()
    {
        var lending = Example.ThreeTenants
            .With(Web, "    - " + Grant,
                "    - " + Grant + "\n    - {to: bank/ledger, volume: {name: web-1-data, access: write}}")
            .With(Ledger, "    - " + Accept,
                "    - " + Accept + "\n    - {from: bank/web, volume: {name: web-1-data, access: read}}")
            .With(Web, "name: web-1-data\ndomain: web\n", "name: web-1-data\ndomain: web\nsharing: readers\n");
        var reader = lending.With(Ledger, "  - {volume: ledger-2-data, access: write}",
            "  - {volume: ledger-2-data, access: write}\n  - {volume: web-1-data, access: read}");
        var writer = lending.With(Ledger, "  - {volume: ledger-2-data, access: write}",
            "  - {volume: ledger-2-data, access: write}\n  - {volume: web-1-data, access: write}")
            .With(Web, "  - {volume: web-1-data, access: write}", "  - {volume: web-1-data, access: read}");

        Assert.Empty(reader.Check().Findings);
        Assert.Contains(writer.Check().Findings, finding => finding.Code == FindingCode.VolumeFlowClosed);
    }

    private static string Because(FlowExpectation cell) => Assert.IsType<FlowExpectation.Nothing>(cell).Because;

    private static CompartmentRef Machine(CheckedDatacentre datacentre, string name) =>
        datacentre.Machinery.Compartments.Values.Single(machine => machine.Ref.Name.Text == name).Ref;

    private static string Text(OpenFlow flow) =>
        $"{flow.From.Name}>{flow.To.Name} "
        + string.Join(',', ((FlowResource.Network)flow.Resource).Ports.Select(
            range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"))
        + $" {Names(flow.Senders)}>{Names(flow.Receivers)}";

    private static bool IsNetwork(OpenFlow flow) => flow.Resource is FlowResource.Network;

    private static string Names(IEnumerable<CompartmentRef> machines) =>
        string.Join(',', machines.Select(machine => machine.Name));
}
