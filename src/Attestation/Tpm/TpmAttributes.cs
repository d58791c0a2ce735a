namespace Bailiwick.Attestation.Tpm;

/// <summary>What a TPM lets be done with an object: TPMA_OBJECT (TPM 2.0 Part 2, section 8.3).</summary>
[Flags]
public enum TpmAttributes
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>It cannot leave this TPM.</summary>
    FixedTpm = 1 << 1,

    /// <summary>Saved contexts of it end with a TPM reset.</summary>
    StClear = 1 << 2,

    /// <summary>It cannot get another parent.</summary>
    FixedParent = 1 << 4,

    /// <summary>The TPM itself made its secret.</summary>
    SensitiveDataOrigin = 1 << 5,

    /// <summary>Its password or HMAC allows its use.</summary>
    UserWithAuth = 1 << 6,

    /// <summary>Administration needs its policy.</summary>
    AdminWithPolicy = 1 << 7,

    /// <summary>Wrong passwords do not count towards lockout.</summary>
    NoDictionaryAttack = 1 << 10,

    /// <summary>Duplication must be encrypted.</summary>
    EncryptedDuplication = 1 << 11,

    /// <summary>It signs only what the TPM made, or decrypts only what has a TPM's form.</summary>
    Restricted = 1 << 16,

    /// <summary>It decrypts.</summary>
    Decrypt = 1 << 17,

    /// <summary>It signs (or encrypts, for symmetric keys).</summary>
    Sign = 1 << 18,
}
