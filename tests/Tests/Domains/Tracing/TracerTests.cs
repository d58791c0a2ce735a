using System.Collections.Immutable;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Tracing;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Tracing;

/// <summary>A packet is followed through plans alone, and both agree with what the policies promise.</summary>
public sealed class TracerTests
{
    private static readonly string[] Services =
        ["tcp/80", "tcp/443", "tcp/5432", "tcp/8005", "tcp/8011", "udp/443", "udp/5432", "icmp"];

    private static readonly bool[] Families = [false, true];

    [Fact]
    public void Finds_in_random_datacentres_exactly_the_flows_that_the_policies_open()
    {
        int open = 0, closed = 0, crossing = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            var random = new RandomDatacentre(seed);
            var matrix = FlowMatrix.Of(random.Datacentre);
            foreach (TraceQuestion question in Questions())
            {
                PacketTrace trace = Tracer.Run(random.Plans, question);
                bool expected = Placed(random.Plans, question.From) && Placed(random.Plans, question.To)
                    && Promises(matrix, question);
                Assert.True(
                    trace.IsOpen == expected,
                    $"seed {seed}, {question}: the policies say {expected}.\n" + string.Join('\n', trace.Steps));
                open += trace.IsOpen ? 1 : 0;
                closed += trace.IsOpen ? 0 : 1;
                crossing += trace.IsOpen && trace.Steps.Any(step => step.Place == TracePlace.Passage) ? 1 : 0;
            }
        }

