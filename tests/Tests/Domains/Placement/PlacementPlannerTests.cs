using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.Placement;

public sealed class PlacementPlannerTests
{
    private const string Web = "bank/web.yaml";
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Places_every_machine_of_the_example_where_its_policies_say()
    {
        var outcome = Propose(Example.ThreeTenants);

        Assert.Equal(
            "inspector-1@host-3 ledger-1@host-2 ledger-2@host-3 records-1@host-1 records-2@host-2 web-1@host-1 "
            + "web-2@host-3",
            Text(outcome));
        Assert.All(outcome.Proposals, proposal => Assert.True(proposal.Running));
        Assert.All(outcome.Decisions, decision => Assert.IsType<PlacementDecision.Placed>(decision));
    }

    [Fact]
    public void Keeps_what_may_stay_and_gives_equal_answers_to_equal_questions()
    {
        var free = Example.ThreeTenants.With(Web, "placement: {hosts: [host-1]}", "placement: {}");
        var first = Propose(free);
        var moved = first.Proposals.Select(one => one.Compartment.Name.Text == "web-1"
            ? one with { Host = one.Host with { Name = StatementName.Parse("host-2") } } : one).ToArray();

        var second = Propose(free, moved);

        Assert.Contains("web-1@host-2", Text(second), StringComparison.Ordinal);
        Assert.All(second.Decisions, decision => Assert.IsType<PlacementDecision.Kept>(decision));
        Assert.Equal(Text(second), Text(Propose(free, moved.Reverse().ToArray())));
    }

    [Fact]
    public void Moves_machines_from_a_drained_host_and_says_why_the_others_have_no_place()
    {
        var free = Example.ThreeTenants.With(Web, "placement: {hosts: [host-1]}", "placement: {}");
        var before = Propose(free);
        var drained = before.Proposals.First(one => one.Compartment.Name.Text == "web-1").Host;

        var after = Propose(free, before.Proposals, drained);

        var kept = after.Decisions.OfType<PlacementDecision.Kept>().Where(one => one.Host == drained).ToArray();
        Assert.NotEmpty(kept);
        Assert.All(kept, one => Assert.Contains(
            $"{drained.Name}: it is being drained.", one.Because, StringComparison.Ordinal));
        Assert.Equal(kept.Length, after.Proposals.Count(one => one.Host == drained));
        Assert.Contains(after.Proposals, one => one.Compartment.Name.Text == "web-1");
        foreach (var stuck in after.Decisions.OfType<PlacementDecision.Nowhere>())
        {
            Assert.Contains($"{drained.Name}: it is being drained.", stuck.Because, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_machine_stays_apart_from_its_twin_even_when_that_leaves_it_nowhere()
    {
        var apart = Example.ThreeTenants.With(Web, "hosts: [host-3], apartFrom", "hosts: [host-1], apartFrom");

        var nowhere = Assert.Single(Propose(apart).Decisions.OfType<PlacementDecision.Nowhere>());

        Assert.Equal("web-2", nowhere.Compartment.Name.Text);
        Assert.Contains("host-1", nowhere.Because, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_placed_without_a_datacentre()
    {
        var outcome = Propose(Example.ThreeTenants.Without("alpine/datacentre.yaml"));

        Assert.Empty(outcome.Proposals);
        Assert.Equal(7, outcome.Decisions.OfType<PlacementDecision.Nowhere>().Count());
    }

    [Fact]
    public void Nothing_is_placed_after_its_policy_expired()
    {
        var datacentre = Example.ThreeTenants.Check().Datacentre;

        var outcome = PlacementPlanner.Propose(datacentre, [], [], PlacementTrust.Unquestioned, Now.AddYears(20));

        Assert.Empty(outcome.Proposals);
    }

    [Fact]
    public void A_host_takes_no_more_than_it_can_hold()
    {
        var small = Example.ThreeTenants.With(
            "alpine/hosts.yaml", "ipv4: 10.99.0.13}\ncapacity: {cpus: 8, memoryMiB: 1024}",
            "ipv4: 10.99.0.13}\ncapacity: {cpus: 8, memoryMiB: 230}");

        var outcome = Propose(small);

        Assert.InRange(outcome.Proposals.Count(one => one.Host.Name.Text == "host-3"), 0, 2);
        Assert.NotEmpty(outcome.Decisions.OfType<PlacementDecision.Nowhere>());
    }

    [Theory]
    [InlineData("", 1, "host-1", "")]
    [InlineData("", 40, "host-3", "")]
    [InlineData("", 46, "host-3", "")]
    [InlineData("hosts: [host-1, host-2]", 30, "host-1", "")]
    [InlineData("hosts: [host-1, host-2]", 40, "host-1", "No host keeps the whole of what is reserved of uplinks.")]
    [InlineData("hosts: [host-1, host-2]", 46, null, "host-2: Host alpine/host-2 (unsigned) shares out 90 Mbit/s")]
    public void A_machine_goes_where_its_domains_part_of_the_uplink_is_kept(
        string hosts, int web, string? expected, string because)
    {
        var example = Example.ThreeTenants
            .With(Web, "placement: {hosts: [host-1]}", $"placement: {{{hosts}}}").With(Web, ", apartFrom: [web-1]", "")
            .With("alpine/hosts.yaml", "memoryMiB: 1024}", "memoryMiB: 1024, uplinkMbit: 100}")
            .With("hospital/records.yaml", "approvals:", "bandwidth: {reserveMbit: 60}\napprovals:")
            .With(Web, "groups:", $"bandwidth: {{reserveMbit: {web}}}\ngroups:");

        var outcome = Propose(example);

        var decision = outcome.Decisions.Single(one => one.Compartment.Name.Text == "web-1");
        Assert.Equal(expected, (decision as PlacementDecision.Placed)?.Host.Name.Text);
        Assert.Contains(because, decision.Because, StringComparison.Ordinal);
        Assert.Equal(expected is null, decision is PlacementDecision.Nowhere);
    }

    [Fact]
    public void A_machine_that_is_not_to_run_keeps_its_host_and_does_not_start()
    {
        var stopped = Propose(Example.ThreeTenants).Proposals
            .Select(one => one.Compartment.Name.Text == "web-1" ? one with { Running = false } : one).ToArray();

        var outcome = Propose(Example.ThreeTenants, stopped);

        Assert.False(outcome.Proposals.Single(one => one.Compartment.Name.Text == "web-1").Running);
    }

    private static PlacementOutcome Propose(
        Example example, IReadOnlyList<PlacementProposal>? current = null, params HostRef[] drained) =>
        PlacementPlanner.Propose(
            example.Check().Datacentre, current ?? [], drained, PlacementTrust.Unquestioned, Now);

    private static string Text(PlacementOutcome outcome) => string.Join(' ', outcome.Proposals
        .Select(one => $"{one.Compartment.Name}@{one.Host.Name}").Order(StringComparer.Ordinal));
}
