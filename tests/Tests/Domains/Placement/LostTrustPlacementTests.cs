using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.Placement;

/// <summary>Machines leave a host that lost their owners' trust where policy allows, and never run twice.</summary>
public sealed class LostTrustPlacementTests
{
    private const string Ledger = "bank/ledger.yaml";
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private static readonly Example Free = Example.ThreeTenants
        .With(Ledger, "placement: {hosts: [host-2]}", "placement: {}")
        .With("bank/web.yaml", "placement: {hosts: [host-1]}", "placement: {}");

    private static readonly HostRef Host2 = new(PartyId.Unsigned("alpine"), StatementName.Parse("host-2"));
    private static readonly PlacementTrust None = PlacementTrust.Unquestioned;

    [Fact]
    public void A_machine_goes_to_a_trusted_host_and_the_others_stay()
    {
        var after = Propose(Free, Doubting(Host2));
        var decision = Assert.IsType<PlacementDecision.Placed>(Of(after, "ledger-1"));
        Assert.NotEqual(Host2, decision.Host);
        Assert.Equal(Host2, Assert.IsType<PlacementDecision.Kept>(Of(after, "records-2")).Host);
        Assert.All(after.Proposals, one => Assert.True(one.Running));
        Assert.Equal(Host2, Assert.IsType<PlacementDecision.Kept>(Of(Propose(Free, None), "ledger-1")).Host);
    }

    [Fact]
    public void A_machine_whose_volume_is_held_there_ends_there_first_and_is_nowhere_else()
    {
        var after = Propose(Free, Doubting(Host2) with
        {
            Holds = (host, machine, volume) => host == Host2 && machine.Name.Text == "ledger-1"
                && volume.Name.Text == "ledger-1-data",
        });
        var leaving = Assert.IsType<PlacementDecision.Leaving>(Of(after, "ledger-1"));
        Assert.Equal(Host2, leaving.Host);
        Assert.Contains("ledger-1-data", leaving.Because, StringComparison.Ordinal);
        Assert.Contains("took it over", leaving.Because, StringComparison.Ordinal);
        Assert.Equal([(Host2, false)], Places(after, "ledger-1"));
    }

    [Fact]
    public void A_machine_that_still_runs_there_ends_first_also_without_a_volume()
    {
        var after = Propose(Free, Doubting(Host2) with
        {
            RunsOn = (machine, host) => machine.Name.Text == "ledger-1" && host == Host2,
        });
        Assert.IsType<PlacementDecision.Leaving>(Of(after, "ledger-1"));
        Assert.Equal([(Host2, false)], Places(after, "ledger-1"));
    }

    [Fact]
    public void A_volume_that_another_host_holds_keeps_no_machine_here()
    {
        HostRef other = Host2 with { Name = StatementName.Parse("host-1") };
        var after = Propose(Free, Doubting(Host2) with { Holds = (host, _, _) => host == other });
        Assert.IsType<PlacementDecision.Placed>(Of(after, "ledger-1"));
    }

    [Fact]
    public void A_machine_that_may_go_nowhere_else_stays_and_runs_where_it_is()
    {
        var after = Propose(Example.ThreeTenants, Doubting(Host2));
        var kept = Assert.IsType<PlacementDecision.Kept>(Of(after, "ledger-1"));
        Assert.Equal(Host2, kept.Host);
        Assert.Contains("host-2: it is not trusted", kept.Because, StringComparison.Ordinal);
        Assert.Equal([(Host2, true)], Places(after, "ledger-1"));
    }

    [Fact]
    public void A_machine_that_is_to_be_paused_waits_where_its_memory_is()
    {
        var before = Propose(Free, None);
        HostRef host = Places(before, "web-1").Single().Host;
        var after = Propose(Free, None with
        {
            Doubt = (doubted, domain) => doubted == host && domain.Name.Text == "web" ? "it is silent." : null,
        });
        var kept = Assert.IsType<PlacementDecision.Kept>(Of(after, "web-1"));
        Assert.Equal(host, kept.Host);
        Assert.Contains("paused", kept.Because, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_machine_is_not_proposed_where_its_owner_trusts_nobody()
    {
        var after = PlacementPlanner.Propose(Free.Check().Datacentre, [], [], None with
        {
            Doubt = (_, domain) => domain.Name.Text == "ledger" ? "it was refused." : null,
        }, Now);
        var nowhere = Assert.IsType<PlacementDecision.Nowhere>(Of(after, "ledger-1"));
        Assert.Contains("it was refused.", nowhere.Because, StringComparison.Ordinal);
        Assert.IsType<PlacementDecision.Placed>(Of(after, "web-1"));
    }

    [Fact]
    public void A_machine_that_is_not_to_run_keeps_its_host_whatever_is_said_of_it()
    {
        var datacentre = Free.Check().Datacentre;
        var stopped = Propose(Free, None).Proposals.Select(one => one with { Running = false }).ToArray();
        var after = PlacementPlanner.Propose(datacentre, stopped, [], Doubting(Host2), Now);
        Assert.All(after.Decisions, one => Assert.IsType<PlacementDecision.Kept>(one));
    }

    private static PlacementTrust Doubting(HostRef host) => None with
    {
        Doubt = (doubted, domain) => doubted == host && domain.Name.Text == "ledger" ? "it is silent." : null,
    };

    /// <summary>The places after something became known; before, machines are where the example puts them.</summary>
    private static PlacementOutcome Propose(Example example, PlacementTrust trust)
    {
        var datacentre = example.Check().Datacentre;
        var before = PlacementPlanner.Propose(Example.ThreeTenants.Check().Datacentre, [], [], None, Now);
        return PlacementPlanner.Propose(datacentre, before.Proposals, [], trust, Now);
    }

    private static PlacementDecision Of(PlacementOutcome outcome, string machine) =>
        outcome.Decisions.Single(one => one.Compartment.Name.Text == machine);

    private static IEnumerable<(HostRef Host, bool Running)> Places(PlacementOutcome outcome, string machine) =>
        outcome.Proposals.Where(one => one.Compartment.Name.Text == machine).Select(one => (one.Host, one.Running));
}
