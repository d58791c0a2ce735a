using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// Keeps keys under another key: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, and with the tenant and the
/// key's place in the hierarchy authenticated.
/// </summary>
public sealed class KeyWrap
{
    /// <summary>Length of every key, in bytes.</summary>
    public const int KeyLength = 32;

    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly SecretBytes _parent;
    private readonly string _tenant;

    /// <summary>Wraps for one tenant.</summary>
    /// <param name="parent">The wrapping key; stays its owner's to dispose of.</param>
    /// <param name="tenant">The tenant's id text.</param>
    public KeyWrap(SecretBytes parent, string tenant)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentOutOfRangeException.ThrowIfNotEqual(parent.Length, KeyLength, nameof(parent));
        _parent = parent;
        _tenant = tenant;
    }

    /// <summary>Wraps a key: 12 bytes of nonce, 32 of ciphertext, 16 of tag.</summary>
    public byte[] Wrap(WrapPlace place, SecretBytes key)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(key);
        byte[] wrapped = new byte[NonceLength + KeyLength + TagLength];
        RandomNumberGenerator.Fill(wrapped.AsSpan(0, NonceLength));
        using SecretLoan parent = _parent.Borrow();
        using SecretLoan plain = key.Borrow();
        using AesGcm cipher = new(parent.Bytes, TagLength);
        cipher.Encrypt(
            wrapped.AsSpan(0, NonceLength), plain.Bytes, wrapped.AsSpan(NonceLength, KeyLength),
            wrapped.AsSpan(NonceLength + KeyLength), place.Bound(_tenant));
        return wrapped;
    }

    /// <summary>Unwraps a key.</summary>
    /// <exception cref="CustodyException">It is of another place or under another key, or damaged.</exception>
    public SecretBytes Unwrap(WrapPlace place, byte[] wrapped)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(wrapped);
        if (wrapped.Length != NonceLength + KeyLength + TagLength)
        {
            throw Damaged(place, null);
        }

        try
        {
            return SecretBytes.Create(KeyLength, plain => Decrypt(wrapped, place.Bound(_tenant), plain));
        }
        catch (AuthenticationTagMismatchException mismatch)
        {
            throw Damaged(place, mismatch);
        }
    }

    private static CustodyException Damaged(WrapPlace place, Exception? inner) => new(
        $"The wrapped key of {place.Name} does not open: it is damaged, of another place, or under another key of "
        + $"{place.Parent}. Restore the store and the sealed master key from the same copy.", inner);

    private void Decrypt(byte[] wrapped, byte[] bound, Span<byte> plain)
    {
        using SecretLoan parent = _parent.Borrow();
        using AesGcm cipher = new(parent.Bytes, TagLength);
        cipher.Decrypt(
            wrapped.AsSpan(0, NonceLength), wrapped.AsSpan(NonceLength, KeyLength),
            wrapped.AsSpan(NonceLength + KeyLength), plain, bound);
    }
}
