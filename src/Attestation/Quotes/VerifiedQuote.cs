using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Quotes;

/// <summary>How a quote stands to the last one seen of the same key.</summary>
public enum QuoteContinuity
{
    /// <summary>No earlier one is known.</summary>
    First = 1,

    /// <summary>The TPM was not reset or restarted since.</summary>
    SameBoot,

    /// <summary>The TPM was suspended and resumed, or restarted with its state kept.</summary>
    Resumed,

    /// <summary>The TPM was reset: the machine started anew, and what was known of its software is void.</summary>
    NewBoot,
}

/// <summary>
/// An attestation that carries the verifier's nonce and the key's signature. Only <see cref="QuoteVerifier"/> makes
/// one; holding one is the proof.
/// </summary>
public sealed class SignedAttest
{
    private SignedAttest(QuoteKey key, TpmAttest attest) => (Key, Attest) = (key, attest);

    /// <summary>The key that signed.</summary>
    public QuoteKey Key { get; }

    /// <summary>What it signed, read from the very bytes.</summary>
    public TpmAttest Attest { get; }

    // Only QuoteVerifier calls this, after its last check.
    internal static SignedAttest After(QuoteKey key, TpmAttest attest) => new(key, attest);
}

/// <summary>
/// The state of a TPM's registers as one of its keys quoted it for this verifier. Only <see cref="QuoteVerifier"/>
/// makes one; holding one is the proof. Everything in it comes from the signed bytes, or has their digest.
/// </summary>
public sealed class VerifiedQuote
{
    private VerifiedQuote(
        QuoteKey key, TpmAttest attest, PcrValues values, QuoteContinuity continuity, Digest32 digest)
    {
        Key = key;
        Clock = attest.Clock;
        FirmwareVersion = attest.FirmwareVersion;
        QualifiedSigner = attest.QualifiedSigner;
        Nonce = attest.ExtraData;
        Values = values;
        Continuity = continuity;
        Digest = digest;
    }

    /// <summary>The key that signed.</summary>
    public QuoteKey Key { get; }

    /// <summary>The quoted registers' values: those demanded and no others.</summary>
    public PcrValues Values { get; }

    /// <summary>The TPM's clock, to be kept for the next quote.</summary>
    public TpmClockInfo Clock { get; }

    /// <summary>How it stands to the last quote seen.</summary>
    public QuoteContinuity Continuity { get; }

    /// <summary>The vendor's version of the TPM's firmware.</summary>
    public ulong FirmwareVersion { get; }

    /// <summary>The qualified name of the key in its TPM, for the next quote.</summary>
    public TpmName QualifiedSigner { get; }

    /// <summary>The nonce it carries.</summary>
    public ReadOnlyMemory<byte> Nonce { get; }

    /// <summary>SHA-256 of the signed bytes.</summary>
    public Digest32 Digest { get; }

    // Only QuoteVerifier calls this, after its last check.
    internal static VerifiedQuote After(
        QuoteKey key, TpmAttest attest, PcrValues values, QuoteContinuity continuity, Digest32 digest) =>
        new(key, attest, values, continuity, digest);
}
