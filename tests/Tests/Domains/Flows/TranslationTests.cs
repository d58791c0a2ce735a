using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Tracing;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;
using static Bailiwick.Tests.Domains.TranslatedExample;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>Domains with the same addresses that agree by what they know each other's machines.</summary>
public sealed class TranslationTests
{
    private static readonly string[] Hosts = ["host-1", "host-2", "host-3"];

    private static Example Joined => Of(Example.ThreeTenants);

    [Fact]
    public void Without_a_clause_the_same_subnets_stay_apart_and_the_finding_says_how_to_join_them()
    {
        var bare = With(Example.ThreeTenants, "", "");
        var findings = bare.Check().Findings;
        Assert.All(findings, one => Assert.Equal(FindingCode.SubnetSeenTwice, one.Code));
        Assert.Equal([Web, Records], findings.Select(one => one.File).Distinct());
        Assert.All(findings, one => Assert.Contains("flows.nat", one.Sentence, StringComparison.Ordinal));
        Assert.False(Joins(bare));
        Assert.Empty(Joined.Check().Findings);
        Assert.True(Joins(Joined));
    }

    [Theory]
    [InlineData("", null, "nat-not-agreed")]
    [InlineData(null, "", "nat-not-agreed")]
    [InlineData("100.64.8.0/24", "100.64.7.0/24", "nat-not-agreed")]
    [InlineData("own:", "peer:", "nat-not-agreed")]
    [InlineData("{with: hospital/records, own", "{with: bank/ledger, own", "nat-not-agreed")]
    [InlineData("{with: hospital/records, own", "{with: bank/web, own", "nat-does-not-fit")]
    [InlineData(WebClause, WebClause + WebClause, "nat-does-not-fit")]
    public void A_clause_that_the_other_owner_does_not_state_alike_opens_nothing(
        string? old, string? web, string codes)
    {
        var example = old is null ? With(Example.ThreeTenants, WebClause, "")
            : web is null ? With(Example.ThreeTenants, "", RecordsClause)
            : With(Example.ThreeTenants, Swapped(old, web), RecordsClause);
        var found = example.Check().Findings.Select(one => WireText.Of(one.Code)).Distinct()
            .Where(code => !code.StartsWith("flow-", StringComparison.Ordinal)
                && !code.StartsWith("depends", StringComparison.Ordinal));
        Assert.Equal(codes, string.Join(' ', found.Order(StringComparer.Ordinal)));
        Assert.False(Joins(example));

        static string Swapped(string old, string now) => old == "own:"
            ? WebClause.Replace("own:", "x:", StringComparison.Ordinal)
                .Replace("peer:", "own:", StringComparison.Ordinal).Replace("x:", "peer:", StringComparison.Ordinal)
            : WebClause.Replace(old, now, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("100.64.8.0/24", "100.64.8.0/25", "nat-not-agreed")]
    [InlineData("100.64.8.0/24, \"fd64:8::/64\"", "100.64.8.0/24", "nat-not-agreed")]
    [InlineData("100.64.8.0/24, \"fd64:8::/64\"", "\"fd64:8::/64\", 100.64.8.0/24", "nat-not-agreed")]
    [InlineData("\"fd64:8::/64\"", "100.64.7.0/24", "nat-not-agreed")]
    [InlineData("100.64.8.0/24", "169.254.1.0/24", "bad-prefix")]
    [InlineData("100.64.8.0/24", "10.20.1.0/24", "subnet-seen-twice")]
    [InlineData("100.64.9.0/24", "10.20.2.0/24", "subnet-seen-twice")]
    public void What_both_state_and_does_not_fit_opens_nothing(string old, string now, string codes)
    {
        var example = With(
            Example.ThreeTenants, WebClause.Replace(old, now, StringComparison.Ordinal),
            RecordsClause.Replace(old, now, StringComparison.Ordinal));
        var found = example.Check().Findings.Select(one => WireText.Of(one.Code)).Distinct()
            .Where(code => !code.StartsWith("flow-", StringComparison.Ordinal)
                && !code.StartsWith("depends", StringComparison.Ordinal));
        Assert.Equal(codes, string.Join(' ', found));
        Assert.False(Joins(example));
    }

    [Fact]
    public void Each_gateway_knows_its_own_machines_as_they_are_and_the_others_as_agreed()
    {
        var plan = Plan(Joined, "host-1");
        var web = Flow(plan, "bank/web", FlowProtocol.Tcp, "10.20.1.11", "100.64.9.11");
        Assert.Equal(("100.64.8.11", "100.64.9.11", true), (web.Known, web.Original, web.Outward));
        var records = Flow(plan, "hospital/records", FlowProtocol.Tcp, "100.64.8.11", "10.20.1.11");
        Assert.Equal(("100.64.9.11", "100.64.9.11", false), (records.Known, records.Original, records.Outward));
        Assert.Contains(
            Gateway(plan, "bank/web").Legs.SelectMany(leg => leg.Routes), route => route.Destination == "fd64:9::11");
        Assert.DoesNotContain(
            FlowLine.Of(Gateway(plan, "bank/web").Flows), flow => flow.To == "10.20.1.11" && flow.Outward);
        // What is with the ledger stays as it is.
        Assert.All(
            FlowLine.Of(Gateway(plan, "bank/web").Flows)
                .Where(flow => flow.To.StartsWith("10.20.2.", StringComparison.Ordinal)),
            flow => Assert.Null(flow.Known));
    }

    [Fact]
    public void A_side_that_is_known_as_it_is_needs_no_addresses()
    {
        // Only the web's machines have other names at the records, which have other subnets than the web.
        var example = With(
            Example.ThreeTenants.With(Records, "10.20.1.0/24, \"fd20:1::/64\"", "10.20.7.0/24, \"fd20:7::/64\"")
                .With(Records, "ipv4: 10.20.1.11, ipv6: \"fd20:1::11\"", "ipv4: 10.20.7.11, ipv6: \"fd20:7::11\"")
                .With(Records, "ipv4: 10.20.1.12, ipv6: \"fd20:1::12\"", "ipv4: 10.20.7.12, ipv6: \"fd20:7::12\""),
            "    - {with: hospital/records, own: [100.64.8.0/24, \"fd64:8::/64\"]}\n",
            "    - {with: bank/web, peer: [100.64.8.0/24, \"fd64:8::/64\"]}\n");
        Assert.Empty(example.Check().Findings);
        var flow = Flow(Plan(example, "host-1"), "hospital/records", FlowProtocol.Tcp, "100.64.8.11", "10.20.7.11");
        Assert.Null(flow.Known);
    }

    [Theory]
    [InlineData("bank/web-1", "hospital/records-1", "tcp/5432", true)]
    [InlineData("bank/web-1", "hospital/records-2", "icmp", true)]
    [InlineData("bank/web-2", "hospital/records-1", "udp/5353", true)]
    [InlineData("hospital/records-2", "bank/web-1", "tcp/8080", true)]
    [InlineData("bank/web-1", "hospital/records-1", "tcp/8080", false)]
    [InlineData("hospital/records-1", "bank/web-1", "tcp/5432", false)]
    [InlineData("bank/web-1", "bank/ledger-1", "tcp/5432", true)]
    public void A_trace_goes_through_the_translation_by_rules_that_are_rendered(
        string from, string to, string service, bool isOpen)
    {
        HostPlan[] plans = [.. Hosts.Select(host => Plan(Joined, host))];
        foreach (var isIpv6 in new[] { false, true })
        {
            Assert.True(TraceQuestion.TryParseService(service, out var protocol, out var port));
            var trace = Tracer.Run(
                plans, new TraceQuestion(Machine(from), Machine(to), protocol, port) { Ipv6 = isIpv6 });
            Assert.Equal(isOpen, trace.IsOpen);
            Assert.All(trace.Steps.Where(step => step.Passes), step => Rendered(plans, step));
            var maps = trace.Steps.Where(step => step.Rule.Contains("bound", StringComparison.Ordinal)).ToArray();
            Assert.Equal(isOpen && to != "bank/ledger-1" ? 6 : 0, maps.Length);
        }
    }

    [Fact]
    public void A_machine_is_told_the_address_by_which_its_own_domain_knows_another()
    {
        var example = Joined.With(Web, "storage:\n", "services: {addresses: host, names: host}\nstorage:\n");
        var point = Plan(example, "host-1").Domains.Single(one => one.DisplayName == "bank/web").ServicePoint;
        Assert.NotNull(point);
        var name = Assert.Single(point.Names, one => one.Names.Contains("records-1.records.hospital.internal"));
        Assert.Equal(["100.64.9.11", "fd64:9::11"], name.Addresses);
    }

    [Fact]
    public void A_machine_that_leaves_is_found_by_the_address_by_which_it_was_known()
    {
        var datacentre = Datacentre(Joined);
        var after = Refine.ForHost(
            datacentre, [.. All.Where(one => one.Compartment != Machine("hospital/records-2"))], Host("host-1"), Now);
        var withdrawn = WithdrawnFlows.Between(Plan(Joined, "host-1"), after, datacentre);
        var web = withdrawn.Where(one => one.Domain == Domain("bank/web")).ToArray();
        Assert.All(web, one => Assert.Contains("are open for it, but", one.Cause, StringComparison.Ordinal));
        Assert.Contains(web, one => one.Sentence.Contains("from 10.20.1.11 to 100.64.9.12", StringComparison.Ordinal));
        Assert.Contains(web, one => one.Sentence.Contains("from 100.64.9.12 to 10.20.1.11", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_signed_says_the_same()
    {
        var signed = SignedExample.Of(Joined);
        Assert.True(FlowMatrix.Of(signed.Datacentre()).Joins(
            new DomainRef(signed.Party("bank"), Domain("bank/web").Name),
            new DomainRef(signed.Party("hospital"), Domain("hospital/records").Name)));
    }

    [Fact]
    public void Another_clause_is_a_difference_of_the_policies()
    {
        var other = With(
            Example.ThreeTenants, WebClause.Replace("100.64.8", "100.64.7", StringComparison.Ordinal),
            RecordsClause.Replace("100.64.8", "100.64.7", StringComparison.Ordinal));
        Assert.Empty(PolicyDiff.Describe(Datacentre(Joined), Datacentre(Joined)));
        var changes = PolicyDiff.Describe(Datacentre(Joined), Datacentre(other));
        Assert.Equal(2, changes.Count(one => one.Code == PolicyChangeCode.Addresses
            && one.Sentence.Contains("know each other", StringComparison.Ordinal)));
    }

    private static void Rendered(HostPlan[] plans, TraceStep step)
    {
        var plan = plans.Single(one => one.Host == step.Host);
        var tables = string.Concat(plan.Domains.Select(NftTables.ForDomain)
            .Concat(plan.Domains.Select(domain => domain.Gateway).OfType<GatewayPlan>().Select(NftTables.ForGateway))
            .Concat(plan.Passages.Select(NftTables.ForPassage)).Append(NftTables.ForHost(plan)))
            .Replace("\"", "", StringComparison.Ordinal);
        var rule = step.Rule.Split(", ")[^1];
        if (step.Place == TracePlace.Gateway)
        {
            var (name, element) = (rule[..rule.IndexOf(": ", StringComparison.Ordinal)],
                rule[(rule.IndexOf(": ", StringComparison.Ordinal) + 2)..]);
            var begin = tables.IndexOf($"{name} {{", StringComparison.Ordinal);
            Assert.True(begin >= 0 && tables.IndexOf(element, begin, StringComparison.Ordinal) > begin, step.Rule);
        }
    }

    private static HostPlan Plan(Example example, string host) =>
        Refine.ForHost(Datacentre(example), All, Host(host), Now);

    private static GatewayPlan Gateway(HostPlan plan, string domain)
    {
        var gateway = plan.Domains.Single(one => one.DisplayName == domain).Gateway;
        Assert.NotNull(gateway);
        return gateway;
    }

    private static FlowLine Flow(HostPlan plan, string domain, FlowProtocol protocol, string from, string to) =>
        FlowLine.Of(Gateway(plan, domain).Flows)
            .Single(flow => (flow.Protocol, flow.From, flow.To) == (protocol, from, to));

    private static bool Joins(Example example) =>
        FlowMatrix.Of(Datacentre(example)).Joins(Domain("bank/web"), Domain("hospital/records"));
}
