using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation;

/// <summary>Which registers evidence is over.</summary>
public static class EvidenceRegisters
{
    /// <summary>The register that the kernel extends with its runtime log (IMA).</summary>
    public const int RuntimeLog = RuntimeLogLimits.Pcr;

    /// <summary>The register that the Proxy extends with its integrity log.</summary>
    public const int IntegrityLog = 15;

    /// <summary>
    /// All that firmware, boot loader, kernel and Proxy extend; 16 and above can be reset while the host runs, so they
    /// prove nothing (PC Client Platform TPM Profile, section 4.6).
    /// </summary>
    public static PcrSelection Selection { get; } = PcrSelection.Of(TpmHash.Sha256, Enumerable.Range(0, 16));
}
