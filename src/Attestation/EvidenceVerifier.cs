using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation;

/// <summary>Checks evidence against one verifier's expectation and reports every reason against it.</summary>
public static class EvidenceVerifier
{
    /// <summary>Judges evidence; never throws for what the bytes contain.</summary>
    /// <param name="envelopeJson">A DSSE envelope as canonical JSON.</param>
    /// <param name="expectation">What this verifier demands.</param>
    /// <param name="logs">The logs that came with it.</param>
    /// <param name="keys">This verifier's opened keys.</param>
    public static EvidenceVerdict Verify(
        ReadOnlySpan<byte> envelopeJson, EvidenceExpectation expectation, EvidenceLogs logs, VerifierKeyCache keys)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ArgumentNullException.ThrowIfNull(expectation);
        ArgumentNullException.ThrowIfNull(keys);
        if (EvidenceDocument.Read(envelopeJson, out string fault) is not { } read)
        {
            return new EvidenceVerdict.Refused([new EvidenceRefusal(EvidenceRefusalCode.Malformed, fault)]);
        }

        var refusals = ImmutableArray.CreateBuilder<EvidenceRefusal>();
        CheckSigner(read.Document, expectation, refusals);
        CheckSubject(read.Claims, expectation, refusals);
        CheckCheckpoint(read.Claims.Checkpoint, expectation.Checkpoint, refusals);
        CheckNonce(read.Claims, expectation, refusals);
        ProvenState? proven = read.Claims.Tpm is { } tpm
            ? new TpmCase(expectation, logs, keys, refusals).Check(tpm, read.Claims)
            : null;
        if (read.Claims.Tpm is null && logs.After is not null)
        {
            refusals.Add(new EvidenceRefusal(
                EvidenceRefusalCode.LogsPosition, "Logs go on from something, and no TPM quotes what they give."));
        }

