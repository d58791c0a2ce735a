using System.Collections.Immutable;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation;

/// <summary>
/// Evidence of one host that a verifier checked against its own expectation. Only <see cref="EvidenceVerifier"/> makes
/// one; holding one is the proof. What it proves is limited by <see cref="Assurance"/>, which goes wherever it goes.
/// </summary>
public sealed class VerifiedEvidence
{
    private VerifiedEvidence(
        EvidenceClaims claims, PublicKey identityKey, Digest32 digest, ProvenState? proven,
        IntegrityReading.Followed? followed)
    {
        Followed = followed;
        Assurance = proven?.Key.Assurance ?? EvidenceAssurance.Software;
        Quote = proven?.Quote;
        Vendors = proven?.Key.Vendors;
        EndorsementKey = proven?.Key.EndorsementKey;
        Logs = proven?.Logs;
        Host = claims.Host;
        IdentityKey = identityKey;
        ChannelKey = claims.ChannelKey;
        Checkpoint = claims.Checkpoint;
        Boot = claims.Boot;
        IntegrityLog = claims.IntegrityLog;
        Nonce = claims.Nonce;
        TunnelKeys = claims.TunnelKeys;
        Digest = digest;
    }

    /// <summary>How well the host proved what it is.</summary>
    public EvidenceAssurance Assurance { get; }

    /// <summary>What the host's TPM quoted; null where the host has only its word.</summary>
    public VerifiedQuote? Quote { get; }

    /// <summary>What the logs beside the quote prove; null without a quote.</summary>
    public LogsReading.Explained? Logs { get; }

    /// <summary>What the quoted registers prove of the boot; null without a boot log.</summary>
    public BootFacts? BootFacts => Logs?.Boot;

    /// <summary>
    /// What they prove of everything run since the boot, or since what the verifier knew; null without a runtime log.
    /// </summary>
    public ExplainedRuntime? Runtime => Logs?.Runtime;

    /// <summary>The vendors that vouch for the TPM (<see cref="EnrolledKey.Vendors"/>), or null.</summary>
    public Digest32? Vendors { get; }

    /// <summary>The TPM that quoted (<see cref="EnrolledKey.EndorsementKey"/>); null without one.</summary>
    public Digest32? EndorsementKey { get; }

    /// <summary>The host, `operator id/name`.</summary>
    public string Host { get; }

    /// <summary>The identity key that signed.</summary>
    public PublicKey IdentityKey { get; }

    /// <summary>The key at the host's end of the channel.</summary>
    public PublicKey ChannelKey { get; }

    /// <summary>The newest ledger checkpoint the host had seen: the evidence was made after it.</summary>
    public EvidenceCheckpoint Checkpoint { get; }

    /// <summary>The host's boot, which changes whenever it starts anew.</summary>
    public Guid Boot { get; }

    /// <summary>What the host had enforced until then; with a quote, the value of the log's register.</summary>
    public IntegrityHead IntegrityLog { get; }

    /// <summary>The log up to that head, as far as it was shown and is this verifier's to read; null if not followed.
    /// </summary>
    public IntegrityReading.Followed? Followed { get; }

    /// <summary>The nonce it carries, possibly empty.</summary>
    public ReadOnlyMemory<byte> Nonce { get; }

    /// <summary>The keys of its encrypted tunnels that it showed this verifier.</summary>
    public ImmutableArray<TunnelKey> TunnelKeys { get; }

    /// <summary>SHA-256 of the signed payload.</summary>
    public Digest32 Digest { get; }

    /// <summary>Judges a domain's demands on the logs, from what the verifier knew of this boot on.</summary>
    public AppraisalReport Appraise(IReadOnlyList<Predicate> demands) =>
        Logs?.Appraise(demands) ?? Appraisal.Judge(demands, null, null);

    // Only EvidenceVerifier calls this, after its last check.
    internal static VerifiedEvidence After(
        EvidenceClaims claims, PublicKey identityKey, Digest32 digest, ProvenState? proven,
        IntegrityReading.Followed? followed) =>
        new(claims, identityKey, digest, proven, followed);
}

/// <summary>A quote that was verified, the enrolled key that made it, and what the logs explain of it.</summary>
internal sealed record ProvenState(VerifiedQuote Quote, EnrolledKey Key, LogsReading.Explained? Logs);
