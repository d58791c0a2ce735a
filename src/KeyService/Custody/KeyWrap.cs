using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Json;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// Keeps volume keys under the key encryption key: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, and with
/// tenant, volume and generation authenticated, so that a row moved to another volume or service does not open.
/// </summary>
public sealed class KeyWrap
{
    /// <summary>Length of a key, volume or key encryption, in bytes.</summary>
    public const int KeyLength = 32;

    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly SecretBytes _kek;
    private readonly string _tenant;

    /// <summary>Wraps for one tenant.</summary>
    /// <param name="kek">The key encryption key; stays its owner's to dispose of.</param>
    /// <param name="tenant">The tenant's id text.</param>
    public KeyWrap(SecretBytes kek, string tenant)
    {
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentOutOfRangeException.ThrowIfNotEqual(kek.Length, KeyLength, nameof(kek));
        _kek = kek;
        _tenant = tenant;
    }

    /// <summary>Wraps a volume's key: 12 bytes of nonce, 32 of ciphertext, 16 of tag.</summary>
    public byte[] Wrap(string volume, long generation, SecretBytes key)
    {
        ArgumentNullException.ThrowIfNull(key);
        byte[] wrapped = new byte[NonceLength + KeyLength + TagLength];
        RandomNumberGenerator.Fill(wrapped.AsSpan(0, NonceLength));
        using SecretLoan kek = _kek.Borrow();
        using SecretLoan plain = key.Borrow();
        using AesGcm cipher = new(kek.Bytes, TagLength);
        cipher.Encrypt(
            wrapped.AsSpan(0, NonceLength), plain.Bytes, wrapped.AsSpan(NonceLength, KeyLength),
            wrapped.AsSpan(NonceLength + KeyLength), Bound(volume, generation));
        return wrapped;
    }

    /// <summary>Unwraps a volume's key.</summary>
    /// <exception cref="CustodyException">It is of another key or volume, or damaged.</exception>
    public SecretBytes Unwrap(string volume, long generation, byte[] wrapped)
    {
        ArgumentNullException.ThrowIfNull(wrapped);
        if (wrapped.Length != NonceLength + KeyLength + TagLength)
        {
            throw Damaged(volume, null);
        }

        try
        {
            return SecretBytes.Create(KeyLength, plain => Decrypt(wrapped, Bound(volume, generation), plain));
        }
        catch (AuthenticationTagMismatchException mismatch)
        {
            throw Damaged(volume, mismatch);
        }
    }

    private static CustodyException Damaged(string volume, Exception? inner) => new(
        $"The wrapped key of {volume} does not open: it is damaged, of another volume, or under another key encryption "
        + "key. Restore the store and the key encryption key from the same copy.", inner);

    private void Decrypt(byte[] wrapped, byte[] bound, Span<byte> plain)
    {
        using SecretLoan kek = _kek.Borrow();
        using AesGcm cipher = new(kek.Bytes, TagLength);
        cipher.Decrypt(
            wrapped.AsSpan(0, NonceLength), wrapped.AsSpan(NonceLength, KeyLength),
            wrapped.AsSpan(NonceLength + KeyLength), plain, bound);
    }

    private byte[] Bound(string volume, long generation) =>
        CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["tenant"] = _tenant,
            ["volume"] = volume,
            ["generation"] = generation,
        }));
}
