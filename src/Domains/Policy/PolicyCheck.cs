using System.Collections.Immutable;
using Bailiwick.Domains.Policy.Checking;
using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>What is usable of the statements, and everything that is wrong with them.</summary>
/// <param name="Datacentre">The statements that hold together.</param>
/// <param name="Findings">All findings, by file, line and pointer.</param>
public sealed record PolicyCheckResult(CheckedDatacentre Datacentre, ImmutableArray<Finding> Findings);

/// <summary>
/// Checks statements by themselves and against each other. Reports every problem at once. A statement that cannot be
/// used is left out; its neighbours are judged without it. Where two tenants claim one thing (a network number, a
/// derived
/// name), the one that the datacentre lists earlier keeps it, so no tenant can take what another has. The order of the
/// documents does not matter.
/// </summary>
public static class PolicyCheck
{
    /// <summary>Checks what was read, and gives the findings of the reading too.</summary>
    public static PolicyCheckResult Run(PolicyReading reading, PartyId? datacentre = null)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var result = Run(reading.Documents, datacentre);
        return result with { Findings = Finding.Sorted(reading.Findings.Concat(result.Findings)) };
    }

    /// <summary>Checks documents; the findings that they already carry are not repeated.</summary>
    /// <param name="documents">Documents, authored or signed.</param>
    /// <param name="datacentre">The operator whose datacentre this is; null when there is only one.</param>
    /// <param name="before">
    /// What an earlier check found usable; nothing else is decided by it than what need not be found again.
    /// </param>
    public static PolicyCheckResult Run(
        IEnumerable<PolicyDocument> documents, PartyId? datacentre = null, CheckedDatacentre? before = null)
    {
        ArgumentNullException.ThrowIfNull(documents);
        var statements = StatementSet.Read(documents);
        var inventory = InventoryChecks.Run(statements, datacentre);
        var ranks = new TenantRanks(inventory.Datacentre);
        var domains = DomainChecks.Run(statements, ranks);
        var machinery = MachineChecks.Run(statements, domains, inventory.Datacentre?.Id);
        var machines = machinery.Compartments;

        // Joining needs the flows, and flows need the machines; a machine that joins too much is then taken out.
        var draft = Assemble(statements, inventory, domains, machinery, before);
        machines = FlowChecks.WithoutUnjoined(statements, draft, machines);
        machines = DeviceNames.WithoutCollisions(statements, ranks, machines);
        var datacentreChecked = machines == draft.Machinery.Compartments ? draft
            : Assemble(statements, inventory, domains, machinery with { Compartments = machines }, draft);
        FlowChecks.Run(statements, datacentreChecked);
        QuotaChecks.Run(statements, datacentreChecked);
        return new PolicyCheckResult(datacentreChecked, Finding.Sorted(statements.Findings));
    }

    private static CheckedDatacentre Assemble(
        StatementSet statements, CheckedInventory inventory, ImmutableSortedDictionary<string, DomainModel> domains,
        Machinery machinery, CheckedDatacentre? before) => new(
            statements.Usable<TenantBody>().ToImmutableSortedDictionary(
                pair => pair.Model.Model.Id.ToString(), pair => pair.Model.Model, StringComparer.Ordinal),
            inventory.Datacentre, inventory.Inventory, domains, machinery, before?.Index);
}
