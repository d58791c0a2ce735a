namespace Bailiwick.Attestation.Endorsement;

/// <summary>What makes a certificate that of a TPM's endorsement key (TCG EK Credential Profile 2.5, section 3.2).
/// </summary>
public static class EndorsementOids
{
    /// <summary>The TPM's manufacturer: an attribute of a name among the alternative names.</summary>
    public const string Manufacturer = "2.23.133.2.1";

    /// <summary>The TPM's model, likewise.</summary>
    public const string Model = "2.23.133.2.2";

    /// <summary>The version of the TPM's firmware, likewise.</summary>
    public const string Version = "2.23.133.2.3";

    /// <summary>The extended key usage of endorsement keys.</summary>
    public const string Usage = "2.23.133.8.1";

    /// <summary>The extension of alternative names (RFC 5280, section 4.2.1.6).</summary>
    public const string AlternativeName = "2.5.29.17";
}
