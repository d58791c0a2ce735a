namespace Bailiwick.Tpm.Keys;

/// <summary>Which of a TPM's endorsement keys: the TCG's low-range templates, whose certificates a vendor puts into
/// every TPM (TCG EK Credential Profile 2.5, 2.2).</summary>
public enum EndorsementAlgorithm
{
    /// <summary>RSA 2048, template L-1, certificate at NV index 0x01c00002.</summary>
    Rsa2048,

    /// <summary>P-256, template L-2, certificate at NV index 0x01c0000a.</summary>
    EccP256,
}
