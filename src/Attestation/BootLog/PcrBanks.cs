using System.Globalization;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.BootLog;

/// <summary>A bank as a log declares it; it may be of a hash that cannot be computed here.</summary>
/// <param name="Algorithm">The hash's number in the TCG Algorithm Registry.</param>
/// <param name="DigestBytes">Length of its digests, in bytes.</param>
public readonly record struct DeclaredBank(ushort Algorithm, int DigestBytes)
{
    /// <summary>The bank, if it can be replayed.</summary>
    public TpmHash? Bank => TpmHashes.FromAlgorithm(Algorithm);

    /// <summary>Its name: `sha1`, `sha256`, `sha384`, `sha512`, `sm3`, or the number, `0x0027`.</summary>
    public string Name => Bank is { } bank
        ? bank.Text()
        : Algorithm == PcrBanks.Sm3 ? "sm3" : string.Create(CultureInfo.InvariantCulture, $"0x{Algorithm:x4}");
}

/// <summary>The banks that can be replayed, by their hash.</summary>
public static class PcrBanks
{
    /// <summary>The number of SM3, which is measured on some machines and cannot be computed here.</summary>
    internal const ushort Sm3 = 0x0012;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<TpmHash> All { get; } = Enum.GetValues<TpmHash>();

    /// <summary>The bank of this name, as `sha256`; null for any other text.</summary>
    public static TpmHash? Named(string name) =>
        All.Where(b => b.Text() == name).Select(b => (TpmHash?)b).FirstOrDefault();

    /// <summary>The length that a bank of this number must have, or null when it is not known.</summary>
    internal static int? KnownLength(ushort algorithm) =>
        TpmHashes.FromAlgorithm(algorithm) is { } bank ? bank.Size() : algorithm == Sm3 ? 32 : null;
}
