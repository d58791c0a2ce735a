using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tpm.Pcrs;

/// <summary>One digest that is, or was, extended into one PCR of one bank.</summary>
/// <param name="Pcr">0 to 23.</param>
/// <param name="Bank">The bank.</param>
/// <param name="Digest">As long as the bank's hash.</param>
public sealed record PcrMeasurement(int Pcr, TpmHash Bank, ReadOnlyMemory<byte> Digest);
