using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// What an integrity log comes down to: how many entries it has, and a chain hash over those of this boot,
/// `SHA-256(previous || commitment)` from 32 zero bytes. That is how a TPM extends a register (TPM 2.0 Part 1, section
/// 17.2), so the chain hash is what the log's register holds. Whoever knows a head notices any entry changed, dropped,
/// added or moved before it. The first entry of a boot is its own; what was before is bound by that entry's detail.
/// </summary>
/// <param name="Entries">How many entries, over all boots.</param>
/// <param name="Digest">The chain hash since the boot.</param>
public sealed record IntegrityHead(long Entries, Digest32 Digest)
{
    /// <summary>What a register holds after a boot, before the first entry.</summary>
    public static Digest32 Zero { get; } = Digest32.FromBytes(new byte[Digest32.Length]);

    /// <summary>The head of a log without entries.</summary>
    public static IntegrityHead Empty { get; } = new(0, Zero);

    /// <summary>The head after one more entry.</summary>
    /// <param name="commitment">The commitment to the entry.</param>
    public IntegrityHead Extend(Digest32 commitment)
    {
        ArgumentNullException.ThrowIfNull(commitment);
        Span<byte> both = stackalloc byte[2 * Digest32.Length];
        Digest.Bytes.CopyTo(both);
        commitment.Bytes.CopyTo(both[Digest32.Length..]);
        return new IntegrityHead(Entries + 1, Digest32.FromBytes(SHA256.HashData(both)));
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Entries} entries, {Digest}";
}

/// <summary>How far a verifier has followed one host's log; it goes on from there.</summary>
/// <param name="Boot">The boot.</param>
/// <param name="First">The number of the boot's own entry, where the chain begins.</param>
/// <param name="Head">The head until which everything was verified.</param>
public sealed record IntegrityPosition(Guid Boot, long First, IntegrityHead Head)
{
    /// <summary>As JSON: the members boot, entries, first, head.</summary>
    public JsonElement Write() => JsonSerializer.SerializeToElement(ToJson());

    /// <summary>Reads a value that a strict reader has read; null for any other form.</summary>
    public static IntegrityPosition? Read(JsonElement root) =>
        DocumentObject.Of(root) is { } value && value.HasExactly("boot", "entries", "first", "head")
        && value.Text("boot") is { } text && Guid.TryParseExact(text, "D", out Guid boot) && boot.ToString("D") == text
        && value.Count("entries") is { } entries && value.Count("first") is { } first && first < entries
        && value.Digest("head") is { } head
            ? new IntegrityPosition(boot, first, new IntegrityHead(entries, head))
            : null;

    internal JsonObject ToJson() => new()
    {
        ["boot"] = Boot.ToString("D"),
        ["entries"] = Head.Entries,
        ["first"] = First,
        ["head"] = Head.Digest.Hex,
    };
}
