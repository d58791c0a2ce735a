using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation;

/// <summary>
/// What one verifier demands of evidence, all from its own knowledge: nothing here comes from the host or from whoever
/// carried the evidence.
/// </summary>
public sealed record EvidenceExpectation
{
    /// <summary>The host that is asked about, `operator id/name`.</summary>
    public required string Host { get; init; }

    /// <summary>The identity key in the operator's newest Host statement that the verifier verified.</summary>
    public required PublicKey IdentityKey { get; init; }

    /// <summary>The id of the key at the channel's other end; null only where evidence comes from an archive.</summary>
    public required KeyId? ChannelKey { get; init; }

    /// <summary>The verifier's own history of the log.</summary>
    public required CheckpointRule Checkpoint { get; init; }

    /// <summary>
    /// SHA-256 of the endorsement key's SubjectPublicKeyInfo in the same Host statement; null when it states no TPM.
    /// </summary>
    public required Digest32? EndorsementKey { get; init; }

    /// <summary>The key that must have quoted, as enrolled for this verifier's tenant; null when none is.</summary>
    public required EnrolledKey? Enrolment { get; init; }

    /// <summary>The TPM's clock in the last evidence accepted; null for the first.</summary>
    public TpmClockInfo? LastSeen { get; init; }

    /// <summary>
    /// What the verifier holds of the host's boot, from which the logs may go on; null when they must be whole.
    /// </summary>
    public KnownBoot? Known { get; init; }

    /// <summary>
    /// What the verifier brings along to follow the host's integrity log, which must then be shown; null where it is
    /// not followed. That the stated head is the quoted register's value is demanded in any case.
    /// </summary>
    public required IntegrityDemand? IntegrityLog { get; init; }

    /// <summary>The nonce the verifier gave for this; null where freshness rests on the checkpoint alone.</summary>
    public required ReadOnlyMemory<byte>? Nonce { get; init; }
}

/// <summary>
/// Freshness without a clock: nobody can name a future checkpoint, so evidence over a checkpoint was made after it.
/// The evidence's checkpoint must lie in the verifier's own history, and be no older than one that the verifier chose.
/// </summary>
/// <param name="Origin">The log.</param>
/// <param name="OldestSize">The size of the oldest checkpoint that the verifier takes.</param>
/// <param name="Judge">How a checkpoint stands to the verifier's own history.</param>
public sealed record CheckpointRule(string Origin, long OldestSize, Func<EvidenceCheckpoint, CheckpointStanding> Judge);

/// <summary>How a checkpoint stands to a verifier's own history of the log. Closed.</summary>
public enum CheckpointStanding
{
    /// <summary>It is part of the history: the same root was seen, or a consistency proof leads to it.</summary>
    Consistent = 1,

    /// <summary>It is newer than the history reaches.</summary>
    Ahead,

    /// <summary>It is not part of the history.</summary>
    Inconsistent,
}
