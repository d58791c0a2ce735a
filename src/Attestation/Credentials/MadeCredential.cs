using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Credentials;

/// <summary>
/// A challenge that only the TPM with a given endorsement key answers, and only while it holds the named key too:
/// TPM2_MakeCredential in software (TPM 2.0 Part 1, section 24; Part 3, section 12.6), so that a verifier needs no TPM.
/// Who answers with the secret (TPM2_ActivateCredential) has both in one TPM. A secret is used once; a wrong answer
/// burns it and is told nothing (CVE-2023-38201).
/// </summary>
public sealed class MadeCredential
{
    private MadeCredential(ReadOnlyMemory<byte> blob, ReadOnlyMemory<byte> encryptedSeed) =>
        (Blob, EncryptedSeed) = (blob, encryptedSeed);

    /// <summary>The content of the TPM2B_ID_OBJECT, without its size.</summary>
    public ReadOnlyMemory<byte> Blob { get; }

    /// <summary>The content of the TPM2B_ENCRYPTED_SECRET, without its size.</summary>
    public ReadOnlyMemory<byte> EncryptedSeed { get; }

    /// <summary>Makes one.</summary>
    /// <param name="endorsement">The endorsement key, which a <see cref="Endorsement.VerifiedEk"/> stands for.</param>
    /// <param name="name">The name of the key that is to be shown in the same TPM.</param>
    /// <param name="secret">What the TPM gives back: 16 bytes up to the length of the endorsement key's hash.</param>
    /// <param name="random">The caller's cryptographic random number generator.</param>
    /// <exception cref="ArgumentOutOfRangeException">The secret is too short or too long.</exception>
    public static MadeCredential Make(
        TpmWrappingKey endorsement, TpmName name, ReadOnlySpan<byte> secret, RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(endorsement);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfLessThan(secret.Length, 16, nameof(secret));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(secret.Length, endorsement.Hash.Size(), nameof(secret));
        var wrapping = SeedWrapping.Make(endorsement, "IDENTITY", random);
        byte[] blob = wrapping.Protect(new TpmWriter().Sized(secret).ToArray(), name);
        wrapping.Forget();
        return new MadeCredential(blob, wrapping.EncryptedSeed);
    }

    /// <summary>
    /// The file that tpm2_activatecredential reads: its magic and version, the TPM2B_ID_OBJECT and the
    /// TPM2B_ENCRYPTED_SECRET.
    /// </summary>
    public byte[] ToToolFile() =>
        new TpmWriter().U32(0xbadcc0de).U32(1).Sized(Blob.Span).Sized(EncryptedSeed.Span).ToArray();
}
