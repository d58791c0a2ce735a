using System.Diagnostics;
using System.Security.Cryptography;

namespace Bailiwick.Attestation.Tpm;

/// <summary>
/// A hash algorithm, by its TPM_ALG_ID (TCG Algorithm Registry, section 4). SHA-1 is read so that a refusal can name
/// it; no check accepts it.
/// </summary>
public enum TpmHash
{
    /// <summary>TPM_ALG_SHA1.</summary>
    Sha1 = 0x0004,

    /// <summary>TPM_ALG_SHA256.</summary>
    Sha256 = 0x000b,

    /// <summary>TPM_ALG_SHA384.</summary>
    Sha384 = 0x000c,

    /// <summary>TPM_ALG_SHA512.</summary>
    Sha512 = 0x000d,
}

/// <summary>What the hash algorithms do.</summary>
public static class TpmHashes
{
    /// <summary>The algorithm of a TPM_ALG_ID, or null for one that is not read.</summary>
    public static TpmHash? FromAlgorithm(ushort algorithm) => algorithm switch
    {
        0x0004 => TpmHash.Sha1,
        0x000b => TpmHash.Sha256,
        0x000c => TpmHash.Sha384,
        0x000d => TpmHash.Sha512,
        _ => null,
    };

    /// <summary>The length of its digest, in bytes.</summary>
    public static int Size(this TpmHash hash) => hash switch
    {
        TpmHash.Sha1 => 20,
        TpmHash.Sha256 => 32,
        TpmHash.Sha384 => 48,
        TpmHash.Sha512 => 64,
        _ => throw new UnreachableException(),
    };

    /// <summary>Its name as tpm2-tools and event logs write it.</summary>
    public static string Text(this TpmHash hash) => hash switch
    {
        TpmHash.Sha1 => "sha1",
        TpmHash.Sha256 => "sha256",
        TpmHash.Sha384 => "sha384",
        TpmHash.Sha512 => "sha512",
        _ => throw new UnreachableException(),
    };

    /// <summary>Whether collisions are out of reach: true for all but SHA-1.</summary>
    public static bool IsStrong(this TpmHash hash) => hash != TpmHash.Sha1;

    /// <summary>The platform's name of it.</summary>
    public static HashAlgorithmName PlatformName(this TpmHash hash) => hash switch
    {
        TpmHash.Sha1 => HashAlgorithmName.SHA1,
        TpmHash.Sha256 => HashAlgorithmName.SHA256,
        TpmHash.Sha384 => HashAlgorithmName.SHA384,
        TpmHash.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new UnreachableException(),
    };

    /// <summary>Hashes bytes.</summary>
    public static byte[] Digest(this TpmHash hash, ReadOnlySpan<byte> data) =>
        CryptographicOperations.HashData(hash.PlatformName(), data);
}
