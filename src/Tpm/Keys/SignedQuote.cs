using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tpm.Keys;

/// <summary>What a TPM said about its PCRs, as it came; a verifier checks it (<c>QuoteVerifier</c>).</summary>
/// <param name="Attest">The TPMS_ATTEST; the signature is over exactly these bytes.</param>
/// <param name="Signature">The TPMT_SIGNATURE.</param>
/// <param name="Values">The values of the quoted PCRs, read at the same moment: their digest is the quote's.</param>
public sealed record SignedQuote(ReadOnlyMemory<byte> Attest, ReadOnlyMemory<byte> Signature, PcrValues Values);
