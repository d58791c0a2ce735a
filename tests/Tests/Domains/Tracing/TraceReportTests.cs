using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Tracing;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Tracing;

/// <summary>A tenant reads its own part of a trace and that of whom it has a flow with; a stranger's stays hidden.
/// </summary>
public sealed class TraceReportTests
{
    private const string Web = "bank/web.yaml";
    private const string Ledger = "bank/ledger.yaml";

    [Theory]
    [InlineData("bank/web-1", "bank/ledger-1", "tcp/5433", new[]
    {
        "Domain bank/web (unsigned) would need this among its grants: - {to: bank/ledger, machines: [web-1], "
            + "network: {protocol: tcp, ports: [5433]}}",
        "Domain bank/ledger (unsigned) would need this among its accepts: - {from: bank/web, machines: [ledger-1], "
            + "network: {protocol: tcp, ports: [5433]}}",
    })]
    [InlineData("bank/ledger-1", "regulator/inspector-1", "icmp", new[]
    {
        "Domain bank/ledger (unsigned) would need this among its grants: - {to: regulator/inspection, "
            + "machines: [ledger-1], network: {protocol: icmp}}",
        "Domain regulator/inspection (unsigned) would need this among its accepts: - {from: bank/ledger, "
            + "machines: [inspector-1], network: {protocol: icmp}}",
    })]
    public void Says_what_is_missing_and_who_would_have_to_write_it(
        string from, string to, string service, string[] missing)
    {
        TraceReport report = Report(from, to, service, null);

        Assert.False(report.Open);
        Assert.Equal(missing, report.Missing);
        Assert.False(report.Steps[^1].Passes);
        Assert.All(report.Steps.SkipLast(1), step => Assert.True(step.Passes));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Names_only_the_side_that_is_silent(bool granted)
    {
        const string Grant = "    - {to: bank/ledger, machines: [front], network: {protocol: tcp, ports: [5432]}}\n";
        const string Accept = "    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n";
        Example example = granted
            ? Example.ThreeTenants.With(Ledger, Accept, "") : Example.ThreeTenants.With(Web, Grant, "    []\n");

        string missing = Assert.Single(Report("bank/web-1", "bank/ledger-1", "tcp/5432", null, example).Missing);

        Assert.StartsWith(granted ? "Domain bank/ledger" : "Domain bank/web", missing, StringComparison.Ordinal);
        Assert.Empty(Report("bank/web-1", "bank/ledger-1", "tcp/5432", null).Missing);
    }

    [Fact]
    public void What_a_report_says_is_missing_opens_the_flow_once_it_is_written()
    {
        const string More = "network: {protocol: tcp, ports: [5433]}}\n";
        Example example = Example.ThreeTenants
            .With(Web, "  grants:\n", $"  grants:\n    - {{to: bank/ledger, machines: [web-1], {More}")
            .With(Ledger, "  accepts:\n", $"  accepts:\n    - {{from: bank/web, machines: [ledger-1], {More}");

        Assert.True(Report("bank/web-1", "bank/ledger-1", "tcp/5433", null, example).Open);
        Assert.False(Report("bank/web-2", "bank/ledger-1", "tcp/5433", null, example).Open);
    }

    [Fact]
    public void A_tenant_sees_a_consenting_peers_steps_and_none_of_a_strangers()
    {
        // The regulator and the bank have an open flow, so each sees the whole way of it.
        TraceReport consenting = Report("regulator/inspector-1", "bank/ledger-1", "tcp/8443", "bank");
        Assert.True(consenting.Open);
        Assert.All(consenting.Steps, step => Assert.NotEqual(TraceReport.NotYours, step.Sentence));

        // The hospital has no flow with the bank.
        TraceReport stranger = Report("hospital/records-1", "bank/web-1", "tcp/80", "bank");
        ReportedStep hidden = Assert.Single(stranger.Steps);
        Assert.Equal(
            (TraceReport.NotYours, TraceReport.NotYours, TraceReport.NotYours),
            (hidden.Host, hidden.Rule, hidden.Sentence));

        // The hospital sees its own side of the same packet: the port, and the switch that drops it.
        TraceReport own = Report("hospital/records-1", "bank/web-1", "tcp/80", "hospital");
        Assert.Equal([("port", true), ("switch", false)], own.Steps.Select(step => (step.Place, step.Passes)));
        Assert.All(own.Steps, step => Assert.Equal("host-1", step.Host));
        Assert.Equal(
            [
                "Domain hospital/records (unsigned) would need this among its grants, if it is not there: - "
                    + "{to: TENANT/DOMAIN, machines: [records-1], network: {protocol: tcp, ports: [80]}}",
                "What the other owner would have to state, if anything, is not yours to see.",
            ],
            own.Missing);
    }

    [Theory]
    [InlineData("bank/web-1", "hospital/records-2", true)]
    [InlineData("hospital/records-2", "bank/web-1", false)]
    public void A_strangers_machine_is_told_of_as_one_that_does_not_exist(string from, string to, bool isClient)
    {
        string told = Text(Report(from, to, "tcp/80", "bank"));
        string nobody = Text(isClient
            ? Report(from, "hospital/nobody-2", "tcp/80", "bank") : Report("hospital/nobody-2", to, "tcp/80", "bank"));

        Assert.Equal(told.Replace("records-2", "nobody-2", StringComparison.Ordinal), nobody);
        Assert.DoesNotContain("10.20.1.12", told, StringComparison.Ordinal);
        Assert.DoesNotContain("hospital/records", told, StringComparison.Ordinal);
        // Who may see all of it is told of it.
        Assert.Contains("10.20.1.12", Text(Report(from, to, "tcp/80", null)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_plan_leaves_out_is_told_to_those_alone_whose_statements_it_is_about()
    {
        // The bank's ledger keeps its earlier peer, and cuts off the one with the same addresses.
        Example example = Example.ThreeTenants
            .With("regulator/inspection.yaml", "10.30.0", "10.20.1")
            .With("regulator/inspection.yaml", "fd30:", "fd20:1:");

        string told = Text(Report("regulator/inspector-1", "bank/ledger-1", "tcp/8443", "regulator", example));

        Assert.DoesNotContain("bank/web", told, StringComparison.Ordinal);
        Assert.Contains(
            "bank/web", Text(Report("regulator/inspector-1", "bank/ledger-1", "tcp/8443", null, example)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("regulator", false)]
    [InlineData("bank", true)]
    public void Who_owns_neither_machine_gets_no_report(string reader, bool gets)
    {
        Assert.Equal(gets, Make("bank/web-1", "bank/ledger-1", "tcp/5432", reader) is not null);
    }

    [Fact]
    public void Says_why_a_machine_is_nowhere()
    {
        var lie = All.Where(one => one.Compartment != Machine("hospital/records-2"))
            .Append(Proposal("hospital/records-2", "host-3")).ToList();
        CheckedDatacentre datacentre = Datacentre();
        TraceReport? report = TraceReport.For(
            Enumerable.Range(1, 3).Select(number => Bailiwick.Domains.Refinement.Refine.ForHost(
                datacentre, lie, Host($"host-{number}"), Now)),
            TracerTests.Question("hospital/records-1", "hospital/records-2", "tcp/80"), datacentre,
            PartyId.Unsigned("hospital"), Now);

        Assert.Equal((false, 0), (report?.Open, report?.Steps.Length));
        Assert.StartsWith(
            "records-2 has no port on any of the hosts. ", Assert.Single(report?.Missing ?? []),
            StringComparison.Ordinal);
    }

    private static TraceReport Report(string from, string to, string service, string? reader, Example? example = null)
    {
        TraceReport? report = Make(from, to, service, reader, example);
        Assert.NotNull(report);
        return report;
    }

    private static TraceReport? Make(string from, string to, string service, string? reader, Example? example = null) =>
        TraceReport.For(
            TracerTests.Plans(example), TracerTests.Question(from, to, service), Datacentre(example),
            reader is null ? null : PartyId.Unsigned(reader), Now);

    private static string Text(TraceReport report) => System.Text.Json.JsonSerializer.Serialize(report)
        .Replace($"{PartyId.Unsigned("hospital")}/", "ID/", StringComparison.Ordinal);
}
