using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>The subject of a statement. Roots have one subject per party, whatever they call themselves.</summary>
internal readonly record struct Subject(StatementKind Kind, PartyId Owner, string Name) : IComparable<Subject>
{
    public static Subject Of(StatementOrigin origin) =>
        new(origin.Kind, origin.Owner, origin.Kind.IsRoot() ? "" : origin.Name.Text);

    /// <summary>The root of a party.</summary>
    public static Subject Root(StatementKind kind, PartyId owner) => new(kind, owner, "");

    public int CompareTo(Subject other)
    {
        var kind = Kind.CompareTo(other.Kind);
        var owner = kind != 0 ? kind : Owner.CompareTo(other.Owner);
        return owner != 0 ? owner : string.CompareOrdinal(Name, other.Name);
    }
}

/// <summary>What there is of one subject: more than one document only by mistake.</summary>
internal sealed class StatementEntry
{
    public StatementEntry(IEnumerable<PolicyDocument> documents) => Documents =
        [.. documents.OrderBy(one => one.File, StringComparer.Ordinal).ThenBy(one => one.Origin.Line)];

    public StatementEntry(PolicyDocument document) => Documents = [document];

    /// <summary>By file and line.</summary>
    public ImmutableArray<PolicyDocument> Documents { get; }

    /// <summary>The document that findings are told of.</summary>
    public PolicyDocument First => Documents[0];

    /// <summary>What it says; null where it cannot be read, or is said twice.</summary>
    public object? Model => Documents.Length == 1 ? First.Reading.Model : null;
}
