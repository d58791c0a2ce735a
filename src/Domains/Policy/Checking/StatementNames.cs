using System.Collections.Frozen;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>The names of all statements by kind and party, usable or not: for those who look for a near one.</summary>
internal sealed class StatementNames
{
    private readonly ILookup<(StatementKind, PartyId), string> _names;
    private readonly FrozenSet<PartyId> _parties;

    private StatementNames(Layered<Subject, StatementEntry> entries)
    {
        _names = entries.All.ToLookup(entry => (entry.Key.Kind, entry.Key.Owner), entry => entry.Key.Name);
        _parties = entries.All.Select(entry => entry.Key.Owner).ToFrozenSet();
    }

    /// <summary>The kinds that make a party what it is.</summary>
    public static IEnumerable<StatementKind> RootKinds { get; } = [.. StatementKinds.All.Where(kind => kind.IsRoot())];

    /// <summary>Found when first asked for: where every name is right, nobody asks.</summary>
    public static Lazy<StatementNames> Of(Layered<Subject, StatementEntry> entries) =>
        new(() => new StatementNames(entries));

    /// <summary>Whether a party has said anything at all.</summary>
    public bool Knows(PartyId party) => _parties.Contains(party);

    /// <summary>Those of one kind and party, in their order.</summary>
    public IEnumerable<string> Of(StatementKind kind, PartyId party) =>
        _names[(kind, party)].Order(StringComparer.Ordinal);
}
