using System.Security.Cryptography;
using System.Text;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Channel.Keys;

/// <summary>
/// The seal around a key on its way from a key service to one session of one host: an ephemeral-static exchange in
/// the manner of HPKE's base mode (RFC 9180), with P-256 (NIST SP 800-56A), HKDF-SHA256 (RFC 5869) and AES-256-GCM
/// (NIST SP 800-38D). The wrapping key depends on both public keys and on the context, and the context is
/// authenticated, so a sealed key opens for no other session, volume, machine or revision. A host with a TPM needs a
/// second part, which only that TPM gives out: neither the session nor the TPM alone opens the key.
/// </summary>
public static class KeySeal
{
    /// <summary>Length of a volume's key, in bytes.</summary>
    public const int KeyLength = 32;

    internal const int NonceLength = 12;
    internal const int TagLength = 16;
    private static readonly byte[] Label = Encoding.ASCII.GetBytes("bailiwick key release v1");
    private static readonly byte[] TpmLabel = Encoding.ASCII.GetBytes("bailiwick key release v1, with a TPM's part");

    /// <summary>Seals a key to a session's public key.</summary>
    /// <param name="key">The key, <see cref="KeyLength"/> bytes.</param>
    /// <param name="session">The public half of the session key that the host made for this request.</param>
    /// <param name="context">What the release is about, canonical JSON; authenticated, not encrypted.</param>
    /// <param name="tpmPart">What the host's TPM must give out to open it; null for a host without a TPM.</param>
    public static SealedKey Seal(
        SecretBytes key, PublicKey session, ReadOnlyMemory<byte> context, SecretBytes? tpmPart = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(session);
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength, nameof(key));
        using ECDiffieHellman ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        byte[] mine = ephemeral.ExportSubjectPublicKeyInfo();
        using ECDiffieHellman peer = ECDiffieHellman.Create();
        peer.ImportSubjectPublicKeyInfo(session.SubjectPublicKeyInfo, out _);
        byte[] sealedBytes = new byte[NonceLength + KeyLength + TagLength];
        byte[] info = [.. mine, .. session.SubjectPublicKeyInfo];
        using SecretBytes wrapping = WrappingKey(ephemeral, peer, info, context.Span, tpmPart);
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, NonceLength));
        using SecretLoan wrap = wrapping.Borrow();
        using SecretLoan plain = key.Borrow();
        using AesGcm cipher = new(wrap.Bytes, TagLength);
        cipher.Encrypt(
            sealedBytes.AsSpan(0, NonceLength), plain.Bytes, sealedBytes.AsSpan(NonceLength, KeyLength),
            sealedBytes.AsSpan(NonceLength + KeyLength), context.Span);
        return new SealedKey(mine, sealedBytes, context);
    }

    internal static SecretBytes Open(
        ECDiffieHellman session, ReadOnlySpan<byte> sessionSpki, SealedKey key, SecretBytes? tpmPart)
    {
        using ECDiffieHellman peer = ECDiffieHellman.Create();
        peer.ImportSubjectPublicKeyInfo(key.Ephemeral.Span, out _);
        byte[] info = [.. key.Ephemeral.Span, .. sessionSpki];
        using SecretBytes wrapping = WrappingKey(session, peer, info, key.Context.Span, tpmPart);
        return SecretBytes.Create(KeyLength, plain => Decrypt(wrapping, key, plain));
    }

    private static void Decrypt(SecretBytes wrapping, SealedKey key, Span<byte> plain)
    {
        ReadOnlySpan<byte> bytes = key.Ciphertext.Span;
        using SecretLoan wrap = wrapping.Borrow();
        using AesGcm cipher = new(wrap.Bytes, TagLength);
        cipher.Decrypt(
            bytes[..NonceLength], bytes.Slice(NonceLength, KeyLength), bytes[^TagLength..], plain, key.Context.Span);
    }

    private static SecretBytes WrappingKey(
        ECDiffieHellman mine, ECDiffieHellman peer, ReadOnlySpan<byte> keys, ReadOnlySpan<byte> context,
        SecretBytes? tpmPart)
    {
        byte[] shared = mine.DeriveRawSecretAgreement(peer.PublicKey);
        try
        {
            byte[] salt = SHA256.HashData(context);
            byte[] info = [.. tpmPart is null ? Label : TpmLabel, .. keys];
            using SecretBytes agreed = SecretBytes.Create(
                KeyLength, output => HKDF.Extract(HashAlgorithmName.SHA256, shared, salt, output));
            using SecretBytes? both = tpmPart is null ? null : Mixed(agreed, tpmPart);
            return SecretBytes.Create(KeyLength, output =>
            {
                using SecretLoan from = (both ?? agreed).Borrow();
                HKDF.Expand(HashAlgorithmName.SHA256, from.Bytes, output, info);
            });
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
        }
    }

    /// <summary>Whoever lacks either learns nothing (extraction with a secret salt, RFC 5869, section 3.1).</summary>
    private static SecretBytes Mixed(SecretBytes agreed, SecretBytes tpmPart) => SecretBytes.Create(KeyLength, output =>
    {
        using SecretLoan salt = agreed.Borrow();
        using SecretLoan part = tpmPart.Borrow();
        HKDF.Extract(HashAlgorithmName.SHA256, part.Bytes, salt.Bytes, output);
    });
}
