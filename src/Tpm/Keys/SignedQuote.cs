namespace Bailiwick.Tpm.Keys;

/// <summary>What a TPM said about its PCRs, as it came. Nothing of it is checked.</summary>
/// <param name="Attest">The TPMS_ATTEST; the signature is over exactly these bytes.</param>
/// <param name="Signature">The TPMT_SIGNATURE.</param>
public sealed record SignedQuote(ReadOnlyMemory<byte> Attest, ReadOnlyMemory<byte> Signature);
