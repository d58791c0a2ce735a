using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Channel.Keys;

/// <summary>
/// The host's key pair for one request: made for it, used once, then forgotten, so that what was recorded on the way
/// can be opened by nobody later. It opens only what was sealed to it in the context it asked for.
/// </summary>
public sealed class SessionKey : IDisposable
{
    private readonly ECDiffieHellman _pair;

    private SessionKey(ECDiffieHellman pair, PublicKey publicKey)
    {
        _pair = pair;
        PublicKey = publicKey;
    }

    /// <summary>The public half, which goes into the signed request.</summary>
    public PublicKey PublicKey { get; }

    /// <summary>Makes a new pair.</summary>
    public static SessionKey Create()
    {
        ECDiffieHellman pair = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        return PublicKey.TryParse(pair.ExportSubjectPublicKeyInfo(), out PublicKey? publicKey)
            ? new SessionKey(pair, publicKey)
            : throw new System.Diagnostics.UnreachableException();
    }

    /// <summary>Opens a sealed key; null when any bit of it, of its context or of the session is another.</summary>
    /// <param name="key">The sealed key.</param>
    /// <param name="tpmPart">What the host's TPM gave out for it; null when it was sealed without.</param>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public SecretBytes? Open(SealedKey key, SecretBytes? tpmPart = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key.Ciphertext.Length != KeySeal.NonceLength + KeySeal.KeyLength + KeySeal.TagLength
            || !PublicKey.TryParse(key.Ephemeral.Span, out _))
        {
            return null;
        }

        try
        {
            return KeySeal.Open(_pair, PublicKey.SubjectPublicKeyInfo, key, tpmPart);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The pair of a private half that was kept.</summary>
    internal static SessionKey Again(PublicKey publicKey, ReadOnlySpan<byte> privateHalf)
    {
        ECDiffieHellman pair = ECDiffieHellman.Create();
        pair.ImportSubjectPublicKeyInfo(publicKey.SubjectPublicKeyInfo, out _);
        ECParameters whole = pair.ExportParameters(includePrivateParameters: false);
        // Pinned, so that the collector leaves no copy behind.
        whole.D = GC.AllocateUninitializedArray<byte>(privateHalf.Length, pinned: true);
        try
        {
            privateHalf.CopyTo(whole.D);
            pair.ImportParameters(whole);
            return new SessionKey(pair, publicKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(whole.D);
        }
    }

    /// <summary>Keeps what was sealed to this session, to be opened again after the session is forgotten.</summary>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public KeptRelease Keep(SealedKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        ECParameters whole = _pair.ExportParameters(includePrivateParameters: true);
        // The runtime hands the private half out in an ordinary array; it is overwritten by the taking.
        return new KeptRelease(key, PublicKey, SecretBytes.Take(whole.D));
    }

    /// <summary>Forgets the private half.</summary>
    public void Dispose() => _pair.Dispose();
}
