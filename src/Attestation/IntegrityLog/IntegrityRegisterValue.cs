using System.Security.Cryptography;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// What the register of the integrity log holds (TPM 2.0 Part 1, section 17.2): it begins at zero with the boot, and
/// each entry's digest is extended into it. Who knows only the digests can follow it, so that entries about one tenant
/// need not be shown to another.
/// </summary>
public static class IntegrityRegisterValue
{
    /// <summary>After the boot, before the first entry.</summary>
    public static Digest32 Zero { get; } = Digest32.FromBytes(new byte[Digest32.Length]);

    /// <summary>What is extended for an entry: SHA-256 of its canonical form.</summary>
    public static Digest32 DigestOf(IntegrityEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return Digest32.Of(entry.Write());
    }

    /// <summary>The value after entries of one boot, all of them and in their order.</summary>
    public static Digest32 After(IEnumerable<IntegrityEntry> entries) => After(entries.Select(DigestOf));

    /// <summary>The value after digests of entries.</summary>
    public static Digest32 After(IEnumerable<Digest32> digests)
    {
        ArgumentNullException.ThrowIfNull(digests);
        return digests.Aggregate(Zero, Extend);
    }

    private static Digest32 Extend(Digest32 value, Digest32 digest)
    {
        byte[] both = [.. value.Bytes, .. digest.Bytes];
        return Digest32.FromBytes(SHA256.HashData(both));
    }
}
