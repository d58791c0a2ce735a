using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// The decision of a tenant's key service. It rests on what the key service verified itself: the tenant's and the
/// operator's statements, the host's evidence, its own nonce and its own record of who holds the key.
/// </summary>
public static class ReleaseControl
{
    /// <summary>The identity key that the operator states for a host; null when the host is unknown.</summary>
    public static PublicKey? IdentityKeyOf(CheckedDatacentre datacentre, HostRef host)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(host);
        return datacentre.Inventory.Hosts.GetValueOrDefault(host.ToString()) is { } model
            && PublicKey.TryParse(model.IdentityKey.AsSpan(), out var key)
                ? key
                : null;
    }

    /// <summary>The endorsement key that the operator states for a host's TPM; null when there is none.</summary>
    public static Digest32? EndorsementKeyOf(CheckedDatacentre datacentre, HostRef host)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(host);
        return datacentre.Inventory.Hosts.GetValueOrDefault(host.ToString()) is { } model
            && Digest32.TryParse(model.EndorsementKey, out var digest)
                ? digest
                : null;
    }

    /// <summary>Decides on a request whose evidence was verified.</summary>
    /// <param name="evidence">The host's evidence.</param>
    /// <param name="datacentre">The policies and the inventory.</param>
    /// <param name="request">The request as read; its signature is checked here.</param>
    /// <param name="custody">What the key service knows by itself.</param>
    /// <param name="now">The time, which decides only on the expiry of policies.</param>
    public static KeyVerdict Decide(
        VerifiedEvidence evidence, CheckedDatacentre datacentre, ReleaseRequest request, KeyCustody custody,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        ReleaseCase reasons = new(datacentre, request, custody, now);
        reasons.Check(evidence);
        CheckEvidence(reasons, evidence, request, custody);
        TpmWrappingKey? target = CheckTarget(reasons, evidence, request);
        reasons.CheckLeases();
        reasons.CheckHolders();
        new KeptCase(reasons).Check(evidence);
        return reasons is { Refusals.Count: 0, Subject: { } subject }
            ? new KeyVerdict.Release(
                new ReleaseContext(
                    request, evidence, subject.Domain.Origin.Revision, subject.Machine.Origin.Revision,
                    RestartSeconds(subject, target, request.Copy))
                {
                    Access = subject.Use?.Access,
                },
                target, subject)
            : new KeyVerdict.Refused([.. reasons.Refusals]);
    }

    /// <summary>
    /// Every reason against a request whose evidence was refused, or could not be judged because the host is unknown.
    /// </summary>
    /// <param name="evidence">The reasons against the evidence; empty when the host is unknown.</param>
    /// <param name="datacentre">The policies and the inventory.</param>
    /// <param name="request">The request as read.</param>
    /// <param name="custody">What the key service knows by itself.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="InvalidOperationException">There is no reason: the caller dropped the evidence.</exception>
    public static KeyVerdict.Refused Explain(
        ImmutableArray<EvidenceRefusal> evidence, CheckedDatacentre datacentre, ReleaseRequest request,
        KeyCustody custody, DateTimeOffset now)
    {
        ReleaseCase reasons = new(datacentre, request, custody, now);
        reasons.Check(evidence: null);
        foreach (var refusal in evidence)
        {
            reasons.Add(Map(refusal.Code), refusal.Sentence);
        }

        reasons.CheckLeases();
        reasons.CheckHolders();
        new KeptCase(reasons).Check(evidence: null);
        return reasons.Refusals.Count > 0
            ? new KeyVerdict.Refused([.. reasons.Refusals])
            : throw new InvalidOperationException("a request without a reason against it needs a decision");
    }

    /// <summary>
    /// Only a TPM refuses to open what was sealed for another state of the host: without one there is no restart lease.
    /// Nor is there one for what others may have meanwhile, or may withdraw: a volume that is shared, another tenant's,
    /// or one that is only copied.
    /// </summary>
    private static long RestartSeconds(ReleaseSubject subject, TpmWrappingKey? target, VolumeRef? copy) =>
        target is not null && copy is null && subject.Machine.Restart is { } terms
        && subject.Domain.Ref.Tenant == subject.Machine.Ref.Tenant
        && subject.Use is null or { Sharing: VolumeSharing.Exclusive }
            ? (long)terms.Within.TotalSeconds : 0;

    private static void CheckEvidence(
        ReleaseCase reasons, VerifiedEvidence evidence, ReleaseRequest request, KeyCustody custody)
    {
        // The verifier checked these against what it was told to expect; that it was told the same is checked here.
        if (evidence.Host != request.Host.ToString())
        {
            reasons.Add(
                KeyRefusalCode.EvidenceOfOtherHost,
                $"The evidence is of {evidence.Host}, and the request of {request.Host}.");
        }

        if (evidence.ChannelKey.Id != custody.Caller)
        {
            reasons.Add(
                KeyRefusalCode.EvidenceChannelKey,
                $"The evidence names the channel key {evidence.ChannelKey.Id.Short}; the caller's is "
                + $"{custody.Caller.Short}.");
        }

        if (!evidence.Nonce.Span.SequenceEqual(request.Nonce.Bytes.Span))
        {
            reasons.Add(KeyRefusalCode.EvidenceNonce, "The evidence does not carry the nonce of the request.");
        }

        if (IdentityKeyOf(reasons.Datacentre, request.Host) is { } stated && stated.Id != evidence.IdentityKey.Id)
        {
            reasons.Add(
                KeyRefusalCode.EvidenceSignature,
                $"The evidence was verified with the key {evidence.IdentityKey.Id.Short}; the operator states "
                + $"{stated.Id.Short} for {request.Host}.");
        }
    }

    /// <summary>
    /// The TPM for which the key is wrapped is the one that quoted: the enrolment says which endorsement key it has.
    /// </summary>
    private static TpmWrappingKey? CheckTarget(ReleaseCase reasons, VerifiedEvidence evidence, ReleaseRequest request)
    {
        if (evidence.EndorsementKey is not { } enrolled)
        {
            return null;
        }

        if (request.EndorsementKey is { } shown && TpmWrappingKey.TryOf(shown, out var target, out _)
            && target.Key.Id == enrolled)
        {
            return target;
        }

        reasons.Add(
            KeyRefusalCode.EndorsementKeyNotShown,
            $"The quote is of the TPM with the endorsement key {enrolled.Hex[..16]}, and the request shows "
            + $"{request.EndorsementKey?.Key?.Id.Hex[..16] ?? "none"} to wrap the key for.");
        return null;
    }

    internal static KeyRefusalCode Map(EvidenceRefusalCode code) => code switch
    {
        EvidenceRefusalCode.Malformed => KeyRefusalCode.EvidenceMalformed,
        EvidenceRefusalCode.NotSignedByHost => KeyRefusalCode.EvidenceSignature,
        EvidenceRefusalCode.OtherHost => KeyRefusalCode.EvidenceOfOtherHost,
        EvidenceRefusalCode.OtherChannelKey => KeyRefusalCode.EvidenceChannelKey,
        EvidenceRefusalCode.OtherLog => KeyRefusalCode.EvidenceOtherLog,
        EvidenceRefusalCode.CheckpointAhead => KeyRefusalCode.EvidenceAhead,
        EvidenceRefusalCode.CheckpointForked => KeyRefusalCode.EvidenceForked,
        EvidenceRefusalCode.Stale => KeyRefusalCode.EvidenceStale,
        EvidenceRefusalCode.NonceMismatch => KeyRefusalCode.EvidenceNonce,
        EvidenceRefusalCode.NotEnrolled => KeyRefusalCode.EvidenceNotEnrolled,
        EvidenceRefusalCode.OtherTpm => KeyRefusalCode.EvidenceOtherTpm,
        EvidenceRefusalCode.OtherAttestationKey => KeyRefusalCode.EvidenceOtherAttestationKey,
        EvidenceRefusalCode.QuoteMalformed => KeyRefusalCode.EvidenceQuoteMalformed,
        EvidenceRefusalCode.QuoteSignature => KeyRefusalCode.EvidenceQuoteSignature,
        EvidenceRefusalCode.QuoteReplayed => KeyRefusalCode.EvidenceQuoteReplayed,
        EvidenceRefusalCode.QuoteSelection => KeyRefusalCode.EvidenceQuoteSelection,
        EvidenceRefusalCode.QuoteValues => KeyRefusalCode.EvidenceQuoteValues,
        EvidenceRefusalCode.TpmRolledBack => KeyRefusalCode.EvidenceTpmRolledBack,
        EvidenceRefusalCode.BootLogMalformed => KeyRefusalCode.EvidenceBootLogMalformed,
        EvidenceRefusalCode.BootLogMismatch => KeyRefusalCode.EvidenceBootLogMismatch,
        EvidenceRefusalCode.RuntimeLogMismatch => KeyRefusalCode.EvidenceRuntimeLogMismatch,
        EvidenceRefusalCode.LogsPosition => KeyRefusalCode.EvidenceLogsPosition,
        EvidenceRefusalCode.IntegrityHeadNotQuoted => KeyRefusalCode.EvidenceIntegrityHeadNotQuoted,
        EvidenceRefusalCode.IntegrityLogMissing => KeyRefusalCode.EvidenceIntegrityLogMissing,
        EvidenceRefusalCode.IntegrityLogMalformed => KeyRefusalCode.EvidenceIntegrityLogMalformed,
        EvidenceRefusalCode.IntegrityLogPosition => KeyRefusalCode.EvidenceIntegrityLogPosition,
        EvidenceRefusalCode.IntegrityLogIncomplete => KeyRefusalCode.EvidenceIntegrityLogIncomplete,
        EvidenceRefusalCode.IntegrityLogMismatch => KeyRefusalCode.EvidenceIntegrityLogMismatch,
        EvidenceRefusalCode.IntegrityLogRewritten => KeyRefusalCode.EvidenceIntegrityLogRewritten,
        EvidenceRefusalCode.IntegrityOpeningFalse => KeyRefusalCode.EvidenceIntegrityOpeningFalse,
        EvidenceRefusalCode.IntegrityOpeningForeign => KeyRefusalCode.EvidenceIntegrityOpeningForeign,
        _ => throw new UnreachableException(),
    };
}
