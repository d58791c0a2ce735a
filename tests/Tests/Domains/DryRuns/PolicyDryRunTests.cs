using System.Text.Json;
using Bailiwick.Domains.DryRuns;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.DryRuns;

/// <summary>What a change would do to a running datacentre is told before it is published.</summary>
public sealed class PolicyDryRunTests
{
    private const string Ledger = "bank/ledger.yaml";
    private const string Inspection = "regulator/inspection.yaml";
    private const string Accept = "    - {from: regulator/inspection, network: {protocol: tcp, ports: [8443]}}\n";

    [Fact]
    public void Nothing_changes_where_nothing_is_changed()
    {
        PolicyDryRun run = Run(Example.ThreeTenants, Example.ThreeTenants);

        Assert.Empty(run.Signatures);
        Assert.Empty(run.Changes);
        Assert.Empty(run.Machines);
    }

    [Fact]
    public void A_path_between_two_tenants_says_first_whose_signature_it_still_needs()
    {
        Example one = Example.ThreeTenants.With(
            Inspection, "  grants:\n",
            "  grants:\n    - {to: hospital/records, network: {protocol: tcp, ports: [443]}}\n");

        PolicyDryRun alone = Run(Example.ThreeTenants, one);

        string missing = Assert.Single(alone.Signatures);
        Assert.Contains("Domain regulator/inspection", missing, StringComparison.Ordinal);
        Assert.Contains("opens nothing until the owner of records", missing, StringComparison.Ordinal);
        Assert.DoesNotContain(alone.Changes, change => change.Effect == PolicyEffect.Opens);

        Example both = one.With(
            "hospital/records.yaml", "  accepts: []\n",
            "  accepts:\n    - {from: regulator/inspection, network: {protocol: tcp, ports: [443]}}\n");
        PolicyDryRun together = Run(one, both);
        Assert.Contains("opens, both owners have signed", Assert.Single(together.Signatures), StringComparison.Ordinal);
        Assert.Contains(together.Changes, change => change.Effect == PolicyEffect.Opens);
    }

    [Fact]
    public void What_closes_needs_nobodys_word_but_the_owners()
    {
        PolicyDryRun run = Run(Example.ThreeTenants, Example.ThreeTenants.With(Ledger, Accept, ""));

        Assert.Contains(run.Changes, change => change.Effect == PolicyEffect.Closes
            && change.Sentence.Contains("8443", StringComparison.Ordinal));
        // The regulator's grant is met by nobody then.
        Assert.Contains("Domain regulator/inspection", Assert.Single(run.Signatures), StringComparison.Ordinal);
        Assert.Empty(run.Machines);
    }

    [Fact]
    public void A_machine_that_may_run_nowhere_any_more_stops_and_says_why()
    {
        PolicyDryRun run = Run(
            Example.ThreeTenants,
            Example.ThreeTenants.With("bank/web.yaml", "jurisdictions: [CH, DE]", "jurisdictions: [FR]"));

        Assert.Equal(
            [("bank/web-1", MachineEffect.Stops), ("bank/web-2", MachineEffect.Stops)],
            run.Machines.Select(change => (change.Machine, change.Effect)));
        Assert.All(run.Machines, change => Assert.Contains(
            "accepts the countries FR", change.Because, StringComparison.Ordinal));
    }

    [Fact]
    public void A_machine_that_may_run_elsewhere_alone_moves_there()
    {
        // It was bound to host-1, and is bound to host-3 now.
        Example together = Example.ThreeTenants.With("bank/web.yaml", "apartFrom: [web-1]", "apartFrom: []");
        PolicyDryRun run = Run(
            together, together.With("bank/web.yaml", "hosts: [host-1]", "hosts: [host-3]"));

        MachineChange change = Assert.Single(run.Machines);
        Assert.Equal(("bank/web-1", MachineEffect.Moves), (change.Machine, change.Effect));
        Assert.StartsWith("alpine/host-3 may run it.", change.Because, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_is_described_no_more_stops_and_one_that_is_new_starts()
    {
        Example without = Example.ThreeTenants.Without("hospital/records.yaml");

        Assert.Equal(
            [("hospital/records-1", MachineEffect.Stops), ("hospital/records-2", MachineEffect.Stops)],
            Run(Example.ThreeTenants, without).Machines.Select(change => (change.Machine, change.Effect)));
        Assert.Equal(
            [("hospital/records-1", MachineEffect.Starts), ("hospital/records-2", MachineEffect.Starts)],
            Run(without, Example.ThreeTenants).Machines.Select(change => (change.Machine, change.Effect)));
    }

    [Fact]
    public void A_tenant_is_told_of_its_own_machines_and_of_nobody_whom_it_does_not_know()
    {
        Example before = Example.ThreeTenants, after = before
            .With("hospital/records.yaml", "jurisdictions: [CH]", "jurisdictions: [FR]")
            .With(Ledger, Accept, "");
        PolicyDryRun all = Run(before, after), bank = Run(before, after, "bank"),
            hospital = Run(before, after, "hospital");

        Assert.Contains(all.Machines, change => change.Machine == "hospital/records-1");
        Assert.Contains(hospital.Machines, change => change.Machine == "hospital/records-1");
        Assert.DoesNotContain("bank/", JsonSerializer.Serialize(hospital), StringComparison.Ordinal);
        Assert.Contains(bank.Changes, change => change.Sentence.Contains("8443", StringComparison.Ordinal));
        Assert.DoesNotContain("hospital", JsonSerializer.Serialize(bank), StringComparison.Ordinal);
        Assert.All(bank.Machines, change => Assert.StartsWith("bank/", change.Machine, StringComparison.Ordinal));
    }

    private static PolicyDryRun Run(Example before, Example after, string? reader = null)
    {
        CheckedDatacentre old = Datacentre(before);
        return PolicyDryRun.Of(
            old, Datacentre(after),
            [.. All.Where(one => old.Machinery.Compartments.ContainsKey(one.Compartment.ToString()))], Now,
            reader is null ? null : PartyId.Unsigned(reader));
    }
}