        Assert.True(open > 500 && closed > 500 && crossing > 100, $"{open} open, {closed} closed, {crossing} crossing");
    }

    /// <summary>The trace looks at plans: a plan that differs from the policies is found, at the host where it does.
    /// </summary>
    [Theory]
    [InlineData("host-1", "bank/web")]
    [InlineData("host-2", "bank/ledger")]
    public void A_plan_that_lost_a_flow_closes_it_there_although_the_policies_open_it(string host, string domain)
    {
        var question = Question("bank/web-1", "bank/ledger-1", "tcp/5432");
        HostPlan[] plans = Plans();
        Assert.True(Tracer.Run(plans, question).IsOpen);

        PacketTrace trace = Tracer.Run(
            [.. plans.Select(plan => plan.Host.Name.Text == host ? Without(plan, domain) : plan)], question);

        Assert.False(trace.IsOpen);
        TraceStep last = trace.Steps[^1];
        Assert.Equal((host, TraceWay.Request), (last.Host.Name.Text, last.Way));
        Assert.Contains(last.Owners, owner => owner.ToString() == Domain(domain).ToString());
        Assert.IsType<FlowExpectation.Only>(FlowMatrix.Of(Datacentre()).Expect(question.From, question.To));
    }

    [Fact]
    public void A_host_that_does_not_know_the_sender_drops_what_comes_out_of_the_tunnel()
    {
        var question = Question("hospital/records-1", "hospital/records-2", "tcp/22");
        HostPlan[] plans = Plans();
        Assert.True(Tracer.Run(plans, question).IsOpen);

        PacketTrace trace = Tracer.Run(
            plans.Select(plan => plan.Host.Name.Text != "host-2" ? plan : TrustedPeers.Only(plan, (_, _) => "no.")),
            question);

        Assert.False(trace.IsOpen);
        Assert.Equal(TracePlace.Link, trace.Steps[^1].Place);
        Assert.False(Tracer.Run(
            plans.Select(plan => plan.Host.Name.Text != "host-1" ? plan : TrustedPeers.Only(plan, (_, _) => "no.")),
            question).IsOpen);
    }

    [Fact]
    public void Names_every_place_both_ways_and_the_statements_that_decide()
    {
        PacketTrace trace = Tracer.Run(Plans(), Question("bank/web-1", "bank/ledger-1", "tcp/5432"));

        TracePlace[] way =
        [
            TracePlace.Port, TracePlace.Switch, TracePlace.Gateway, TracePlace.Passage, TracePlace.Link,
            TracePlace.Passage, TracePlace.Gateway, TracePlace.Switch, TracePlace.Port,
        ];
        Assert.Equal(
            [.. way, .. way, TracePlace.Gateway, TracePlace.Gateway], trace.Steps.Select(step => step.Place));
        Assert.Equal(("10.20.1.11", "10.20.2.11"), (trace.Client, trace.Server));
        TraceStep gateway = trace.Steps.First(step => step.Place == TracePlace.Gateway);
        Assert.Contains("set tcp4: 10.20.1.11 . 10.20.2.11 . 5432", gateway.Rule, StringComparison.Ordinal);
        Assert.Equal(
            ["Domain bank/web (unsigned)", "Domain bank/ledger (unsigned)"],
            gateway.Because.Select(origin => origin.ToString()));
    }

    [Theory]
    [InlineData("bank/web-1", "bank/ledger-1", "tcp/5432")]
    [InlineData("regulator/inspector-1", "bank/ledger-2", "tcp/8443")]
    [InlineData("hospital/records-1", "hospital/records-2", "icmp")]
    public void Every_rule_it_names_is_in_the_table_that_is_rendered(string from, string to, string service)
    {
        HostPlan[] plans = Plans();
        PacketTrace trace = Tracer.Run(plans, Question(from, to, service));

        Assert.True(trace.IsOpen);
        Assert.All(trace.Steps, step =>
        {
            string tables = Tables(plans.Single(plan => plan.Host == step.Host));
            string[] rule = step.Rule.Split(", ")[^1].Split(": ");
            Assert.True(rule.Length == 2, step.Rule);
            string name = rule[0], element = rule[1];
            int begin = tables.IndexOf($"{name} {{", StringComparison.Ordinal);
            Assert.True(begin >= 0, step.Rule);
            Assert.True(tables.IndexOf(element, begin, StringComparison.Ordinal) > begin, step.Rule);
        });
    }

    [Theory]
    [InlineData("{addresses: none}", "web-2", false, TraceWay.Answer, TracePlace.Port)]
    [InlineData("{addresses: {machine: web-2}}", "web-2", true, TraceWay.Answer, TracePlace.Port)]
    [InlineData("{addresses: {machine: web-1}}", "web-2", false, TraceWay.Answer, TracePlace.Port)]
    [InlineData("{addresses: host}", "web-2", false, TraceWay.Request, TracePlace.Switch)]
    public void Who_may_tell_addresses_decides_whether_DHCP_is_answered(
        string services, string server, bool isOpen, TraceWay way, TracePlace place)
    {
        Example example = Example.ThreeTenants.With(
            "bank/web.yaml", "storage:\n", $"services: {services}\nstorage:\n");

        PacketTrace trace = Tracer.Run(Plans(example), Question("bank/web-1", $"bank/{server}", "udp/67"));

        Assert.Equal(
            (isOpen, way, place), (trace.IsOpen, trace.Steps[^1].Way, trace.Steps[^1].Place));
        PacketTrace told = Tracer.Run(Plans(example), Question("bank/web-1", $"bank/{server}", "udp/68"));
        Assert.Equal(services == "{addresses: {machine: web-1}}", told.IsOpen);
        Assert.True(Tracer.Run(Plans(example), Question("bank/web-1", $"bank/{server}", "udp/69")).IsOpen);
        Assert.Equal(isOpen, Tracer.Run(
            Plans(example), Question("bank/web-1", $"bank/{server}", "udp/547") with { Ipv6 = true }).IsOpen);
    }

    [Fact]
    public void An_error_of_a_connection_is_told_by_one_end_to_the_other_at_both_gateways()
    {
        HostPlan[] plans = Plans();
        TraceStep[] errors = [.. Tracer.Run(plans, Question("bank/web-1", "bank/ledger-1", "tcp/5432")).Steps
            .Where(step => step.Way == TraceWay.Error)];

        Assert.Equal(["host-2", "host-1"], errors.Select(step => step.Host.Name.Text));
        Assert.All(errors, step => Assert.EndsWith(
            "set ends4: 10.20.2.11 . 10.20.1.11 . 10.20.1.11 . 10.20.2.11", step.Rule, StringComparison.Ordinal));
        Assert.DoesNotContain(
            Tracer.Run(plans, Question("bank/web-1", "bank/ledger-1", "tcp/5433")).Steps,
            step => step.Way == TraceWay.Error);
        Assert.DoesNotContain(
            Tracer.Run(plans, Question("hospital/records-1", "hospital/records-2", "tcp/22")).Steps,
            step => step.Way == TraceWay.Error);
    }

    [Fact]
    public void Says_where_a_port_is_limited_and_whose_part_of_an_uplink_a_packet_takes()
    {
        const string Nic = "ipv6: \"fd20:1::11\"}";
        Example example = Example.ThreeTenants
            .With("bank/web.yaml", Nic, Nic[..^1] + ", limit: {inMbit: 70, outMbit: 30}}")
            .With("bank/web.yaml", "groups:", "bandwidth: {reserveMbit: 20, limitMbit: 40}\ngroups:")
            .With("alpine/hosts.yaml", "memoryMiB: 1024}", "memoryMiB: 1024, uplinkMbit: 100}");
        PacketTrace trace = Tracer.Run(Plans(example), Question("bank/web-1", "bank/ledger-1", "tcp/5432"));

        Assert.True(trace.IsOpen);
        TraceStep sends = Assert.Single(trace.Steps, step => Says(step, "sends at most 30 Mbit/s"));
        TraceStep gets = Assert.Single(trace.Steps, step => Says(step, "gets at most 70 Mbit/s"));
        Assert.Equal((TraceWay.Request, TraceWay.Answer), (sends.Way, gets.Way));
        Assert.Equal((TracePlace.Port, "host-1"), (sends.Place, sends.Host.Name.Text));
        TraceStep part = Assert.Single(trace.Steps, step => Says(step, "counts for bank/web"));
        Assert.Contains("gets 20 Mbit/s", part.Sentence, StringComparison.Ordinal);
        Assert.Equal((TracePlace.Link, "host-1"), (part.Place, part.Host.Name.Text));
        Assert.DoesNotContain(
            Tracer.Run(Plans(), trace.Question).Steps, step => step.Rule.StartsWith("tc", StringComparison.Ordinal));

        static bool Says(TraceStep step, string what) => step.Sentence.Contains(what, StringComparison.Ordinal);
    }

    private static string Tables(HostPlan plan) => string.Concat(
        plan.Domains.Select(NftTables.ForDomain)
            .Concat(plan.Domains.Select(domain => domain.Gateway).OfType<GatewayPlan>().Select(NftTables.ForGateway))
            .Concat(plan.Passages.Select(NftTables.ForPassage)).Append(NftTables.ForHost(plan)))
        .Replace("\"", "", StringComparison.Ordinal);

    [Theory]
    [InlineData("medium: trusted-segment", "In clear to host-2: ", "is a trusted segment")]
    [InlineData("medium: untrusted", "As ciphertext to host-2: ", "is untrusted")]
    public void Says_whether_a_link_is_crossed_as_ciphertext_and_why(string medium, string how, string why)
    {
        var example = Example.ThreeTenants.With("alpine/hosts.yaml", "medium: trusted-segment", medium);
        PacketTrace trace = Tracer.Run(
            Plans(example), Question("hospital/records-1", "hospital/records-2", "tcp/22"));

        Assert.True(trace.IsOpen);
        TraceStep link = trace.Steps.First(step => step.Place == TracePlace.Link);
        Assert.StartsWith(how, link.Sentence, StringComparison.Ordinal);
        Assert.Contains(why, link.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp/443", true, FlowProtocol.Tcp, 443)]
    [InlineData("udp/65535", true, FlowProtocol.Udp, 65535)]
    [InlineData("icmp", true, FlowProtocol.Icmp, 0)]
    [InlineData("tcp/0", false, default(FlowProtocol), 0)]
    [InlineData("tcp/65536", false, default(FlowProtocol), 0)]
    [InlineData("tcp/-1", false, default(FlowProtocol), 0)]
    [InlineData("tcp", false, default(FlowProtocol), 0)]
    [InlineData("icmp/8", false, default(FlowProtocol), 0)]
    [InlineData("TCP/443", false, default(FlowProtocol), 0)]
    [InlineData("sctp/1", false, default(FlowProtocol), 0)]
    [InlineData("tcp/ 1", false, default(FlowProtocol), 0)]
    [InlineData("", false, default(FlowProtocol), 0)]
    public void Reads_services_exactly(string text, bool isOne, FlowProtocol protocol, int port)
    {
        Assert.Equal(isOne, TraceQuestion.TryParseService(text, out FlowProtocol read, out int number));
        if (isOne)
        {
            Assert.Equal((protocol, port), (read, number));
            Assert.Equal(text, Question("bank/web-1", "bank/web-2", text).Service);
        }
    }

    internal static HostPlan[] Plans(Example? example = null) => [.. Enumerable.Range(1, 3).Select(number =>
        Refine.ForHost(Datacentre(example), All, Host($"host-{number}"), Now))];

    internal static TraceQuestion Question(string from, string to, string service) =>
        TraceQuestion.TryParseService(service, out FlowProtocol protocol, out int port)
            ? new TraceQuestion(Machine(from), Machine(to), protocol, port)
            : throw new ArgumentException(service);

    private static IEnumerable<TraceQuestion> Questions() =>
        from one in All
        from other in All
        where one.Compartment != other.Compartment
        from service in Services
        from isIpv6 in Families
        select TraceQuestion.TryParseService(service, out FlowProtocol protocol, out int port)
            ? new TraceQuestion(one.Compartment, other.Compartment, protocol, port) { Ipv6 = isIpv6 }
            : throw new ArgumentException(service);

    private static bool Placed(HostPlan[] plans, CompartmentRef machine) =>
        plans.SelectMany(plan => plan.Domains).SelectMany(domain => domain.Compartments)
            .Any(one => one.Ref == machine);

    private static bool Promises(FlowMatrix matrix, TraceQuestion question) =>
        matrix.Expect(question.From, question.To) switch
        {
            FlowExpectation.Everything => true,
            FlowExpectation.Nothing => false,
            FlowExpectation.Only only => only.Flows.Any(flow =>
                flow.Resource is FlowResource.Network network && network.Protocol == question.Protocol
                && (question.Protocol == FlowProtocol.Icmp
                    || network.Ports.Any(range => range.First <= question.Port && question.Port <= range.Last))),
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    private static HostPlan Without(HostPlan plan, string domain) => plan with
    {
        Domains = [.. plan.Domains.Select(one => one.DisplayName != domain ? one : one with
        {
            Gateway = one.Gateway is { } gateway ? gateway with { Flows = ImmutableArray<FlowPlan>.Empty } : null,
        })],
    };
}
