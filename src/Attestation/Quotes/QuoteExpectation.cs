using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Quotes;

/// <summary>A quote as a host sends it; by itself it proves nothing.</summary>
/// <param name="Message">The TPMS_ATTEST, the very bytes that are signed.</param>
/// <param name="Signature">The TPMT_SIGNATURE.</param>
/// <param name="Values">The values that the host says its registers have.</param>
public sealed record QuoteClaim(ReadOnlyMemory<byte> Message, ReadOnlyMemory<byte> Signature, PcrValues Values);

/// <summary>What one verifier demands of a quote, all from its own knowledge.</summary>
public sealed record QuoteExpectation
{
    /// <summary>The key that must have signed.</summary>
    public required QuoteKey Key { get; init; }

    /// <summary>
    /// What must be in the quote's extra data: the verifier's nonce, or a digest that covers it. At most 66 bytes; to
    /// be fresh it holds at least 16 bytes that nobody could foresee.
    /// </summary>
    public required ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>The registers that must be quoted: these, all of them, and no others.</summary>
    public required PcrSelection Selection { get; init; }

    /// <summary>The clock of the last quote of this key that was accepted; null for the first.</summary>
    public required TpmClockInfo? LastSeen { get; init; }

    /// <summary>The qualified name the key has in its TPM, from its enrolment; null where it is not known.</summary>
    public TpmName? QualifiedSigner { get; init; }
}
