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
        ArgumentNullException.ThrowIfNull(request);
        ReleaseCase reasons = new(datacentre, request.Wish, custody, now);
        RequestCase authentic = new(reasons, request, custody);
        reasons.CheckStatements(_ => evidence);
        authentic.Check();
        authentic.CheckEvidence(evidence);
        TpmWrappingKey? target = authentic.CheckTarget(evidence);
        reasons.CheckKept(evidence);
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
        ArgumentNullException.ThrowIfNull(request);
        ReleaseCase reasons = new(datacentre, request.Wish, custody, now);
        reasons.CheckStatements(_ => null);
        new RequestCase(reasons, request, custody).Check();
        foreach (var refusal in evidence)
        {
            reasons.Add(Map(refusal.Code), refusal.Sentence);
        }

        reasons.CheckKept(evidence: null);
        return reasons.Refusals.Count > 0
            ? new KeyVerdict.Refused([.. reasons.Refusals])
            : throw new InvalidOperationException("a request without a reason against it needs a decision");
    }

    /// <summary>
    /// Whether a key would go to a host now, if the host itself asked for it: the same checks as of a request, but for
    /// those of the request itself. What is kept must be shown as it is: the bound header, the state returned last.
    /// </summary>
    /// <param name="wish">The machine and the host; what it says of a state plays no part.</param>
    /// <param name="datacentre">The policies and the inventory.</param>
    /// <param name="facts">What the key service knows by itself.</param>
    /// <param name="latest">
    /// The latest evidence of the host that was verified; null when there is none. It speaks only for the domains that
    /// lend the host trust now: what the others found against it, their doubt says.
    /// </param>
    /// <param name="now">The time, which decides only on the expiry of policies.</param>
    public static WishVerdict Consider(
        KeyWish wish, CheckedDatacentre datacentre, KeyFacts facts, VerifiedEvidence? latest, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(wish);
        ArgumentNullException.ThrowIfNull(facts);
        VerifiedEvidence? own = latest?.Host == wish.Host.ToString() ? latest : null;
        Digest32? shown = Kept(wish.Key, facts);
        ReleaseCase reasons = new(datacentre, wish with { State = shown }, facts, now);
        reasons.CheckStatements(domain => facts.Doubt(wish.Host, domain.Ref) is null ? own : null);
        reasons.CheckKept(own);
        if (own is null && reasons.Refusals.Count == 0)
        {
            reasons.Add(
                KeyRefusalCode.NoLease, $"{wish.Host.Name} has shown nothing here. It must prove itself first.");
        }

        return reasons is { Refusals.Count: 0, Subject: { } subject }
            ? new WishVerdict.Allowed(subject, shown)
            : new WishVerdict.Refused([.. reasons.Refusals]);
    }

    private static Digest32? Kept(KeySubject key, KeyFacts facts) => key switch
    {
        KeySubject.Volume => facts.Header is VolumeHeaderMark.Bound bound ? bound.Header : null,
        KeySubject.MachineTpm => facts.Mark is TpmStateMark.Returned returned ? returned.State : null,
        _ => throw new UnreachableException(),
    };

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
