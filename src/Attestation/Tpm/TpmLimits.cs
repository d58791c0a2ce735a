namespace Bailiwick.Attestation.Tpm;

/// <summary>
/// Every limit of the TPM readers, from TPM 2.0 Part 2 and the PC Client profile. A limit is checked before the bytes
/// it bounds are believed.
/// </summary>
public static class TpmLimits
{
    /// <summary>The longest digest, in bytes: SHA-512.</summary>
    public const int DigestBytes = 64;

    /// <summary>The longest name, in bytes: an algorithm and a digest (Part 2, section 10.5.3).</summary>
    public const int NameBytes = 2 + DigestBytes;

    /// <summary>The longest TPM2B_DATA, in bytes: the size of a TPMT_HA (Part 2, section 10.4.3).</summary>
    public const int DataBytes = 2 + DigestBytes;

    /// <summary>The longest RSA number, in bytes: 4096 bits.</summary>
    public const int RsaBytes = 512;

    /// <summary>The most banks in one selection (Part 2, section 10.9.7: HASH_COUNT).</summary>
    public const int PcrBanks = 16;

    /// <summary>The number of registers of a bank (PC Client Platform TPM Profile, section 4.6).</summary>
    public const int PcrCount = 24;

    /// <summary>The bytes of one bank's selection mask.</summary>
    public const int PcrSelectBytes = PcrCount / 8;

    /// <summary>The most bytes one NV certification carries (MAX_NV_BUFFER_SIZE).</summary>
    public const int NvBytes = 2048;

    /// <summary>The largest structure read, in bytes.</summary>
    public const int StructureBytes = 8192;
}
