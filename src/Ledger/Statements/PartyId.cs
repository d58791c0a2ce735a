using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Bailiwick.Ledger.Statements;

/// <summary>
/// The id of a party (a tenant, or a datacentre's operator): the SHA-256 digest of the payload of its first root
/// statement. Whoever holds the id can check that statement, and from it every later root; no one assigns ids.
/// </summary>
public sealed record PartyId : IComparable<PartyId>
{
    private PartyId(Digest32 digest) => Digest = digest;

    /// <summary>The digest.</summary>
    public Digest32 Digest { get; }

    /// <summary>The first eight hexadecimal digits, for people; never compare these.</summary>
    public string Short => Digest.Hex[..8];

    /// <summary>Reads 64 lower-case hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? hex, [NotNullWhen(true)] out PartyId? id)
    {
        id = Digest32.TryParse(hex, out var digest) ? new PartyId(digest) : null;
        return id is not null;
    }

    /// <summary>The id of the party whose first root statement has this payload.</summary>
    public static PartyId OfFirstRoot(ReadOnlySpan<byte> payload) => new(Digest32.Of(payload));

    /// <summary>
    /// A stand-in for the owner of documents that nobody has signed yet, for checking them offline. No payload hashes
    /// to it, so no statement is ever accepted from it.
    /// </summary>
    public static PartyId Unsigned(string name) =>
        new(Digest32.Of(Encoding.UTF8.GetBytes("bailiwick unsigned party\0" + name)));

    /// <summary>Orders ids as their hexadecimal forms sort.</summary>
    public int CompareTo(PartyId? other) => Digest.CompareTo(other?.Digest);

    /// <inheritdoc/>
    public bool Equals(PartyId? other) =>
        ReferenceEquals(this, other) || (other is not null && Digest.Equals(other.Digest));

    /// <inheritdoc/>
    public override int GetHashCode() => Digest.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => Digest.Hex;

    /// <summary>Sorts before.</summary>
    public static bool operator <(PartyId left, PartyId right) => left.CompareTo(right) < 0;

    /// <summary>Sorts before or equal.</summary>
    public static bool operator <=(PartyId left, PartyId right) => left.CompareTo(right) <= 0;

    /// <summary>Sorts after.</summary>
    public static bool operator >(PartyId left, PartyId right) => left.CompareTo(right) > 0;

    /// <summary>Sorts after or equal.</summary>
    public static bool operator >=(PartyId left, PartyId right) => left.CompareTo(right) >= 0;
}
