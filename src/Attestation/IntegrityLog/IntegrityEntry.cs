using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// One entry of a host's integrity log. It carries no time: what matters is the order, and a clock would let two hosts
/// that enforced the same write different logs.
/// </summary>
/// <param name="Sequence">Its number, from 0, without gaps.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Subject">What it happened to: a reference text or a device's name, 1 to 200 characters.</param>
/// <param name="Digest">SHA-256 of what describes it in full: a plan, a verdict, an observation.</param>
public sealed record IntegrityEntry(long Sequence, IntegrityKind Kind, string Subject, Digest32 Digest)
{
    /// <summary>The longest subject, in characters.</summary>
    public const int MaxSubjectLength = 200;

    /// <summary>Its canonical JSON, which is what the chain hashes.</summary>
    /// <exception cref="ArgumentException">The subject is empty, too long or not well-formed Unicode.</exception>
    public byte[] Write()
    {
        ArgumentException.ThrowIfNullOrEmpty(Subject);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Subject.Length, MaxSubjectLength);
        ArgumentOutOfRangeException.ThrowIfNegative(Sequence);
        return CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["digest"] = Digest.Hex,
            ["kind"] = Kind.WireName(),
            ["sequence"] = Sequence,
            ["subject"] = Subject,
        }));
    }

    /// <summary>Reads canonical JSON; null for anything that <see cref="Write"/> would not have written.</summary>
    public static IntegrityEntry? Read(ReadOnlySpan<byte> canonical)
    {
        if (CanonicalJson.ParseCanonical(canonical) is not JsonReading.Understood { Root: var root }
            || DocumentObject.Of(root) is not { } value
            || !value.HasExactly("digest", "kind", "sequence", "subject"))
        {
            return null;
        }

        return value.Digest("digest") is { } digest
            && IntegrityKinds.Parse(value.Text("kind")) is { } kind
            && value.Count("sequence") is { } sequence
            && value.Text("subject") is { Length: > 0 and <= MaxSubjectLength } subject
                ? new IntegrityEntry(sequence, kind, subject, digest)
                : null;
    }
}
