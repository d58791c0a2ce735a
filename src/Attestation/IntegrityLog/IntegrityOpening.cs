using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// What opens one commitment of the log: the entry and its salt. The commitment hides the entry from whoever has only
/// the digest, because nobody guesses 32 random bytes; and it binds, because SHA-256 does.
/// </summary>
/// <param name="Salt">32 random bytes, of this entry alone.</param>
/// <param name="Entry">The entry.</param>
public sealed record IntegrityOpening(ReadOnlyMemory<byte> Salt, IntegrityEntry Entry)
{
    /// <summary>Length of a salt, in bytes.</summary>
    public const int SaltBytes = LedgerLimits.SaltBytes;

    private static readonly byte[] Tag = "bailiwick integrity entry v1\0"u8.ToArray();

    /// <summary>
    /// What is chained and extended: SHA-256 over a tag of its own, the salt, and the entry's canonical JSON.
    /// </summary>
    /// <exception cref="ArgumentException">The salt has another length.</exception>
    public Digest32 Commitment()
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Salt.Length, SaltBytes);
        return Digest32.Of([.. Tag, .. Salt.Span, .. Entry.Write()]);
    }

    /// <summary>As JSON: the members entry and salt.</summary>
    public JsonElement Write() => JsonSerializer.SerializeToElement(ToJson());

    internal JsonObject ToJson() => new()
    {
        ["entry"] = Entry.ToJson(),
        ["salt"] = Convert.ToBase64String(Salt.Span),
    };

    /// <summary>Reads a value that a strict reader has read; null for any other form.</summary>
    public static IntegrityOpening? Read(JsonElement root) =>
        DocumentObject.Of(root) is { } value && value.HasExactly("entry", "salt")
        && value.Bytes("salt", SaltBytes) is { Length: SaltBytes } salt
        && IntegrityEntry.Read(root.GetProperty("entry")) is { } entry
            ? new IntegrityOpening(salt, entry)
            : null;
}

/// <summary>
/// What describes an entry in full: a plan, a reason, an observation. The entry carries only a commitment to it, with a
/// salt of its own, so that who may read the entry cannot guess the text from it.
/// </summary>
/// <param name="Salt">32 random bytes, of this text alone.</param>
/// <param name="Text">The text.</param>
public sealed record IntegrityDetail(ReadOnlyMemory<byte> Salt, string Text)
{
    private static readonly byte[] Tag = "bailiwick integrity detail v1\0"u8.ToArray();

    /// <summary>SHA-256 over a tag of its own, the salt, and the text in UTF-8.</summary>
    /// <exception cref="ArgumentException">The salt has another length.</exception>
    public Digest32 Digest()
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Salt.Length, IntegrityOpening.SaltBytes);
        return Digest32.Of([.. Tag, .. Salt.Span, .. Encoding.UTF8.GetBytes(Text)]);
    }
}
