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
        IReadOnlyCollection<PolicyDocument> all = documents as IReadOnlyCollection<PolicyDocument> ?? [.. documents];
        return before?.Known is { } known && known.Chosen == datacentre
            && StatementChange.To(known.Statements, all) is { } change
                ? Again(before, known, change) : Anew(all, datacentre, before);
    }

    /// <summary>
    /// Checks what an earlier check saw, but for a change: as <see cref="Run(IEnumerable{PolicyDocument}, PartyId?,
    /// CheckedDatacentre?)"/> of all documents would, without looking at those that nothing happened to.
    /// </summary>
    /// <param name="before">What the earlier check found usable.</param>
    /// <param name="changed">Documents that are new, or stand in the place of those of the same subjects.</param>
    /// <param name="removed">Documents whose subjects have none any more.</param>
    public static PolicyCheckResult After(
        CheckedDatacentre before, IEnumerable<PolicyDocument> changed, IEnumerable<PolicyDocument>? removed = null)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(changed);
        var known = before.Known ?? throw new ArgumentException("Its check is not over.", nameof(before));
        PolicyDocument[] come = [.. changed];
        Subject[] gone = [.. (removed ?? []).Select(document => Subject.Of(document.Origin))];
        if (StatementChange.To(known.Statements, come, gone) is { } change)
        {
            return Again(before, known, change);
        }

        var others = gone.Concat(come.Select(document => Subject.Of(document.Origin))).ToHashSet();
        return Anew(
            [
                .. known.Statements.Entries.All.Where(entry => !others.Contains(entry.Key))
                    .SelectMany(entry => entry.Value.Documents),
                .. come,
            ],
            known.Chosen, before);
    }

    /// <summary>Whether such a change is judged by what it touches, and not with everything else.</summary>
    internal static bool IsPartEnough(
        CheckedDatacentre before, IEnumerable<PolicyDocument> changed, IEnumerable<PolicyDocument> removed) =>
        before.Known is { } known && StatementChange.To(
            known.Statements, changed, removed.Select(document => Subject.Of(document.Origin))) is not null;

    private static PolicyCheckResult Anew(
        IEnumerable<PolicyDocument> documents, PartyId? chosen, CheckedDatacentre? before)
    {
        var statements = StatementSet.Read(documents);
        var inventory = InventoryChecks.Run(statements, chosen);
        DomainChecks.Run(statements, new TenantRanks(inventory.Datacentre));
        MachineChecks.Run(statements, inventory.Datacentre?.Id);
        var models = SettledModels.Of(statements);
        var tenants = statements.Usable<TenantBody>().ToImmutableSortedDictionary(
            pair => pair.Model.Model.Id.ToString(), pair => pair.Model.Model, StringComparer.Ordinal);
        return Judged(
            statements,
            new KnownCheck(
                chosen, statements.Settled(), inventory, models,
                DeviceNames.Of(models.Machinery.Compartments.Values), MachineRegister.Of(models.Machinery), [],
                new DomainNotes(null, null)),
            new CheckedDatacentre(
                tenants, inventory.Datacentre, inventory.Inventory, models.Domains, models.Machinery, before),
            _ => new DomainNotes(null, null));
    }

    private static PolicyCheckResult Again(CheckedDatacentre before, KnownCheck known, StatementChange change)
    {
        var (statements, inventory) = (StatementSet.After(change), known.Inventory);
        DomainChecks.Run(statements, new TenantRanks(inventory.Datacentre));
        MachineChecks.Run(statements, inventory.Datacentre?.Id);
        var models = known.Models.With(statements, change.Touched);
        var settled = statements.Settled();
        settled.GoOnFrom(change.Ties);
        // What flows and derived names left out then is here again until they do so again.
        var others = change.Datacentre.And(known.Unjoined);
        var result = Judged(
            statements,
            known with
            {
                Statements = settled,
                Models = models,
                Machines = known.Machines.With(change.Datacentre.Machines, models.Machinery.Compartments),
                Register = known.Register.With(change.Datacentre, known.Models.Machinery, models.Machinery),
            },
            new CheckedDatacentre(
                before.Tenants, inventory.Datacentre, inventory.Inventory, models.Domains, models.Machinery, before,
                others),
            unjoined => new DomainNotes(
                known.Notes, change.Summed(known.Models, models, known.Unjoined.Union(unjoined))));
        result.Datacentre.Follows(before, others.And(result.Datacentre.Known?.Unjoined ?? []));
        return result;
    }

    /// <summary>Looks at flows and sums.</summary>
    private static PolicyCheckResult Judged(
        StatementSet statements, KnownCheck known, CheckedDatacentre draft,
        Func<ImmutableHashSet<CompartmentRef>, DomainNotes> begun)
    {
        // Joining needs the flows, and flows need the machines; a machine that joins too much is then taken out.
        var all = draft.Machinery.Compartments;
        var machines = FlowChecks.WithoutUnjoined(statements, draft, known.Register, all);
        machines = known.Machines.WithoutCollisions(
            statements, new TenantRanks(known.Inventory.Datacentre), machines);
        ImmutableHashSet<CompartmentRef> unjoined = machines == all ? [] :
            [.. all.Where(one => !machines.ContainsKey(one.Key)).Select(one => one.Value.Ref)];
        var datacentre = unjoined.IsEmpty ? draft : new CheckedDatacentre(
            draft.Tenants, draft.Datacentre, draft.Inventory, draft.Domains,
            draft.Machinery with { Compartments = machines }, draft, DatacentreChange.Of(unjoined));
        var notes = begun(unjoined);
        FlowChecks.Run(statements, datacentre, known.Register, notes);
        QuotaChecks.Run(statements, datacentre, notes);
        notes.Close();
        datacentre.Known = known with { Unjoined = unjoined, Notes = notes };
        return new PolicyCheckResult(datacentre, Finding.Sorted(statements.Findings));
    }
}
