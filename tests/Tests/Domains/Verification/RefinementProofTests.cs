using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Verification;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Domains.Refinement;
using Bailiwick.Tests.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>What is rendered does what policies say, for every packet; what is not shows a packet.</summary>
public sealed class RefinementProofTests
{
    [Fact]
    public void Every_host_of_the_example_does_exactly_what_the_policies_say()
    {
        CheckedDatacentre datacentre = Datacentre();

        var proven = Assert.IsType<RefinementVerdict.Proven>(RefinementProof.Of(Plans(datacentre), datacentre));

        Assert.Equal(3, proven.Hosts);
    }

    [Fact]
    public void A_hundred_random_datacentres_do_exactly_what_their_policies_say()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new RandomDatacentre(seed);
            RefinementVerdict verdict = RefinementProof.Of(random.Plans, random.Datacentre);
            Assert.True(verdict is RefinementVerdict.Proven, $"seed {seed}: {Words(verdict)}");
        }
    }

    [Theory]
    [InlineData("{addresses: host, names: host}")]
    [InlineData("{addresses: host}")]
    [InlineData("{names: host}")]
    [InlineData("{addresses: {machine: web-1}}")]
    // Named, and not there: nobody answers, and who asks still asks for itself alone.
    [InlineData("{addresses: {machine: web-9}}")]
    public void A_domain_with_services_passes_their_questions_and_answers_and_no_others(string services)
    {
        CheckedDatacentre datacentre = Datacentre(Example.ThreeTenants.With(
            "bank/web.yaml", "storage:\n", $"services: {services}\nstorage:\n"));

        RefinementVerdict verdict = RefinementProof.Of(Plans(datacentre), datacentre);

        Assert.True(verdict is RefinementVerdict.Proven, Words(verdict));
        // The same tables are not those of a domain without.
        Assert.IsType<RefinementVerdict.Refuted>(RefinementProof.Of(Plans(datacentre), Datacentre()));
    }

    [Fact]
    public void Domains_that_know_each_other_by_other_addresses_meet_by_these_alone()
    {
        CheckedDatacentre datacentre = Datacentre(TranslatedExample.Of(Example.ThreeTenants));

        RefinementVerdict verdict = RefinementProof.Of(Plans(datacentre), datacentre);

        Assert.True(verdict is RefinementVerdict.Proven, Words(verdict));
    }

    [Fact]
    public void A_domain_with_a_VLAN_of_its_own_is_proven_like_one_with_tunnels()
    {
        CheckedDatacentre datacentre = Datacentre(VlanTests.Carried());
        HostPlan[] plans = Plans(datacentre);

        Assert.Contains(plans, plan => plan.Domains.Any(domain => domain.Network.Vlan is not null));
        RefinementVerdict verdict = RefinementProof.Of(plans, datacentre);
        Assert.True(verdict is RefinementVerdict.Proven, Words(verdict));
    }

    [Theory]
    [InlineData(1, 30)]
    [InlineData(6, 5)]
    public void A_host_with_many_machines_is_proven_at_once(int domains, int machines)
    {
        var crowd = new CrowdedHost(domains, machines);
        Assert.Equal(domains * machines, crowd.Plan.Domains.Sum(domain => domain.Network.Ports.Length));

        RefinementVerdict verdict = RefinementProof.OfHost(crowd.Plan.Host, [crowd.Plan], crowd.Datacentre);

        Assert.True(verdict is RefinementVerdict.Proven, Words(verdict));
    }

    [Fact]
    public void A_plan_of_other_policies_is_refuted_with_a_packet_and_the_statements()
    {
        CheckedDatacentre datacentre = Datacentre();
        CheckedDatacentre closed = Datacentre(Example.ThreeTenants.With(
            "bank/ledger.yaml", "ports: [5432]", "ports: [5433]"));

        var refuted = Assert.IsType<RefinementVerdict.Refuted>(RefinementProof.Of(Plans(datacentre), closed));

        Counterexample example = refuted.Examples.First(one =>
            one is { Place: ProofPlace.GatewayRequest, Difference: Difference.PassesThoughClosed });
        Assert.Equal(5432, (int)example.Packet[HeaderField.DestinationPort]);
        Assert.Contains("from 10.20.1.1", example.Sentence, StringComparison.Ordinal);
        Assert.Contains(
            "an IPv4 packet (TCP, destination port 5432, the first of its connection, ", example.Sentence,
            StringComparison.Ordinal);
        Assert.Contains("@tcp4 accept", example.Rule, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_found_on_many_processors_is_told_in_the_same_order_each_time()
    {
        CheckedDatacentre datacentre = Datacentre();
        HostPlan[] plans = Plans(datacentre);
        // Nobody's machines are anywhere by these tables, so each switch and each gateway has something to tell.
        HostRulesets[] empty =
        [
            .. plans.Select(plan => new HostRulesets(
                RulesetTextReader.Read(""),
                HostRulesets.Of(plan).Gateways.ToImmutableSortedDictionary(
                    gateway => gateway.Key, _ => RulesetTextReader.Read("")))),
        ];

        string[] told = [.. Enumerable.Range(0, 5).Select(_ => Words(RefinementProof.Of(
            plans, datacentre, plan => empty[Array.IndexOf(plans, plan)])))];

        Assert.True(told[0].Split('\n').Length > 20, told[0]);
        Assert.Single(told.Distinct());
    }

    [Fact]
    public void What_the_reader_does_not_know_is_never_proven()
    {
        CheckedDatacentre datacentre = Datacentre();
        HostPlan[] plans = Plans(datacentre);

        var unknown = Assert.IsType<RefinementVerdict.Unknown>(RefinementProof.Of(
            plans, datacentre, plan => HostRulesets.Of(plan) with
            {
                Host = RulesetTextReader.Read("table bridge x {\n\tchain y {\n\t\tmeta mark 7 accept\n\t}\n}\n"),
            }));

        Assert.Contains("meta mark 7 accept", unknown.Sentences[0], StringComparison.Ordinal);
        Assert.Contains("cannot be proven", unknown.Sentences[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ether type arp meta l4proto tcp arp saddr ip @x drop", true)]
    [InlineData("ether type arp arp saddr ip @x drop", false)]
    [InlineData("ether type arp meta l4proto tcp @th,192,16 0x0101 drop", true)]
    [InlineData("ether type arp @th,192,16 0x0101 drop", false)]
    public void What_cannot_be_said_of_packets_that_come_nowhere_near_hinders_no_proof(string rule, bool isProven)
    {
        CheckedDatacentre datacentre = Datacentre();
        HostPlan[] plans = Plans(datacentre);

        RefinementVerdict verdict = RefinementProof.Of(
            plans, datacentre, plan => HostRulesets.Of(plan) is var rendered
                && rendered.Host is RulesetReading.Understood { Ruleset: var own }
                && RulesetTextReader.Read(Other(rule)) is RulesetReading.Understood { Ruleset: var other }
                ? rendered with { Host = new RulesetReading.Understood(new Ruleset([.. own.Tables, .. other.Tables])) }
                : throw new InvalidOperationException(Other(rule)));

        Assert.True(
            isProven ? verdict is RefinementVerdict.Proven : verdict is RefinementVerdict.Unknown, Words(verdict));
    }

    private static string Other(string rule) => $$"""
        table bridge other {
        	set x {
        		type ipv4_addr
        		flags timeout
        	}
        	chain all {
        		type filter hook forward priority 100; policy accept;
        		{{rule}}
        	}
        }

        """;

    internal static HostPlan[] Plans(CheckedDatacentre datacentre) =>
        [.. Enumerable.Range(1, 3).Select(number => Refine.ForHost(datacentre, All, Host($"host-{number}"), Now))];

    internal static string Words(RefinementVerdict verdict) => verdict switch
    {
        RefinementVerdict.Refuted refuted => string.Join('\n', refuted.Examples.Select(one => one.Sentence)),
        RefinementVerdict.Unknown unknown => string.Join('\n', unknown.Sentences),
        _ => verdict.ToString(),
    };
}
