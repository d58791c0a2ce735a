using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Credentials;

/// <summary>
/// A secret wrapped so that one TPM alone can import it, and opens it only under a policy: what TPM2_Duplicate would
/// give for a sealed object without an inner wrapper (TPM 2.0 Part 1, section 23.3; Part 3, section 13.3). No
/// password opens it, and it cannot be duplicated further, for its policy has no branch for that.
/// </summary>
public sealed class TpmImport
{
    /// <summary>The longest secret, in bytes (MAX_SYM_DATA).</summary>
    public const int MaxSecretBytes = 128;

    private const ushort KeyedHashType = 0x0008;

    private TpmImport(TpmPublic area, ReadOnlyMemory<byte> duplicate, ReadOnlyMemory<byte> encryptedSeed) =>
        (Public, Duplicate, EncryptedSeed) = (area, duplicate, encryptedSeed);

    /// <summary>The sealed object's public area.</summary>
    public TpmPublic Public { get; }

    /// <summary>The content of the TPM2B_PRIVATE, without its size.</summary>
    public ReadOnlyMemory<byte> Duplicate { get; }

    /// <summary>The content of the TPM2B_ENCRYPTED_SECRET, without its size.</summary>
    public ReadOnlyMemory<byte> EncryptedSeed { get; }

    /// <summary>One that was received; what is wrong with it, the TPM finds.</summary>
    internal static TpmImport Received(
        TpmPublic area, ReadOnlyMemory<byte> duplicate, ReadOnlyMemory<byte> encryptedSeed) =>
        new(area, duplicate, encryptedSeed);

    /// <summary>Wraps a secret.</summary>
    /// <param name="parent">The endorsement or storage key under which it is imported.</param>
    /// <param name="policy">The policy that opens it; one that demands nothing is refused.</param>
    /// <param name="secret">1 to 128 bytes.</param>
    /// <param name="random">The caller's cryptographic random number generator.</param>
    /// <exception cref="ArgumentException">The policy demands nothing, or the secret is empty or too long.</exception>
    public static TpmImport Wrap(
        TpmWrappingKey parent, PolicyDigest policy, ReadOnlySpan<byte> secret, RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfZero(secret.Length, nameof(secret));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(secret.Length, MaxSecretBytes, nameof(secret));
        if (policy.DemandsNothing)
        {
            throw new ArgumentException("A policy that demands nothing opens to anybody.", nameof(policy));
        }

        byte[] blinding = new byte[policy.Hash.Size()];
        random(blinding);
        var area = new TpmPublic
        {
            NameHash = policy.Hash,
            Attributes = TpmAttributes.AdminWithPolicy | TpmAttributes.NoDictionaryAttack,
            Policy = policy.Bytes.ToArray(),
            Detail = new TpmKeyDetail.KeyedHash(TpmScheme.None, policy.Hash.Digest([.. blinding, .. secret])),
        };
        byte[] sensitive = new TpmWriter().Sized(
            new TpmWriter().U16(KeyedHashType).Sized([]).Sized(blinding).Sized(secret).ToArray()).ToArray();
        var wrapping = SeedWrapping.Make(parent, "DUPLICATE", random);
        byte[] duplicate = wrapping.Protect(sensitive, area.Name);
        wrapping.Forget();
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(sensitive);
        return new TpmImport(area, duplicate, wrapping.EncryptedSeed);
    }
}
