using System.Collections.Immutable;
using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// All statements of one check, what has been found, and which of them are left out. Of a check that goes on from
/// another, those alone are judged whose verdict a change can touch; of the others what was found is kept.
/// </summary>
internal sealed class StatementSet
{
    private readonly Layered<Subject, StatementEntry> _entries;
    private readonly ImmutableArray<Subject> _judged;
    private readonly ImmutableDictionary<Subject, ImmutableArray<Finding>> _kept;
    private readonly ImmutableHashSet<Subject> _keptOut;
    private readonly Dictionary<Subject, List<Finding>> _found = [];
    private readonly HashSet<Subject> _leftOut = [];
    private readonly List<Finding> _late = [];
    private readonly Lazy<StatementNames> _names;
    private bool _isSettled;

    private StatementSet(Layered<Subject, StatementEntry> entries)
    {
        _entries = entries;
        _judged = [.. entries.All.Select(entry => entry.Key).Order()];
        (_kept, _keptOut) = (ImmutableDictionary<Subject, ImmutableArray<Finding>>.Empty, []);
        _names = StatementNames.Of(entries);
    }

    private StatementSet(StatementChange change)
    {
        _entries = change.Entries;
        _judged = change.Judged;
        _kept = change.Before.Findings.RemoveRange(change.Touched);
        _keptOut = change.Before.LeftOut.Except(change.Touched);
        _names = change.SameNames ? change.Before.Names : StatementNames.Of(_entries);
    }

    /// <summary>What has been found since the statements were settled.</summary>
    public IReadOnlyList<Finding> Late => _late;

    /// <summary>Everything found so far.</summary>
    public IEnumerable<Finding> Findings =>
        _kept.Values.SelectMany(those => those).Concat(_found.Values.SelectMany(those => those)).Concat(_late);

    /// <summary>Reads every document by its kind. Two documents of one subject are both left out.</summary>
    public static StatementSet Read(IEnumerable<PolicyDocument> documents)
    {
        var entries = new Dictionary<Subject, StatementEntry>();
        foreach (var document in documents)
        {
            var subject = Subject.Of(document.Origin);
            entries[subject] = entries.TryGetValue(subject, out var other)
                ? new StatementEntry(other.Documents.Append(document)) : new StatementEntry(document);
        }

        return Judged(new StatementSet(Layered<Subject, StatementEntry>.Of(entries)));
    }

    /// <summary>The same statements but for a change.</summary>
    public static StatementSet After(StatementChange change) => Judged(new StatementSet(change));

    /// <summary>
    /// Every statement of a kind that is judged in this check and not left out, in the order of their subjects.
    /// </summary>
    public IEnumerable<(PolicyDocument Document, T Model)> Usable<T>() where T : class
    {
        foreach (var subject in _judged)
        {
            if (_entries.Find(subject) is { Model: T typed } entry && !IsLeftOut(subject))
            {
                yield return (entry.First, typed);
            }
        }
    }

    /// <summary>True if the party has said anything at all.</summary>
    public bool Knows(PartyId party) => _names.Value.Knows(party);

    /// <summary>True if there is a statement of this subject, usable or not.</summary>
    public bool Declares(StatementKind kind, PartyId owner, StatementName name) =>
        _entries.TryGetValue(new Subject(kind, owner, name.Text), out _);

    /// <summary>True if there is a usable statement of this subject.</summary>
    public bool Has(StatementKind kind, PartyId owner, StatementName name)
    {
        var subject = new Subject(kind, owner, name.Text);
        return _entries.Find(subject) is { Model: not null } && !IsLeftOut(subject);
    }

    /// <summary>The usable statement of this subject, or null.</summary>
    public T? Find<T>(StatementKind kind, PartyId owner, StatementName name) where T : class =>
        Find<T>(new Subject(kind, owner, name.Text));

    /// <summary>The usable statement of this subject, or null.</summary>
    public T? Find<T>(Subject subject) where T : class =>
        _entries.Find(subject)?.Model is T typed && !IsLeftOut(subject) ? typed : null;

    /// <summary>The names of a party's statements of a kind.</summary>
    public IEnumerable<string> Names(StatementKind kind, PartyId owner) => _names.Value.Of(kind, owner);

    /// <summary>Says what is wrong with a statement that stays.</summary>
    public void Note(StatementOrigin about, FindingCode code, string pointer, string sentence)
    {
        var subject = Subject.Of(about);
        Add(subject, Document(subject).Fault(code, pointer, sentence));
    }

    /// <summary>Says what is wrong with a statement, and leaves it out.</summary>
    public void Reject(StatementOrigin about, FindingCode code, string pointer, string sentence)
    {
        Note(about, code, pointer, sentence);
        _leftOut.Add(Subject.Of(about));
    }

