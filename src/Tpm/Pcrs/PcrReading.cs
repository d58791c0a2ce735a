using System.Collections.Immutable;

namespace Bailiwick.Tpm.Pcrs;

/// <summary>The values of PCRs at one moment: none changed while they were read. What the TPM says without a signature;
/// evidence is a quote.</summary>
/// <param name="Bank">The bank.</param>
/// <param name="Values">The digest of each PCR that was asked for.</param>
/// <param name="UpdateCounter">The TPM's count of changes of PCRs, at that moment.</param>
public sealed record PcrReading(
    TpmHash Bank, ImmutableSortedDictionary<int, ReadOnlyMemory<byte>> Values, uint UpdateCounter);
