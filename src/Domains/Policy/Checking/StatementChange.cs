using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Flows;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// What of the statements of an earlier check another one has differently, and whose verdict that can touch. There is
/// none where roots, hosts or links change, a party comes or goes, or more is touched than is saved by it: then
/// everything is judged.
/// </summary>
internal sealed class StatementChange
{
    private const int FewJudged = 64;
    private const int PartJudged = 4;

    private DatacentreChange? _datacentre;

    private StatementChange(
        SettledStatements before, Layered<Subject, StatementEntry> entries, HashSet<Subject> touched, bool sameNames,
        TieIndex? ties)
    {
        Before = before;
        Entries = entries;
        Touched = touched;
        Judged = [.. touched.Where(subject => entries.TryGetValue(subject, out _)).Order()];
        SameNames = sameNames;
        Ties = ties;
    }

    /// <summary>The statements before.</summary>
    public SettledStatements Before { get; }

    /// <summary>Those now.</summary>
    public Layered<Subject, StatementEntry> Entries { get; }

    /// <summary>The subjects whose verdict may be another, also those that are gone.</summary>
    public IReadOnlySet<Subject> Touched { get; }

    /// <summary>Those that are there, in their order.</summary>
    public ImmutableArray<Subject> Judged { get; }

    /// <summary>Whether no subject came or went.</summary>
    public bool SameNames { get; }

    /// <summary>What rests on what now; null where it is to be found anew.</summary>
    public TieIndex? Ties { get; }

    /// <summary>What of the datacentre may be otherwise.</summary>
    public DatacentreChange Datacentre => _datacentre ??= new DatacentreChange(
        [.. Names(StatementKind.Domain).Select(one => new DomainRef(one.Owner, one.Name))],
        [.. Names(StatementKind.Compartment).Select(one => new CompartmentRef(one.Owner, one.Name))],
        [.. Names(StatementKind.Volume).Select(one => new VolumeRef(one.Owner, one.Name))]);

    /// <summary>The domains whose machines or volumes may be others.</summary>
    /// <param name="then">What was usable.</param>
    /// <param name="now">What is.</param>
    /// <param name="unjoined">Machines that flows left out then.</param>
    public HashSet<DomainRef> Summed(
        SettledModels then, SettledModels now, ImmutableHashSet<CompartmentRef> unjoined)
    {
        var models = new[] { then.Machinery, now.Machinery };
        return
        [
            .. Datacentre.Domains,
            .. Datacentre.Machines.Union(unjoined).SelectMany(machine => models
                .Select(one => one.Compartments.GetValueOrDefault(machine.ToString())).OfType<CompartmentModel>()
                .SelectMany(FlowMatrix.Domains)),
            .. Datacentre.Volumes.SelectMany(volume => models
                .Select(one => one.Volumes.GetValueOrDefault(volume.ToString())).OfType<VolumeModel>()
                .Select(one => one.Colour)),
        ];
    }

    /// <summary>What changed between an earlier check's statements and these documents, which are all there are.
    /// </summary>
    public static StatementChange? To(SettledStatements before, IReadOnlyCollection<PolicyDocument> documents)
    {
        var (seen, added) = (new HashSet<PolicyDocument>(documents.Count), new List<PolicyDocument>());
        foreach (var document in documents)
        {
            if (!seen.Add(document))
            {
                return null;
            }

            if (before.Entries.Find(Subject.Of(document.Origin))?.Documents.Contains(document) != true)
            {
                added.Add(document);
            }
        }

        var next = new Dictionary<Subject, StatementEntry?>();
        foreach (var (subject, entry) in before.Entries.All)
        {
            if (!entry.Documents.All(seen.Contains))
            {
                next[subject] = Joined(entry.Documents.Where(seen.Contains), []);
            }
        }

        foreach (var of in added.GroupBy(document => Subject.Of(document.Origin)))
        {
            var others = next.TryGetValue(of.Key, out var left) ? left : before.Entries.Find(of.Key);
            next[of.Key] = Joined(others?.Documents ?? [], of);
        }

        return Of(before, next);
    }

    /// <summary>What changes with these documents instead of those of the same subjects, and without others.</summary>
    public static StatementChange? To(
        SettledStatements before, IEnumerable<PolicyDocument> changed, IEnumerable<Subject> removed)
    {
        var next = removed.Distinct().ToDictionary(subject => subject, StatementEntry? (_) => null);
        foreach (var of in changed.GroupBy(document => Subject.Of(document.Origin)))
        {
            next[of.Key] = Joined([], of);
        }

        return Of(before, next);
    }

    private IEnumerable<(PartyId Owner, StatementName Name)> Names(StatementKind kind) => Touched
        .Where(subject => subject.Kind == kind)
        .Select(subject => (Entries.Find(subject) ?? Before.Entries.Find(subject))?.First.Origin)
        .OfType<StatementOrigin>().Select(origin => (origin.Owner, origin.Name));

    private static StatementEntry? Joined(IEnumerable<PolicyDocument> some, IEnumerable<PolicyDocument> others)
    {
        PolicyDocument[] all = [.. some, .. others];
        return all.Length == 0 ? null : new StatementEntry(all);
    }

    private static StatementChange? Of(SettledStatements before, Dictionary<Subject, StatementEntry?> next)
    {
        var moved = next.Where(one => one.Value is null != before.Entries.Find(one.Key) is null)
            .Select(one => one.Key).ToArray();
        if (next.Keys.Any(subject => !IsTenants(subject.Kind)) || moved.Any(subject => !HasRoot(before, subject.Owner)))
        {
            return null;
        }

        var entries = before.Entries.With(next);
        var now = next.Where(one => one.Value is not null)
            .Select(one => KeyValuePair.Create(one.Key, one.Value ?? throw new UnreachableException()));
        var ties = before.Ties.With(now);
        return Touch(before, entries, next.Keys, moved, ties ?? TieIndex.Of(entries.All)) is { } touched
            ? new StatementChange(before, entries, touched, moved.Length == 0, ties) : null;
    }

    /// <summary>What is touched; null where it is so much that everything is judged.</summary>
    private static HashSet<Subject>? Touch(
        SettledStatements before, Layered<Subject, StatementEntry> entries, IEnumerable<Subject> changed,
        Subject[] moved, TieIndex ties)
    {
        var most = FewJudged + (entries.Count / PartJudged);
        var touched = changed.ToHashSet();
        if (moved.Length > 0)
        {
            // Of a name that nothing has, the nearest is told that there is.
            var owners = moved.Select(subject => subject.Owner).ToHashSet();
            touched.UnionWith(before.Findings.Keys.Where(subject =>
                IsTenants(subject.Kind) && owners.Contains(subject.Owner)));
        }

        var queue = new Queue<Subject>(touched);
        while (queue.TryDequeue(out var subject))
        {
            var (then, now) = (before.Entries.Find(subject)?.Model, entries.Find(subject)?.Model);
            var given = Tie.GivenBy(subject, now);
            foreach (var other in (ReferenceEquals(then, now) ? given : given.Concat(Tie.GivenBy(subject, then)))
                .SelectMany(ties.On))
            {
                if (touched.Add(other))
                {
                    queue.Enqueue(other);
                }
            }

            if (touched.Count > most)
            {
                return null;
            }
        }

        return touched;
    }

    private static bool HasRoot(SettledStatements before, PartyId party) => StatementNames.RootKinds.Any(kind =>
        before.Entries.TryGetValue(Subject.Root(kind, party), out _));

    private static bool IsTenants(StatementKind kind) => kind is
        StatementKind.Domain or StatementKind.Compartment or StatementKind.Volume or StatementKind.Image;
}
