using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Whether a volume's key goes to a host: <see cref="Release"/> or <see cref="Refused"/>. Made only by
/// <see cref="ReleaseControl"/>.
/// </summary>
public abstract class KeyVerdict
{
    private KeyVerdict()
    {
    }

    /// <summary>Every check held: the key may be sealed to the request's session, for exactly this context.</summary>
    public sealed class Release : KeyVerdict
    {
        internal Release(ReleaseContext context, TpmWrappingKey? tpm, ReleaseSubject subject)
        {
            Request = context.Request;
            Evidence = context.Evidence;
            Context = context;
            Tpm = tpm;
            Because = subject.Because;
            Domain = subject.Domain.Ref;
            Revision = subject.Revision;
            Access = subject.Use?.Access;
            IsCopying = context.Request.Copy is not null;
            Sharing = subject.Use?.Sharing ?? VolumeSharing.Exclusive;
        }

        /// <summary>The verified request.</summary>
        public ReleaseRequest Request { get; }

        /// <summary>The evidence it rests on; its assurance level limits what the release proves.</summary>
        public VerifiedEvidence Evidence { get; }

        /// <summary>The TPM that must give out a part of it, in the state of the evidence; null when the evidence is a
        /// host's word without a TPM, with which the domains are content.</summary>
        public TpmWrappingKey? Tpm { get; }

        /// <summary>What the sealed key is bound to.</summary>
        public ReleaseContext Context { get; }

        /// <summary>The statements the decision rests on.</summary>
        public ImmutableArray<StatementOrigin> Because { get; }

        /// <summary>The domain that the key is of.</summary>
        public DomainRef Domain { get; }

        /// <summary>The revision of the statement of the volume, or of the machine whose TPM it is.</summary>
        public long Revision { get; }

        /// <summary>What the machine may do with the volume; null of a TPM.</summary>
        public VolumeAccess? Access { get; }

        /// <summary>Whether the volume is only copied: who else may hold the key meanwhile is another rule.</summary>
        public bool IsCopying { get; }

