using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// One entry of a host's integrity log. It carries no time: what matters is the order, and a clock would let two hosts
/// that enforced the same write different logs. Strangers never see an entry, only its commitment
/// (<see cref="IntegrityOpening"/>).
/// </summary>
public sealed record IntegrityEntry
{
    /// <summary>The longest subject, in characters.</summary>
    public const int MaxSubjectLength = 200;

    private IntegrityEntry(
        long sequence, string kindName, IntegrityReaders readers, string subject, Digest32 digest)
    {
        Sequence = sequence;
        KindName = kindName;
        Readers = readers;
        Subject = subject;
        Digest = digest;
    }

    /// <summary>An entry of a kind that this version writes.</summary>
    /// <param name="sequence">Its number, from 0, without gaps, over all boots.</param>
    /// <param name="kind">What happens.</param>
    /// <param name="readers">Whom it concerns.</param>
    /// <param name="subject">What it happens to: a reference or a device's name, 1 to 200 characters.</param>
    /// <param name="digest">The commitment to what describes it in full (<see cref="IntegrityDetail"/>).</param>
    /// <exception cref="ArgumentException">The number or the subject is out of bounds.</exception>
    public IntegrityEntry(
        long sequence, IntegrityKind kind, IntegrityReaders readers, string subject, Digest32 digest)
        : this(sequence, kind.WireName(), readers, subject, digest)
    {
        ArgumentNullException.ThrowIfNull(readers);
        ArgumentNullException.ThrowIfNull(digest);
        ArgumentException.ThrowIfNullOrEmpty(subject);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(subject.Length, MaxSubjectLength);
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
    }

    /// <summary>Its number, from 0, without gaps, over all boots.</summary>
    public long Sequence { get; }

    /// <summary>The name of what happened, known to this version or not.</summary>
    public string KindName { get; }

    /// <summary>What happened; null for a kind that a newer host writes and this version does not know.</summary>
    public IntegrityKind? Kind => IntegrityKinds.Parse(KindName);

    /// <summary>Whom it concerns.</summary>
    public IntegrityReaders Readers { get; }

    /// <summary>What it happened to.</summary>
    public string Subject { get; }

    /// <summary>The commitment to what describes it in full.</summary>
    public Digest32 Digest { get; }

    /// <summary>Its canonical JSON, which is what is committed.</summary>
    /// <exception cref="ArgumentException">The subject is not well-formed Unicode.</exception>
    public byte[] Write() => CanonicalJson.Write(JsonSerializer.SerializeToElement(ToJson()));

    /// <summary>Reads canonical JSON; null for anything that <see cref="Write"/> would not have written.</summary>
    public static IntegrityEntry? Read(ReadOnlySpan<byte> canonical) =>
        CanonicalJson.ParseCanonical(canonical) is JsonReading.Understood { Root: var root } ? Read(root) : null;

    internal JsonObject ToJson() => new()
    {
        ["digest"] = Digest.Hex,
        ["kind"] = KindName,
        ["readers"] = Readers.Write(),
        ["sequence"] = Sequence,
        ["subject"] = Subject,
    };

    /// <summary>Reads a value that <see cref="CanonicalJson"/> has read.</summary>
    internal static IntegrityEntry? Read(JsonElement root) =>
        DocumentObject.Of(root) is { } value
        && value.HasExactly("digest", "kind", "readers", "sequence", "subject")
        && value.Digest("digest") is { } digest
        && value.Text("kind") is { } kind && IntegrityKinds.IsName(kind)
        && IntegrityReaders.Read(root.GetProperty("readers")) is { } readers
        && value.Count("sequence") is { } sequence
        && value.Text("subject") is { Length: > 0 and <= MaxSubjectLength } subject
            ? new IntegrityEntry(sequence, kind, readers, subject, digest)
            : null;
}
