using System.Collections.Immutable;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

/// <summary>What a host writes down of flows that end with a plan, and whose revision it names.</summary>
public sealed class WithdrawnFlowTests
{
    private const string Web = "bank/web.yaml";
    private const string Ledger = "bank/ledger.yaml";
    private static readonly string[] Parties = ["hospital", "bank", "regulator"];
    private static readonly Example Wide = Example.ThreeTenants
        .With(Web, "ports: [5432]", "ports: [5432, \"8000-8010\"]")
        .With(Ledger, "bank/web, network: {protocol: tcp, ports: [5432]}", "bank/web, network: "
            + "{protocol: tcp, ports: [5432, \"8000-8010\"]}");

    [Fact]
    public void A_plan_that_passes_the_same_or_more_withdraws_nothing()
    {
        Assert.Empty(Between(Wide, Wide, "host-1"));
        Assert.Empty(Between(Example.ThreeTenants, Wide, "host-1"));
        Assert.NotEmpty(Between(Wide, Example.ThreeTenants, "host-1"));
    }

    [Theory]
    [InlineData("host-1", "web")]
    [InlineData("host-2", "ledger")]
    public void Both_hosts_name_the_revision_that_closed_it_each_for_its_own_gateway(string host, string domain)
    {
        var one = Assert.Single(Between(Wide, Wide.With(Web, "5432, \"8000-8010\"", "5432"), host));
        Assert.Equal(domain, one.Domain.Name.Text);
        Assert.Equal("Closed by Domain bank/web r2, after r1", one.Cause);
        Assert.StartsWith($"{one.Cause}: ", one.Sentence, StringComparison.Ordinal);
        Assert.Contains("tcp/8000-8010 from 10.20.1.11 to 10.20.2.11", one.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("5432", one.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_revisions_are_named_where_both_owners_changed_theirs()
    {
        var next = Wide.With(Web, "ports: [5432, \"8000-8010\"]", "ports: [5433]")
            .With(Ledger, "ports: [5432, \"8000-8010\"]", "ports: [5434]");
        var one = Assert.Single(Between(Wide, next, "host-1"));
        Assert.Equal("Closed by Domain bank/web r2, after r1 and by Domain bank/ledger r2, after r1", one.Cause);
    }

    [Fact]
    public void The_end_of_a_hole_in_the_middle_of_a_range_is_told_by_its_ports()
    {
        var next = Wide.With(Ledger, "\"8000-8010\"", "\"8000-8003\", \"8005-8010\"");
        var one = Assert.Single(Between(Wide, next, "host-1"));
        Assert.Contains("tcp/8004 from", one.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("800-", one.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("8003", one.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_leaves_is_not_told_as_a_revision_that_closed_its_flows()
    {
        var signed = SignedExample.Of(Wide);
        var datacentre = signed.Datacentre();
        var placed = Placed(signed);
        var before = Refine.ForHost(datacentre, placed, HostOf(signed, "host-1"), Now);
        var after = Refine.ForHost(
            datacentre, [.. placed.Where(one => one.Compartment.Name.Text != "ledger-1")],
            HostOf(signed, "host-1"), Now);
        var one = Assert.Single(WithdrawnFlows.Between(before, after, datacentre));
        Assert.StartsWith("Domain bank/web r1 and Domain bank/ledger r1 are open for it, but", one.Cause,
            StringComparison.Ordinal);
        Assert.DoesNotContain("Closed", one.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_without_its_address_is_told_as_the_machines_statement()
    {
        var next = Wide.With(Ledger, "ipv4: 10.20.2.11", "ipv4: 10.20.2.21");
        var one = Assert.Single(Between(Wide, next, "host-1"), one => one.Domain.Name.Text == "web");
        Assert.StartsWith("Closed by the statement of one of the machines: tcp/", one.Sentence,
            StringComparison.Ordinal);
        Assert.DoesNotContain("fd20", one.Sentence, StringComparison.Ordinal);
    }

    private static ImmutableArray<WithdrawnFlow> Between(Example before, Example after, string host)
    {
        var signed = SignedExample.Of(before);
        var was = Refine.ForHost(signed.Datacentre(), Placed(signed), HostOf(signed, host), Now);
        var datacentre = signed.Then(after).Datacentre();
        return WithdrawnFlows.Between(
            was, Refine.ForHost(datacentre, Placed(signed), HostOf(signed, host), Now), datacentre);
    }

    private static HostRef HostOf(SignedExample signed, string name) =>
        new(signed.Party("alpine"), StatementName.Parse(name));

    private static ImmutableArray<PlacementProposal> Placed(SignedExample signed) =>
    [
        .. All.Select(one => new PlacementProposal(
            new CompartmentRef(signed.Party(PartyOf(one)), one.Compartment.Name), HostOf(signed, one.Host.Name.Text),
            true)),
    ];

    private static string PartyOf(PlacementProposal one) =>
        Parties.Single(party => PartyId.Unsigned(party) == one.Compartment.Tenant);
}
