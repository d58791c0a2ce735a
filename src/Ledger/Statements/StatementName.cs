using System.Diagnostics.CodeAnalysis;

namespace Bailiwick.Ledger.Statements;

/// <summary>
/// The name of a subject among its owner's subjects of one kind: a lower-case letter, then up to 39 lower-case
/// letters, digits or hyphens, the last of which is not a hyphen. ASCII only, so no two names look alike.
/// </summary>
public sealed record StatementName : IComparable<StatementName>
{
    // Names are looked up far more often than they are read.
    private readonly int _hash;

    private StatementName(string text) => (Text, _hash) = (text, text.GetHashCode(StringComparison.Ordinal));

    /// <summary>The name.</summary>
    public string Text { get; }

    /// <summary>Reads a name; false for anything that is not one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out StatementName? name)
    {
        name = IsName(text) ? new StatementName(text) : null;
        return name is not null;
    }

    /// <summary>Reads a name that the program itself wrote.</summary>
    /// <exception cref="FormatException">The text is not a name.</exception>
    public static StatementName Parse(string text) => TryParse(text, out var name)
        ? name
        : throw new FormatException($"'{text}' is not a statement name: [a-z][a-z0-9-]{{0,39}}, no final hyphen.");

    /// <summary>Orders names by their characters.</summary>
    public int CompareTo(StatementName? other) => string.CompareOrdinal(Text, other?.Text);

    /// <inheritdoc/>
    public bool Equals(StatementName? other) => ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && string.Equals(Text, other.Text, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Sorts before.</summary>
    public static bool operator <(StatementName left, StatementName right) => left.CompareTo(right) < 0;

    /// <summary>Sorts before or equal.</summary>
    public static bool operator <=(StatementName left, StatementName right) => left.CompareTo(right) <= 0;

    /// <summary>Sorts after.</summary>
    public static bool operator >(StatementName left, StatementName right) => left.CompareTo(right) > 0;

    /// <summary>Sorts after or equal.</summary>
    public static bool operator >=(StatementName left, StatementName right) => left.CompareTo(right) >= 0;

    private static bool IsName([NotNullWhen(true)] string? text)
    {
        if (text is null || text.Length is 0 or > LedgerLimits.NameLength || text[^1] == '-')
        {
            return false;
        }

        foreach (var c in text)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
            {
                return false;
            }
        }

        return text[0] is >= 'a' and <= 'z';
    }
}
