using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>The subject of a statement. Roots have one subject per party, whatever they call themselves.</summary>
internal sealed record Subject(StatementKind Kind, PartyId Owner, string Name)
{
    public static Subject Of(StatementOrigin origin) =>
        new(origin.Kind, origin.Owner, origin.Kind.IsRoot() ? "" : origin.Name.Text);
}

/// <summary>All statements of one check, what has been found, and which of them are left out.</summary>
internal sealed class StatementSet
{
    private readonly SortedDictionary<string, (PolicyDocument Document, object? Model)> _bySubject =
        new(StringComparer.Ordinal);
    private readonly HashSet<string> _leftOut = new(StringComparer.Ordinal);
    private readonly Dictionary<(StatementKind, PartyId), List<string>> _names = [];
    private readonly HashSet<PartyId> _parties = [];
    private readonly List<Finding> _findings = [];

    private StatementSet() { }

    /// <summary>Everything found so far.</summary>
    public IReadOnlyList<Finding> Findings => _findings;

    /// <summary>Reads every document by its kind. Two documents of one subject are both left out.</summary>
    public static StatementSet Read(IEnumerable<PolicyDocument> documents)
    {
        var statements = new StatementSet();
        var ofParty = documents.ToLookup(document => document.Origin.Owner);
        foreach (var party in ofParty)
        {
            var roots = party.Select(document => document.Origin.Kind).Where(kind =>
                kind.IsRoot()).Distinct().ToArray();
            foreach (var subject in party.GroupBy(document => Subject.Of(document.Origin)))
            {
                statements.Add(subject.Key, [.. subject], roots);
            }
        }

        return statements;
    }

    /// <summary>Every statement of a kind that is not left out, by its subject's reference.</summary>
    public IEnumerable<(PolicyDocument Document, T Model)> Usable<T>() where T : class
    {
        foreach (var (key, (document, model)) in _bySubject)
        {
            if (model is T typed && !_leftOut.Contains(key))
            {
                yield return (document, typed);
            }
        }
    }

    /// <summary>True if the party has said anything at all.</summary>
    public bool Knows(PartyId party) => _parties.Contains(party);

    /// <summary>True if there is a statement of this subject, usable or not.</summary>
    public bool Declares(StatementKind kind, PartyId owner, StatementName name) =>
        _bySubject.ContainsKey(Key(new Subject(kind, owner, name.Text)));

    /// <summary>True if there is a usable statement of this subject.</summary>
    public bool Has(StatementKind kind, PartyId owner, StatementName name)
    {
        var key = Key(new Subject(kind, owner, name.Text));
        return _bySubject.TryGetValue(key, out var entry) && entry.Model is not null && !_leftOut.Contains(key);
    }

    /// <summary>The usable statement of this subject, or null.</summary>
    public T? Find<T>(StatementKind kind, PartyId owner, StatementName name) where T : class
    {
        var key = Key(new Subject(kind, owner, name.Text));
        return _bySubject.TryGetValue(key, out var entry) && entry.Model is T typed && !_leftOut.Contains(key)
            ? typed : null;
    }

    /// <summary>The names of a party's statements of a kind.</summary>
    public IEnumerable<string> Names(StatementKind kind, PartyId owner) =>
        _names.GetValueOrDefault((kind, owner), []).Order(StringComparer.Ordinal);

    /// <summary>Says what is wrong with a statement that stays.</summary>
    public void Note(StatementOrigin about, FindingCode code, string pointer, string sentence) =>
        _findings.Add(_bySubject[Key(Subject.Of(about))].Document.Fault(code, pointer, sentence));

    /// <summary>Says what is wrong with a statement, and leaves it out.</summary>
    public void Reject(StatementOrigin about, FindingCode code, string pointer, string sentence)
    {
        Note(about, code, pointer, sentence);
        _leftOut.Add(Key(Subject.Of(about)));
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

    private static string Key(Subject subject) => $"{(int)subject.Kind} {subject.Owner}/{subject.Name}";

    private void Add(Subject subject, List<PolicyDocument> documents, StatementKind[] roots)
    {
        var key = Key(subject);
        var first = documents.OrderBy(document => document.File, StringComparer.Ordinal)
            .ThenBy(document => document.Origin.Line).First();
        _parties.Add(subject.Owner);
        if (!_names.TryGetValue((subject.Kind, subject.Owner), out var names))
        {
            _names[(subject.Kind, subject.Owner)] = names = [];
        }

        names.Add(first.Origin.Name.Text);
        foreach (var document in documents)
        {
            var reading = document.Reading;
            _findings.AddRange(reading.Findings);
            _bySubject[key] = (document, documents.Count == 1 ? reading.Model : null);
            if (documents.Count > 1)
            {
                _findings.Add(document.Fault(
                    FindingCode.DuplicateStatement, "",
                    $"{subject.Kind} {document.Origin.Name} is described {documents.Count} times, first at "
                    + $"{first.File}:{first.Origin.Line}. Keep one."));
            }
        }

        if (documents.Count > 1)
        {
            _bySubject[key] = (first, null);
        }

        if (roots.Length > 0 && !(roots.Length == 1 && roots[0] == subject.Kind.OwnerRoot()))
        {
            Reject(
                first.Origin, FindingCode.KindNotOfParty, "",
                roots.Length > 1
                    ? "A party is either a tenant or a datacentre's operator; this one says it is both."
                    : $"A {subject.Kind} belongs to a {subject.Kind.OwnerRoot()}, but this party is a {roots[0]}.");
        }
    }
}
