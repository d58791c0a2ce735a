using System.Collections.Immutable;

namespace Bailiwick.Attestation;

/// <summary>What a verifier makes of evidence: <see cref="Verified"/> or <see cref="Refused"/>.</summary>
public abstract class EvidenceVerdict
{
    private EvidenceVerdict()
    {
    }

    /// <summary>Every check held.</summary>
    public sealed class Verified : EvidenceVerdict
    {
        internal Verified(VerifiedEvidence evidence) => Evidence = evidence;

        /// <summary>The proof.</summary>
        public VerifiedEvidence Evidence { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : EvidenceVerdict
    {
        internal Refused(ImmutableArray<EvidenceRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<EvidenceRefusal> Refusals { get; }
    }
}

/// <summary>One reason against evidence.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people, with the values that did not match.</param>
public sealed record EvidenceRefusal(EvidenceRefusalCode Code, string Sentence);

/// <summary>Every reason there is against evidence, in the order in which they are checked. Closed.</summary>
public enum EvidenceRefusalCode
{
    /// <summary>It is not evidence in the strict form; nothing else could be judged.</summary>
    Malformed = 1,

    /// <summary>It is not signed by the key that the operator states for the host, or not by it alone.</summary>
    NotSignedByHost,

    /// <summary>It is about another host than the one that is asked about.</summary>
    OtherHost,

    /// <summary>It names another TLS key than the one at the other end of the channel.</summary>
    OtherChannelKey,

    /// <summary>Its checkpoint is of another log.</summary>
    OtherLog,

    /// <summary>Its checkpoint is newer than anything the verifier has read: the verifier must read on first.</summary>
    CheckpointAhead,

    /// <summary>Its checkpoint has another root than the verifier's history there: two histories were shown.</summary>
    CheckpointForked,

    /// <summary>Its checkpoint is older than the one the verifier chose: the evidence may have been kept.</summary>
    Stale,

    /// <summary>It does not carry the nonce that the verifier gave.</summary>
    NonceMismatch,

    /// <summary>It carries a quote, and no key of that host's TPM is enrolled with the verifier's tenant.</summary>
    NotEnrolled,

    /// <summary>The enrolled TPM is another than the one that the operator states for the host.</summary>
    OtherTpm,

    /// <summary>It was quoted by another key than the enrolled one.</summary>
    OtherAttestationKey,

    /// <summary>The quote cannot be read, or no TPM made it.</summary>
    QuoteMalformed,

    /// <summary>The quote is not signed by the enrolled key.</summary>
    QuoteSignature,

    /// <summary>The quote is over something else than what the evidence says: it is of another occasion.</summary>
    QuoteReplayed,

    /// <summary>The quote is over other registers than demanded.</summary>
    QuoteSelection,

    /// <summary>The registers' values sent along are not the quoted ones.</summary>
    QuoteValues,

    /// <summary>The TPM's counters went back: its state was put back, or it is another.</summary>
    TpmRolledBack,

    /// <summary>The boot log cannot be read.</summary>
    BootLogMalformed,

    /// <summary>The boot log does not give the quoted registers.</summary>
    BootLogMismatch,

    /// <summary>No beginning of the runtime log gives the quoted register.</summary>
    RuntimeLogMismatch,

    /// <summary>The logs go on from where this verifier is not, or in another boot: they must be shown whole.</summary>
    LogsPosition,

    /// <summary>The stated head of the integrity log is not what the quoted register holds.</summary>
    IntegrityHeadNotQuoted,

    /// <summary>The integrity log is followed by this verifier, and was not shown.</summary>
    IntegrityLogMissing,

    /// <summary>What is shown of the integrity log cannot be read.</summary>
    IntegrityLogMalformed,

    /// <summary>It goes on from a position at which this verifier never was.</summary>
    IntegrityLogPosition,

    /// <summary>It has too few or too many entries, or not the boot's own.</summary>
    IntegrityLogIncomplete,

    /// <summary>Its entries do not give the stated head: one was changed, moved or dropped.</summary>
    IntegrityLogMismatch,

    /// <summary>In the same boot this verifier saw another log.</summary>
    IntegrityLogRewritten,

    /// <summary>An opening does not open the commitment at its number.</summary>
    IntegrityOpeningFalse,

    /// <summary>An opening is of an entry that does not concern the reader.</summary>
    IntegrityOpeningForeign,
}