        IntegrityReading.Followed? followed = Follow(read.Claims, expectation.IntegrityLog, logs, refusals);
        return refusals.Count > 0
            ? new EvidenceVerdict.Refused(refusals.ToImmutable())
            : new EvidenceVerdict.Verified(
                VerifiedEvidence.After(
                    read.Claims, expectation.IdentityKey, read.Document.Digest, proven, followed));
    }

    /// <summary>
    /// The checkpoint that evidence claims, unverified, so that a verifier can look for a proof before it judges; null
    /// when it has not the strict form.
    /// </summary>
    public static EvidenceCheckpoint? ClaimedCheckpoint(ReadOnlySpan<byte> envelopeJson) =>
        EvidenceDocument.Read(envelopeJson, out _)?.Claims.Checkpoint;

    /// <summary>What evidence says, unverified, to be shown to people; null when it has not the strict form.</summary>
    public static EvidenceClaims? Claimed(ReadOnlySpan<byte> envelopeJson) =>
        EvidenceDocument.Read(envelopeJson, out _)?.Claims;

    private static void CheckSigner(
        SignedDocument document, EvidenceExpectation expectation, ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        PublicKey key = expectation.IdentityKey;
        switch (document.Signers(id => id == key.Id ? key : null))
        {
            case SignatureVerdict.Verified:
                break;
            case SignatureVerdict.Refused refused:
                refusals.Add(new EvidenceRefusal(
                    EvidenceRefusalCode.NotSignedByHost,
                    $"The operator states the key {key.Id.Short} for {expectation.Host}, but {refused.Clause}."));
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static void CheckSubject(
        EvidenceClaims claims, EvidenceExpectation expectation, ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        if (!string.Equals(claims.Host, expectation.Host, StringComparison.Ordinal))
        {
            refusals.Add(new EvidenceRefusal(
                EvidenceRefusalCode.OtherHost,
                $"The evidence is about {claims.Host}, and {expectation.Host} was asked about."));
        }

        if (expectation.ChannelKey is { } channel && claims.ChannelKey.Id != channel)
        {
            refusals.Add(new EvidenceRefusal(
                EvidenceRefusalCode.OtherChannelKey,
                $"The evidence names the channel key {claims.ChannelKey.Id.Short}; the peer's is {channel.Short}."));
        }
    }

    private static void CheckCheckpoint(
        EvidenceCheckpoint checkpoint, CheckpointRule rule, ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        if (!string.Equals(checkpoint.Origin, rule.Origin, StringComparison.Ordinal))
        {
            refusals.Add(new EvidenceRefusal(
                EvidenceRefusalCode.OtherLog, $"The checkpoint is of another log than {rule.Origin}."));
            return;
        }

        switch (rule.Judge(checkpoint))
        {
            case CheckpointStanding.Consistent:
                break;
            case CheckpointStanding.Ahead:
                refusals.Add(new EvidenceRefusal(
                    EvidenceRefusalCode.CheckpointAhead,
                    $"The checkpoint has {checkpoint.Size} leaves, more than this verifier has read yet."));
                break;
            case CheckpointStanding.Inconsistent:
                refusals.Add(new EvidenceRefusal(
                    EvidenceRefusalCode.CheckpointForked,
                    $"The root {checkpoint.Root} at {checkpoint.Size} leaves is not part of this verifier's history: "
                    + "the board showed two, or withholds the proof. Keep both checkpoints and call an auditor."));
                break;
            default:
                throw new UnreachableException();
        }

        if (checkpoint.Size < rule.OldestSize)
        {
            refusals.Add(new EvidenceRefusal(
                EvidenceRefusalCode.Stale,
                $"The checkpoint has {checkpoint.Size} leaves; at least {rule.OldestSize} are asked. "
                + "The host must read on and make new evidence."));
        }
    }

    private static IntegrityReading.Followed? Follow(
        EvidenceClaims claims, IntegrityDemand? demand, EvidenceLogs logs,
        ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        if (demand is null)
        {
            return null;
        }

        if (logs.IntegrityLog.IsEmpty)
        {
            refusals.Add(new EvidenceRefusal(
                EvidenceRefusalCode.IntegrityLogMissing, "The host does not show its integrity log."));
            return null;
        }

        if (IntegrityTail.Read(logs.IntegrityLog.Span, out string fault) is not { } shown)
        {
            refusals.Add(new EvidenceRefusal(EvidenceRefusalCode.IntegrityLogMalformed, fault));
            return null;
        }

        switch (IntegrityReading.Judge(shown, claims.Boot, claims.IntegrityLog, demand))
        {
            case IntegrityReading.Followed followed:
                return followed;
            case IntegrityReading.Refused refused:
                refusals.Add(new EvidenceRefusal(Map(refused.Code), refused.Sentence));
                return null;
            default:
                throw new UnreachableException();
        }
    }

    private static EvidenceRefusalCode Map(IntegrityRefusalCode code) => code switch
    {
        IntegrityRefusalCode.OtherPosition => EvidenceRefusalCode.IntegrityLogPosition,
        IntegrityRefusalCode.Incomplete => EvidenceRefusalCode.IntegrityLogIncomplete,
        IntegrityRefusalCode.Mismatch => EvidenceRefusalCode.IntegrityLogMismatch,
        IntegrityRefusalCode.Rewritten => EvidenceRefusalCode.IntegrityLogRewritten,
        IntegrityRefusalCode.FalseOpening => EvidenceRefusalCode.IntegrityOpeningFalse,
        IntegrityRefusalCode.ForeignOpening => EvidenceRefusalCode.IntegrityOpeningForeign,
        _ => throw new UnreachableException(),
    };

    private static void CheckNonce(
        EvidenceClaims claims, EvidenceExpectation expectation, ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        if (expectation.Nonce is { } nonce
            && !CryptographicOperations.FixedTimeEquals(claims.Nonce.Span, nonce.Span))
        {
            refusals.Add(new EvidenceRefusal(
                EvidenceRefusalCode.NonceMismatch, "The evidence does not carry the nonce that was given for it."));
        }
    }
}
