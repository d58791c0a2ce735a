using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Statements;

/// <summary>
/// A statement whose signatures, threshold and place in its owner's chain were checked. Only
/// <see cref="StatementBook.Consider"/> makes one; holding one is the proof.
/// </summary>
public sealed class VerifiedStatement
{
    private VerifiedStatement(Candidate candidate, ImmutableArray<KeyId> signedBy)
    {
        Kind = candidate.Payload.Kind;
        Owner = candidate.Owner;
        Name = candidate.Payload.Name;
        Revision = candidate.Payload.Revision;
        Digest = candidate.Digest;
        Previous = candidate.Payload.Previous;
        Issued = candidate.Payload.Issued;
        Body = candidate.Payload.Body;
        Payload = candidate.Envelope.PayloadMemory;
        EnvelopeBytes = candidate.EnvelopeBytes;
        SignedBy = signedBy;
    }

    /// <summary>What it is about.</summary>
    public StatementKind Kind { get; }

    /// <summary>Whose it is. For the first root of a party, the party itself.</summary>
    public PartyId Owner { get; }

    /// <summary>The subject's name among its owner's subjects of this kind.</summary>
    public StatementName Name { get; }

    /// <summary>The revision, from 1.</summary>
    public long Revision { get; }

    /// <summary>SHA-256 of the payload; the statement's identity.</summary>
    public Digest32 Digest { get; }

    /// <summary>The digest of the revision before, or null for revision 1.</summary>
    public Digest32? Previous { get; }

    /// <summary>When its author says it was written. For people; nothing is decided by it.</summary>
    public string Issued { get; }

    /// <summary>The body.</summary>
    public JsonElement Body { get; }

    /// <summary>The payload's bytes, canonical JSON.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>The envelope's bytes as they were considered, canonical JSON.</summary>
    public ReadOnlyMemory<byte> EnvelopeBytes { get; }

    /// <summary>The distinct keys that signed, in the order of the envelope.</summary>
    public ImmutableArray<KeyId> SignedBy { get; }

    /// <summary>
    /// Checks the signatures: each by another key, each key known, each valid, and enough of them. A new root needs a
    /// threshold of the root before it and of itself (TUF specification, section 5.3.4).
    /// </summary>
    /// <param name="candidate">The statement.</param>
    /// <param name="inForce">The owner's root in force.</param>
    /// <param name="next">The keys that the statement would put in force, or null.</param>
    internal static Outcome Verify(Candidate candidate, RootKeys inForce, RootKeys? next)
    {
        var keys = new Dictionary<KeyId, PublicKey>();
        foreach (var signature in candidate.Envelope.Signatures)
        {
            if (keys.ContainsKey(signature.Key))
            {
                return new Outcome.Refused(
                    StatementRefusal.DuplicateSignature,
                    $"The key {signature.Key.Short} signed twice; a key counts once.");
            }

            if ((inForce.Find(signature.Key) ?? next?.Find(signature.Key)) is not { } key)
            {
                return new Outcome.Refused(
                    StatementRefusal.UnknownKey,
                    $"The key {signature.Key.Short} is not in the root in force of {candidate.Owner.Short}.");
            }

            keys.Add(signature.Key, key);
        }

        var signed = Envelope.PreAuthEncoding(candidate.Envelope.PayloadType, candidate.Envelope.Payload);
        foreach (var signature in candidate.Envelope.Signatures)
        {
            if (!keys[signature.Key].Verifies(signed, signature.Value.AsSpan()))
            {
                return new Outcome.Refused(
                    StatementRefusal.InvalidSignature, $"The signature by {signature.Key.Short} does not verify.");
            }
        }

        var shortfall = Shortfall(keys.Keys, inForce, StatementRefusal.BelowThreshold, "the root in force");
        if (shortfall is null && next is not null)
        {
            shortfall = Shortfall(keys.Keys, next, StatementRefusal.BelowNewThreshold, "the new root");
        }

        return shortfall is null
            ? new Outcome.Verified(
                new VerifiedStatement(candidate, [.. candidate.Envelope.Signatures.Select(one => one.Key)]))
            : shortfall;
    }

    private static Outcome.Refused? Shortfall(
        IReadOnlyCollection<KeyId> signed, RootKeys root, StatementRefusal reason, string which) =>
        root.Count(signed) >= root.Threshold
            ? null
            : new Outcome.Refused(
                reason, $"{root.Count(signed)} keys of {which} signed, and it asks for {root.Threshold}.");

    /// <summary>The outcome of <see cref="Verify"/>.</summary>
    internal abstract record Outcome
    {
        private Outcome()
        {
        }

        /// <summary>The signatures suffice.</summary>
        public sealed record Verified(VerifiedStatement Statement) : Outcome;

        /// <summary>They do not.</summary>
        public sealed record Refused(StatementRefusal Reason, string Sentence) : Outcome;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {Owner.Short}/{Name} revision {Revision}";
}