    /// <summary>
    /// Demands a usable statement of the same tenant; without it the statement that needs it is left out too.
    /// </summary>
    public void Need(
        StatementOrigin about, StatementKind kind, StatementName name, FindingCode unknown, string pointer)
    {
        if (Has(kind, about.Owner, name))
        {
            return;
        }

        if (Declares(kind, about.Owner, name))
        {
            Reject(
                about, FindingCode.DependsOnLeftOut, pointer,
                $"{kind} {name} has findings of its own and is left out, and this with it. Mend it first.");
            return;
        }

        Reject(about, unknown, pointer, Missing(kind, about.Owner, name.Text));
    }

    /// <summary>A sentence on a name that nothing has.</summary>
    public string Missing(StatementKind kind, PartyId owner, string name)
    {
        var near = Quoted.Nearest(name, Names(kind, owner));
        return $"There is no {kind} {name}" + (near is null ? "." : $"; did you mean {near}?");
    }

    /// <summary>
    /// What the statements are by themselves and beside each other. What is found from here on, by flows and sums, is
    /// found anew by each check.
    /// </summary>
    public SettledStatements Settled()
    {
        _isSettled = true;
        return new SettledStatements(
            _entries,
            _kept.SetItems(_found.Select(one => KeyValuePair.Create(one.Key, one.Value.ToImmutableArray()))),
            _keptOut.Union(_leftOut), _names);
    }

    /// <summary>Adds what an earlier check found where nothing changed.</summary>
    public void Again(IEnumerable<Finding> findings) => _late.AddRange(findings);

    private static StatementSet Judged(StatementSet statements)
    {
        foreach (var subject in statements._judged)
        {
            statements.ByItself(subject);
        }

        return statements;
    }

    private PolicyDocument Document(Subject subject) =>
        (_entries.Find(subject) ?? throw new InvalidOperationException($"{subject} is no statement here.")).First;

    private bool IsLeftOut(Subject subject) => _leftOut.Contains(subject) || _keptOut.Contains(subject);

    private void Add(Subject subject, Finding finding)
    {
        if (_isSettled)
        {
            _late.Add(finding);
        }
        else if (_found.TryGetValue(subject, out var those))
        {
            those.Add(finding);
        }
        else
        {
            _found[subject] = [finding];
        }
    }

    private void ByItself(Subject subject)
    {
        if (_entries.Find(subject) is not { } entry)
        {
            return;
        }

        var (documents, first) = (entry.Documents, entry.First);
        foreach (var document in documents)
        {
            foreach (var finding in document.Reading.Findings)
            {
                Add(subject, finding);
            }

            if (documents.Length > 1)
            {
                Add(subject, document.Fault(
                    FindingCode.DuplicateStatement, "",
                    $"{subject.Kind} {document.Origin.Name} is described {documents.Length} times, first at "
                    + $"{first.File}:{first.Origin.Line}. Keep one."));
            }
        }

        StatementKind[] roots = [.. Roots(subject.Owner)];
        if (roots.Length > 0 && !(roots.Length == 1 && roots[0] == subject.Kind.OwnerRoot()))
        {
            Reject(
                first.Origin, FindingCode.KindNotOfParty, "",
                roots.Length > 1
                    ? "A party is either a tenant or a datacentre's operator; this one says it is both."
                    : $"A {subject.Kind} belongs to a {subject.Kind.OwnerRoot()}, but this party is a {roots[0]}.");
        }
    }

    private IEnumerable<StatementKind> Roots(PartyId party) => StatementNames.RootKinds.Where(kind =>
        _entries.TryGetValue(Subject.Root(kind, party), out _));
}

/// <summary>What statements are by themselves and beside each other, before flows and sums are looked at.</summary>
/// <param name="Entries">All of them.</param>
/// <param name="Findings">What was found, by the statement that it is told of.</param>
/// <param name="LeftOut">Those left out.</param>
/// <param name="Names">The names that there are.</param>
internal sealed record SettledStatements(
    Layered<Subject, StatementEntry> Entries, ImmutableDictionary<Subject, ImmutableArray<Finding>> Findings,
    ImmutableHashSet<Subject> LeftOut, Lazy<StatementNames> Names)
{
    private TieIndex? _ties;

    /// <summary>What rests on what. Found when first asked for, since not every check is gone on from.</summary>
    public TieIndex Ties => _ties ??= TieIndex.Of(Entries.All);

    /// <summary>Takes those of the check before, with what changed; without, they are found when asked for.</summary>
    public void GoOnFrom(TieIndex? ties) => _ties = ties;
}
