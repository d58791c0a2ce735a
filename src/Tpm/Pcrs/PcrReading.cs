using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tpm.Pcrs;

/// <summary>The values of PCRs at one moment: none changed while they were read. What the TPM says without a signature;
/// evidence is a quote.</summary>
/// <param name="Values">The values of all the PCRs that were asked for.</param>
/// <param name="UpdateCounter">The TPM's count of changes of PCRs, at that moment.</param>
public sealed record PcrReading(PcrValues Values, uint UpdateCounter);
