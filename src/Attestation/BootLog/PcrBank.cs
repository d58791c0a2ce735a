using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Bailiwick.Attestation.BootLog;

/// <summary>
/// A bank of PCRs that can be replayed here, with the number of its hash in the TCG Algorithm Registry (section 6.10).
/// </summary>
public enum PcrBank
{
    /// <summary>SHA-1: read because old logs have it; nothing is believed for its sake.</summary>
    Sha1 = 0x0004,

    /// <summary>SHA-256.</summary>
    Sha256 = 0x000B,

    /// <summary>SHA-384.</summary>
    Sha384 = 0x000C,

    /// <summary>SHA-512.</summary>
    Sha512 = 0x000D,
}

/// <summary>A bank as a log declares it; it may be of a hash that cannot be computed here.</summary>
/// <param name="Algorithm">The hash's number in the TCG Algorithm Registry.</param>
/// <param name="DigestBytes">Length of its digests, in bytes.</param>
public readonly record struct DeclaredBank(ushort Algorithm, int DigestBytes)
{
    /// <summary>The bank, if it can be replayed.</summary>
    public PcrBank? Bank => PcrBanks.Of(Algorithm);

    /// <summary>Its name: `sha1`, `sha256`, `sha384`, `sha512`, `sm3`, or the number, `0x0027`.</summary>
    public string Name => Bank is { } bank
        ? bank.Name()
        : Algorithm == PcrBanks.Sm3 ? "sm3" : string.Create(CultureInfo.InvariantCulture, $"0x{Algorithm:x4}");
}

/// <summary>What is known of banks.</summary>
public static class PcrBanks
{
    /// <summary>The number of SM3, which is measured on some machines and cannot be computed here.</summary>
    internal const ushort Sm3 = 0x0012;

    /// <summary>All that can be replayed.</summary>
    public static IReadOnlyList<PcrBank> All { get; } = Enum.GetValues<PcrBank>();

    /// <summary>The bank with this number in the TCG Algorithm Registry, if it can be replayed.</summary>
    public static PcrBank? Of(ushort algorithm) => Enum.IsDefined((PcrBank)algorithm) ? (PcrBank)algorithm : null;

    /// <summary>The bank of this name; null for any other text.</summary>
    public static PcrBank? Named(string name) => name switch
    {
        "sha1" => PcrBank.Sha1,
        "sha256" => PcrBank.Sha256,
        "sha384" => PcrBank.Sha384,
        "sha512" => PcrBank.Sha512,
        _ => null,
    };

    /// <summary>`sha1`, `sha256`, `sha384` or `sha512`.</summary>
    public static string Name(this PcrBank bank) => bank switch
    {
        PcrBank.Sha1 => "sha1",
        PcrBank.Sha256 => "sha256",
        PcrBank.Sha384 => "sha384",
        PcrBank.Sha512 => "sha512",
        _ => throw new UnreachableException(),
    };

    /// <summary>Length of its digests, in bytes.</summary>
    public static int DigestBytes(this PcrBank bank) => bank switch
    {
        PcrBank.Sha1 => SHA1.HashSizeInBytes,
        PcrBank.Sha256 => SHA256.HashSizeInBytes,
        PcrBank.Sha384 => SHA384.HashSizeInBytes,
        PcrBank.Sha512 => SHA512.HashSizeInBytes,
        _ => throw new UnreachableException(),
    };

    /// <summary>The runtime's name of its hash.</summary>
    public static HashAlgorithmName HashName(this PcrBank bank) => bank switch
    {
        PcrBank.Sha1 => HashAlgorithmName.SHA1,
        PcrBank.Sha256 => HashAlgorithmName.SHA256,
        PcrBank.Sha384 => HashAlgorithmName.SHA384,
        PcrBank.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new UnreachableException(),
    };

    /// <summary>The length that a bank of this number must have, or null when it is not known.</summary>
    internal static int? KnownLength(ushort algorithm) =>
        Of(algorithm) is { } bank ? bank.DigestBytes() : algorithm == Sm3 ? 32 : null;

    /// <summary>Hashes data; nothing is allocated.</summary>
    /// <returns>The part of <paramref name="into"/> that was written.</returns>
    internal static ReadOnlySpan<byte> Hash(this PcrBank bank, ReadOnlySpan<byte> data, Span<byte> into)
    {
        int length = CryptographicOperations.HashData(bank.HashName(), data, into);
        return into[..length];
    }
}
