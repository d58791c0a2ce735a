using System.Security.Cryptography;
using System.Text;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Channel.Keys;

/// <summary>
/// The seal around a key on its way from a key service to one session of one host: an ephemeral-static exchange in
/// the manner of HPKE's base mode (RFC 9180), with P-256 (NIST SP 800-56A), HKDF-SHA256 (RFC 5869) and AES-256-GCM
/// (NIST SP 800-38D). The wrapping key depends on both public keys and on the context, and the context is
/// authenticated, so a sealed key opens for no other session, volume, machine or revision.
/// </summary>
public static class KeySeal
{
    /// <summary>Length of a volume's key, in bytes.</summary>
    public const int KeyLength = 32;

    internal const int NonceLength = 12;
    internal const int TagLength = 16;
    private static readonly byte[] Label = Encoding.ASCII.GetBytes("bailiwick key release v1");

    /// <summary>Seals a key to a session's public key.</summary>
    /// <param name="key">The key, <see cref="KeyLength"/> bytes.</param>
    /// <param name="session">The public half of the session key that the host made for this request.</param>
    /// <param name="context">What the release is about, canonical JSON; authenticated, not encrypted.</param>
    public static SealedKey Seal(SecretBytes key, PublicKey session, ReadOnlyMemory<byte> context)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(session);
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength, nameof(key));
        using ECDiffieHellman ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        byte[] mine = ephemeral.ExportSubjectPublicKeyInfo();
        using ECDiffieHellman peer = ECDiffieHellman.Create();
        peer.ImportSubjectPublicKeyInfo(session.SubjectPublicKeyInfo, out _);
        byte[] sealedBytes = new byte[NonceLength + KeyLength + TagLength];
        using SecretBytes wrapping = WrappingKey(ephemeral, peer, mine, session.SubjectPublicKeyInfo, context.Span);
        RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, NonceLength));
        using SecretLoan wrap = wrapping.Borrow();
        using SecretLoan plain = key.Borrow();
        using AesGcm cipher = new(wrap.Bytes, TagLength);
        cipher.Encrypt(
            sealedBytes.AsSpan(0, NonceLength), plain.Bytes, sealedBytes.AsSpan(NonceLength, KeyLength),
            sealedBytes.AsSpan(NonceLength + KeyLength), context.Span);
        return new SealedKey(mine, sealedBytes, context);
    }

    internal static SecretBytes Open(ECDiffieHellman session, ReadOnlySpan<byte> sessionSpki, SealedKey key)
    {
        using ECDiffieHellman peer = ECDiffieHellman.Create();
        peer.ImportSubjectPublicKeyInfo(key.Ephemeral.Span, out _);
        using SecretBytes wrapping = WrappingKey(
            session, peer, key.Ephemeral.Span, sessionSpki, key.Context.Span);
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
        ECDiffieHellman mine, ECDiffieHellman peer, ReadOnlySpan<byte> ephemeralSpki, ReadOnlySpan<byte> sessionSpki,
        ReadOnlySpan<byte> context)
    {
        byte[] shared = mine.DeriveRawSecretAgreement(peer.PublicKey);
        try
        {
            byte[] info = [.. Label, .. ephemeralSpki, .. sessionSpki];
            byte[] salt = SHA256.HashData(context);
            return SecretBytes.Create(
                KeyLength, output => HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, output, salt, info));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
        }
    }
}
