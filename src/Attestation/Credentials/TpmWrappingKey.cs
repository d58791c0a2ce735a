using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Credentials;

/// <summary>What stands against a public area as a key to wrap secrets for. Closed.</summary>
public enum WrappingKeyRefusal
{
    /// <summary>It is no restricted decryption key: what it unwraps could be had outside a TPM.</summary>
    NotAStorageKey = 1,

    /// <summary>It, or its secret, can be outside one TPM.</summary>
    NotFixedToOneTpm,

    /// <summary>It has no cipher for what is below it.</summary>
    NoCipher,

    /// <summary>It holds no key, or one that is too short or was made by the generator of CVE-2017-15361.</summary>
    WeakKey,

    /// <summary>Its name is over SHA-1.</summary>
    WeakHash,
}

/// <summary>
/// A key of a TPM that secrets are wrapped for: an endorsement or a storage key (TPM 2.0 Part 1, sections 23 and 24).
/// Made only from a public area that has the attributes of one; that a genuine TPM holds it is for a
/// <see cref="Endorsement.VerifiedEk"/> to say.
/// </summary>
public sealed class TpmWrappingKey
{
    private const int MinRsaBits = 2048;

    private TpmWrappingKey(TpmPublic area, SubjectKey key, int cipherBits) =>
        (Area, Key, CipherBits) = (area, key, cipherBits);

    /// <summary>Its public area.</summary>
    public TpmPublic Area { get; }

    /// <summary>Its key, to be compared with the one in an endorsement certificate.</summary>
    public SubjectKey Key { get; }

    internal int CipherBits { get; }

    internal TpmHash Hash => Area.NameHash;

    /// <summary>Judges a public area, with every reason against it.</summary>
    public static bool TryOf(
        TpmPublic area, [NotNullWhen(true)] out TpmWrappingKey? key, out ImmutableArray<WrappingKeyRefusal> refusals)
    {
        ArgumentNullException.ThrowIfNull(area);
        const TpmAttributes storage = TpmAttributes.Restricted | TpmAttributes.Decrypt;
        const TpmAttributes held =
            TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin;
        var found = ImmutableArray.CreateBuilder<WrappingKeyRefusal>();
        if ((area.Attributes & (storage | TpmAttributes.Sign)) != storage)
        {
            found.Add(WrappingKeyRefusal.NotAStorageKey);
        }

        if ((area.Attributes & held) != held)
        {
            found.Add(WrappingKeyRefusal.NotFixedToOneTpm);
        }

        int? bits = area.Detail switch
        {
            TpmKeyDetail.Rsa rsa => rsa.Symmetric.KeyBits,
            TpmKeyDetail.Ecc ecc => ecc.Symmetric.KeyBits,
            _ => null,
        };
        if (bits is null)
        {
            found.Add(WrappingKeyRefusal.NoCipher);
        }

        var subject = area.Key;
        if (subject is null || (subject.IsRsa && subject.Bits < MinRsaBits) || RocaFingerprint.Marks(subject))
        {
            found.Add(WrappingKeyRefusal.WeakKey);
        }

        if (!area.NameHash.IsStrong())
        {
            found.Add(WrappingKeyRefusal.WeakHash);
        }

        refusals = found.ToImmutable();
        key = found.Count == 0 && subject is not null && bits is { } cipher
            ? new TpmWrappingKey(area, subject, cipher)
            : null;
        return key is not null;
    }
}
