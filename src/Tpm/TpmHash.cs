using System.Diagnostics;

namespace Bailiwick.Tpm;

/// <summary>The hash of a PCR bank; the numbers are the TCG algorithm registry's (TPM_ALG_ID).</summary>
public enum TpmHash
{
    /// <summary>SHA-1, only for banks of old firmware; never accepted as evidence.</summary>
    Sha1 = 0x0004,

    /// <summary>SHA-256.</summary>
    Sha256 = 0x000b,

    /// <summary>SHA-384.</summary>
    Sha384 = 0x000c,

    /// <summary>SHA-512.</summary>
    Sha512 = 0x000d,
}

/// <summary>What follows from the choice of a hash.</summary>
public static class TpmHashes
{
    /// <summary>The length of a digest, in bytes.</summary>
    public static int Length(this TpmHash hash) => hash switch
    {
        TpmHash.Sha1 => 20,
        TpmHash.Sha256 => 32,
        TpmHash.Sha384 => 48,
        TpmHash.Sha512 => 64,
        _ => throw new UnreachableException(),
    };
}
