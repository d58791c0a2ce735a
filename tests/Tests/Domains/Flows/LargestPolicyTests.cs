using System.Diagnostics;
using Bailiwick.Domains;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>
/// Two statements that each keep their limits could meet in millions of flows, which every host would have to compute
/// (X02). What is too much is closed, with a reason, and nobody else's flows are.
/// </summary>
public sealed class LargestPolicyTests(ITestOutputHelper output)
{
    private const string Web = "bank/web.yaml";
    private const string Ledger = "bank/ledger.yaml";
    private const string Inspected = "    - {from: regulator/inspection, network: {protocol: tcp, ports: [8443]}}\n";
    private const string Grant =
        "    - {to: bank/ledger, machines: [front], network: {protocol: tcp, ports: [5432]}}\n";
    private const string Accept = "    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n";

    [Fact]
    public void Two_domains_whose_terms_meet_up_to_the_limit_have_all_their_flows()
    {
        PolicyCheckResult result = Meeting(8, 8, PolicyLimits.PortRanges).Check();
        Assert.DoesNotContain(result.Findings, finding => finding.Code == FindingCode.TooManyFlows);
        OpenFlow[] open = [.. FlowMatrix.Of(result.Datacentre).Open.Where(IsOfBank)];
        Assert.Equal(
            PolicyLimits.FlowRanges, open.Sum(flow => Assert.IsType<FlowResource.Network>(flow.Resource).Ports.Length));
    }

    [Theory]
    [InlineData(8, 9, PolicyLimits.PortRanges)]
    [InlineData(PolicyLimits.FlowTerms - 2, PolicyLimits.FlowTerms - 2, 32)]
    public void Two_domains_whose_terms_meet_more_often_have_none_and_are_told_and_no_other_pair_is_touched(
        int grants, int accepts, int ports)
    {
        OpenFlow[] others = [.. FlowMatrix.Of(Example.ThreeTenants.Check().Datacentre).Open.Where(f => !IsOfBank(f))];
        Assert.Equal(2, others.Length);
        Example example = Meeting(grants, accepts, ports);
        long start = Stopwatch.GetTimestamp();
        PolicyCheckResult result = example.Check();
        FlowMatrix matrix = FlowMatrix.Of(result.Datacentre);
        output.WriteLine($"checked in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms");
        Assert.DoesNotContain(matrix.Open, IsOfBank);
        Assert.Equal(
            others.Select(flow => $"{flow.From} {flow.To} {flow.Resource.GetType()}"),
            matrix.Open.Select(flow => $"{flow.From} {flow.To} {flow.Resource.GetType()}"));
        Finding told = Assert.Single(result.Findings, finding => finding.Code == FindingCode.TooManyFlows);
        Assert.Equal(Web, told.File);
        Assert.Contains(
            $"more than {PolicyLimits.FlowRanges} ranges of ports", told.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hosts_gateway_has_no_more_rules_than_its_part_for_a_peer_and_the_other_peers_keep_theirs()
    {
        Example few = Meeting(8, 8, PolicyLimits.PortRanges);
        Assert.NotEmpty(Passing(few, out HostPlan laid));
        Assert.DoesNotContain(laid.Withheld, IsOfRules);

        // The same flows, by a domain that names so many peers that the part of each is less than they need.
        Example many = few.With(Ledger, Inspected, Inspected + string.Concat(Enumerable.Range(0, 100).Select(
            i => $"    - {{from: hospital/other-{i}, network: {{protocol: tcp, ports: [80]}}}}\n")));
        Assert.Empty(Passing(many, out HostPlan less));
        Assert.Contains("not laid on alpine/host-3", Assert.Single(less.Withheld, IsOfRules).Sentence,
            StringComparison.Ordinal);
        Assert.Equal(OfInspection(laid), OfInspection(less));
        Assert.NotEmpty(OfInspection(less));
    }

    private static bool IsOfRules(Reason reason) => reason.Sentence.Contains(
        $"gateway's {PolicyLimits.GatewayRules}", StringComparison.Ordinal);

    private static FlowPlan[] Passing(Example example, out HostPlan plan)
    {
        plan = Refine.ForHost(Datacentre(example), All, Host("host-3"), Now);
        return [.. plan.Domains.Single(one => one.Domain.Name.Text == "web").Gateway?.Flows ?? []];
    }

    private static string[] OfInspection(HostPlan plan) =>
    [
        .. FlowLine.Of(plan.Domains.Single(one => one.Domain.Name.Text == "inspection").Gateway?.Flows ?? [])
            .Select(flow => $"{flow.From} {flow.To} {flow.Protocol} {string.Join(",", flow.Ports)}"),
    ];

    private static bool IsOfBank(OpenFlow flow) => flow.From.Name.Text == "web" && flow.To.Name.Text == "ledger";

    /// <summary>So many grants and acceptances of the same ports, no two of which adjoin.</summary>
    private static Example Meeting(int grants, int accepts, int ports)
    {
        string list = string.Join(", ", Enumerable.Range(0, ports).Select(i => 1001 + (2 * i)));
        return Example.ThreeTenants
            .With(Web, Grant, string.Concat(Enumerable.Repeat(Grant.Replace("5432", list), grants)))
            .With(Ledger, Accept, string.Concat(Enumerable.Repeat(Accept.Replace("5432", list), accepts)));
    }
}
