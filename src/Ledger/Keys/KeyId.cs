using System.Diagnostics.CodeAnalysis;

namespace Bailiwick.Ledger.Keys;

/// <summary>The id of a public key: the SHA-256 digest of its SubjectPublicKeyInfo in DER, in lower-case hex.</summary>
public sealed record KeyId
{
    private KeyId(Digest32 digest) => Digest = digest;

    /// <summary>The digest of the key's SubjectPublicKeyInfo.</summary>
    public Digest32 Digest { get; }

    /// <summary>The first eight hexadecimal digits, for people; never compare these.</summary>
    public string Short => Digest.Hex[..8];

    /// <summary>The id of the key with this SubjectPublicKeyInfo (DER).</summary>
    public static KeyId OfSubjectPublicKeyInfo(ReadOnlySpan<byte> der) => new(Digest32.Of(der));

    /// <summary>Reads 64 lower-case hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? hex, [NotNullWhen(true)] out KeyId? id)
    {
        id = Digest32.TryParse(hex, out var digest) ? new KeyId(digest) : null;
        return id is not null;
    }

    /// <inheritdoc/>
    public override string ToString() => Digest.Hex;
}