        /// <summary>Who else may hold the key at the same time.</summary>
        public VolumeSharing Sharing { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : KeyVerdict
    {
        internal Refused(ImmutableArray<KeyRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<KeyRefusal> Refusals { get; }
    }
}

/// <summary>One reason against a release, a return or a takeover.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people, with the values that did not match and what to do.</param>
/// <param name="Because">The statement that demands it, if one does.</param>
public sealed record KeyRefusal(KeyRefusalCode Code, string Sentence, StatementOrigin? Because);

/// <summary>Every reason a key service has to refuse, in the order in which they are checked. Closed.</summary>
public enum KeyRefusalCode
{
    /// <summary>The tenant is not the one this key service serves.</summary>
    TenantNotServed = 1,

    /// <summary>No root statement of the tenant is known yet.</summary>
    UnknownTenant,

    /// <summary>The volume or the machine is another tenant's.</summary>
    ForeignReference,

    /// <summary>No statement describes the volume.</summary>
    UnknownVolume,

    /// <summary>No statement describes the machine.</summary>
    UnknownCompartment,

    /// <summary>The machine's statement does not attach the volume.</summary>
    VolumeNotAttached,

    /// <summary>The volume's domain, or one of the machine's, is described by no statement.</summary>
    UnknownDomain,

    /// <summary>The machine is in no domain that the volume belongs to or is opened to by a flow.</summary>
    VolumeFlowClosed,

    /// <summary>A domain's policy is past its expiry.</summary>
    DomainExpired,

    /// <summary>The datacentre's operator does not list the tenant.</summary>
    TenantNotInDatacentre,

    /// <summary>No statement of the datacentre's operator describes the host.</summary>
    UnknownHost,

    /// <summary>A domain does not accept the host's operator.</summary>
    OperatorNotAccepted,

    /// <summary>A domain does not accept the assurance level of the evidence.</summary>
    AssuranceNotAccepted,

    /// <summary>A domain does not accept the country the host stands in.</summary>
    JurisdictionNotAccepted,

    /// <summary>The machine's own placement rules exclude the host.</summary>
    HostNotChosen,

    /// <summary>The volume's statement does not list the image that the machine starts from.</summary>
    VolumeImageNotAllowed,

    /// <summary>The volume's statement does not list the host.</summary>
    VolumeHostNotAllowed,

    /// <summary>The volume lies in clear on the host, and what lies in clear has no key.</summary>
    VolumeInClear,

    /// <summary>The volume's statement does not list what happened since it was opened last.</summary>
    VolumeEventNotAllowed,

    /// <summary>The request is not signed by the host's identity key, and by that alone.</summary>
    RequestSignature,

    /// <summary>The caller on the channel is not the host of the request.</summary>
    CallerNotHost,

    /// <summary>The nonce was never given, or is forgotten.</summary>
    NonceUnknown,

    /// <summary>The nonce was used before.</summary>
    NonceUsed,

    /// <summary>The nonce is too old.</summary>
    NonceExpired,

    /// <summary>The nonce was given to another caller.</summary>
    NonceOfAnotherCaller,

    /// <summary>The evidence has not the strict form.</summary>
    EvidenceMalformed,

    /// <summary>The evidence is not signed by the host's identity key.</summary>
    EvidenceSignature,

    /// <summary>The evidence is about another host than the request.</summary>
    EvidenceOfOtherHost,

    /// <summary>The evidence names another channel key than the caller's.</summary>
    EvidenceChannelKey,

    /// <summary>The evidence's checkpoint is of another log.</summary>
    EvidenceOtherLog,

    /// <summary>The evidence's checkpoint is newer than what this key service has read.</summary>
    EvidenceAhead,

    /// <summary>The evidence's checkpoint belongs to another history.</summary>
    EvidenceForked,

    /// <summary>The evidence's checkpoint is too old.</summary>
    EvidenceStale,

    /// <summary>The evidence does not carry the nonce of the request.</summary>
    EvidenceNonce,

    /// <summary>The evidence has a TPM's quote, and no key of that host's TPM is enrolled.</summary>
    EvidenceNotEnrolled,

    /// <summary>The enrolled TPM is another than the one the operator states for the host.</summary>
    EvidenceOtherTpm,

    /// <summary>The evidence was quoted by another key than the enrolled one.</summary>
    EvidenceOtherAttestationKey,

    /// <summary>The quote cannot be read, or no TPM made it.</summary>
    EvidenceQuoteMalformed,

    /// <summary>The quote is not signed by the enrolled key.</summary>
    EvidenceQuoteSignature,

    /// <summary>The quote was made for another occasion.</summary>
    EvidenceQuoteReplayed,

    /// <summary>The quote is over other registers than demanded.</summary>
    EvidenceQuoteSelection,

    /// <summary>The registers' values sent along are not the quoted ones.</summary>
    EvidenceQuoteValues,

    /// <summary>The TPM's counters went back.</summary>
    EvidenceTpmRolledBack,

    /// <summary>The boot log cannot be read.</summary>
    EvidenceBootLogMalformed,

    /// <summary>The boot log does not give the quoted registers.</summary>
    EvidenceBootLogMismatch,

    /// <summary>The runtime log does not give the quoted register.</summary>
    EvidenceRuntimeLogMismatch,

    /// <summary>The logs go on from where this key service is not: they must be shown whole.</summary>
    EvidenceLogsPosition,

    /// <summary>The stated head of the integrity log is not what the quoted register holds.</summary>
    EvidenceIntegrityHeadNotQuoted,

    /// <summary>The integrity log is followed by this verifier, and was not shown.</summary>
    EvidenceIntegrityLogMissing,

    /// <summary>What is shown of the integrity log cannot be read.</summary>
    EvidenceIntegrityLogMalformed,

    /// <summary>It goes on from a position at which this verifier never was.</summary>
    EvidenceIntegrityLogPosition,

    /// <summary>It has too few or too many entries, or not the boot's own.</summary>
    EvidenceIntegrityLogIncomplete,

    /// <summary>Its entries do not give the stated head: one was changed, moved or dropped.</summary>
    EvidenceIntegrityLogMismatch,

    /// <summary>In the same boot this verifier saw another log.</summary>
    EvidenceIntegrityLogRewritten,

    /// <summary>An opening does not open the commitment at its number.</summary>
    EvidenceIntegrityOpeningFalse,

    /// <summary>An opening is of an entry that does not concern the reader.</summary>
    EvidenceIntegrityOpeningForeign,

    /// <summary>The request does not show the endorsement key of the TPM that quoted, for which to wrap the key.
    /// </summary>
    EndorsementKeyNotShown,

    /// <summary>What a domain demands of a host's boot or running is not shown, or shown not to be so.</summary>
    EvidenceDemand,

    /// <summary>The host has no lease for a domain: it did not prove itself yet, was refused, or is silent.</summary>
    NoLease,

    /// <summary>Another host holds the key, and the volume's statement does not let both have it.</summary>
    HeldByAnotherHost,

    /// <summary>Another machine of the host holds the key, and the volume's statement does not let both have it.
    /// </summary>
    HeldByAnotherMachine,

    /// <summary>The key was made for another domain than the statement says now.</summary>
    ColourDiffers,

    /// <summary>The key was destroyed, and no statement newer than that asks for a new one.</summary>
    KeyDestroyed,

    /// <summary>The tenant withdrew the key, and did not allow it again.</summary>
    KeyWithdrawn,

    /// <summary>The key is of another machine's TPM.</summary>
    TpmOfAnotherMachine,

    /// <summary>The machine's statement demands no TPM of its own.</summary>
    TpmNotDemanded,

    /// <summary>The host shows a state of a TPM for which no key was ever made.</summary>
    TpmStateUnknown,

    /// <summary>The host shows another state of a TPM than the one that was returned last.</summary>
    TpmStateRolledBack,

    /// <summary>The holder started anew without returning the TPM: nobody knows its newest state.</summary>
    TpmStateNotReturned,

    /// <summary>The host shows a volume's file for which no key was ever made.</summary>
    HeaderUnknown,

    /// <summary>The host shows another header of a volume than it has.</summary>
    HeaderDiffers,

    /// <summary>Nobody has made the volume yet, and the machine only reads it, or another is making it.</summary>
    VolumeBlank,

    /// <summary>The volume has a header, and the host finds no file of it.</summary>
    HeaderMissing,

    /// <summary>
    /// The host shows a file of a volume that begins with content, before anybody vouched for its content.
    /// </summary>
    ContentUnfinished,

    /// <summary>No statement says that the one volume is a copy of the other.</summary>
    CopyNotStated,

    /// <summary>The host does not hold the key of the copy for the machine, so it may not read what is copied.
    /// </summary>
    CopyNotHeld,

    /// <summary>The copy was made already.</summary>
    CopyMade,

    /// <summary>A machine would write a volume that its statement lets be read only.</summary>
    VolumeReadOnly,

    /// <summary>The key is not held as the document says: nothing to return or to take over.</summary>
    NotHeldSo,

    /// <summary>A document is not signed by those who may sign it.</summary>
    DocumentSignature,

    /// <summary>The volume's domain lists no approval for a takeover.</summary>
    TakeoverNotAllowed,

    /// <summary>The holder may open the key again without asking, and has not said that it let go of that.</summary>
    RestartLeaseLives,

    /// <summary>Another TPM than the document says, or none, has the host, or it enrolled again since.</summary>
    NotEnrolledSo,

    /// <summary>Fewer root keys approved the act than the domain asks.</summary>
    TooFewApprovals,

    /// <summary>The domain lists no approval for a destruction.</summary>
    DestroyNotAllowed,

    /// <summary>There is no such key, or another one than the document names.</summary>
    NotThatKey,

    /// <summary>Keys were prepared under another master key than the one in force.</summary>
    OtherMasterKey,

    /// <summary>There is a key of that name already: what is encrypted under it would be lost.</summary>
    KeyExists,
}
