using System.Collections.Immutable;

namespace Bailiwick.Attestation.Quotes;

/// <summary>What a verifier makes of a quote: <see cref="Verified"/> or <see cref="Refused"/>.</summary>
public abstract class QuoteVerdict
{
    private QuoteVerdict()
    {
    }

    /// <summary>Every check held.</summary>
    public sealed class Verified : QuoteVerdict
    {
        internal Verified(VerifiedQuote quote) => Quote = quote;

        /// <summary>The proof.</summary>
        public VerifiedQuote Quote { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : QuoteVerdict
    {
        internal Refused(ImmutableArray<QuoteRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<QuoteRefusal> Refusals { get; }
    }
}

/// <summary>What a verifier makes of any attestation: <see cref="Signed"/> or <see cref="Refused"/>.</summary>
public abstract class AttestVerdict
{
    private AttestVerdict()
    {
    }

    /// <summary>The key signed it, for this nonce.</summary>
    public sealed class Signed : AttestVerdict
    {
        internal Signed(SignedAttest attest) => Attest = attest;

        /// <summary>The proof.</summary>
        public SignedAttest Attest { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : AttestVerdict
    {
        internal Refused(ImmutableArray<QuoteRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<QuoteRefusal> Refusals { get; }
    }
}

/// <summary>One reason against a quote.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people, with the values that did not match.</param>
public sealed record QuoteRefusal(QuoteRefusalCode Code, string Sentence);

/// <summary>Every reason there is against a quote, in the order in which they are checked. Closed.</summary>
public enum QuoteRefusalCode
{
    /// <summary>The message is no TPMS_ATTEST of a kind that evidence uses.</summary>
    Malformed = 1,

    /// <summary>The message does not begin with TPM_GENERATED_VALUE: no TPM made it (CVE-2024-29040).</summary>
    NotMadeByTpm,

    /// <summary>The signature is no TPMT_SIGNATURE.</summary>
    SignatureMalformed,

    /// <summary>The signature is over SHA-1.</summary>
    WeakSignatureHash,

    /// <summary>The signature's scheme or hash is not the key's.</summary>
    OtherScheme,

    /// <summary>The signature is not the key's over these bytes.</summary>
    NotSignedByKey,

    /// <summary>The extra data is not the nonce (CVE-2026-6420, replay).</summary>
    NonceMismatch,

    /// <summary>The qualified signer is another than the key is known by.</summary>
    OtherSigner,

    /// <summary>It attests something else than registers (CVE-2024-29038).</summary>
    NotAQuote,

    /// <summary>It is over other registers than demanded, over fewer or none (CVE-2022-0317).</summary>
    SelectionDiffers,

    /// <summary>It is over a SHA-1 bank (CVE-2021-42299).</summary>
    WeakBank,

    /// <summary>The value of a quoted register was not sent along.</summary>
    ValuesMissing,

    /// <summary>Values of registers that are not quoted were sent along (CVE-2024-29039).</summary>
    ValuesNotQuoted,

    /// <summary>The quoted digest is not the one over the values.</summary>
    ValuesDiffer,

    /// <summary>The TPM counts fewer resets than it did: another TPM, or its state was put back.</summary>
    ResetCountRolledBack,

    /// <summary>The TPM counts fewer restarts since the same reset than it did.</summary>
    RestartCountRolledBack,

    /// <summary>The TPM's clock is behind the one seen since the same reset and restart.</summary>
    ClockRolledBack,
}
