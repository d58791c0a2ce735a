using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Keyring.Sealing;

/// <summary>
/// An RSA key in a PKCS#11 token: the sealed file holds a random key wrapped for it (RSA-OAEP with SHA-256, RFC 8017
/// section 7.1), which only the token opens. Whoever has the file and not the token has nothing to guess at. The token
/// is asked anew each time: without it nothing opens and nothing is sealed. Safe for use from several threads.
/// </summary>
/// <param name="uri">The key.</param>
/// <param name="pinFile">Absolute path of the file with the token's PIN, mode 0600 in a private directory.</param>
public sealed class TokenLock(TokenUri uri, string pinFile) : MasterLock
{
    /// <summary>The name of this method in a sealed file.</summary>
    public const string Method = "token";

    /// <summary>The shortest RSA key that seals, in bits.</summary>
    public const int LeastKeyBits = 2048;

    private const int MostWrappedBytes = 1024;

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    internal override (JsonObject Seal, SecretBytes Key) Close()
    {
        using RSA inside = TokenKey.OpenRsa(uri, pinFile);
        if (inside.KeySize < LeastKeyBits)
        {
            throw new KeyringException(
                $"The token's key {uri} has {inside.KeySize} bits; make one of at least {LeastKeyBits}.");
        }

        // Only the opening needs the token. Encrypting beside it keeps the plain key in our own locked memory.
        using RSA outside = RSA.Create(inside.ExportParameters(includePrivateParameters: false));
        SecretBytes key = SecretBytes.Random(MasterKey.Length);
        using SecretLoan loan = key.Borrow();
        byte[] wrapped = outside.Encrypt(loan.Bytes, RSAEncryptionPadding.OaepSHA256);
        return (
            new JsonObject
            {
                ["method"] = Method,
                ["key"] = Named(outside).Hex,
                ["wrapped"] = Convert.ToBase64String(wrapped),
            },
            key);
    }

    internal override SecretBytes Open(DocumentObject seal, string place)
    {
        ArgumentNullException.ThrowIfNull(seal);
        if (seal.Text("method") != Method)
        {
            throw new KeyringException(
                $"{place} is not sealed by a token; name what it is sealed by in the settings.");
        }

        if (!seal.HasExactly("method", "key", "wrapped") || seal.Digest("key") is not { } sealedBy
            || seal.Bytes("wrapped", MostWrappedBytes) is not { } wrapped)
        {
            throw SealedMasterKey.NotOurs(place);
        }

        using RSA inside = TokenKey.OpenRsa(uri, pinFile);
        if (Named(inside) is var present && present != sealedBy)
        {
            throw new KeyringException(
                $"{place} is sealed by the token key {sealedBy.Hex[..16]}, and {uri} is {present.Hex[..16]}. Name the "
                + "right one.");
        }

        return SecretBytes.Create(MasterKey.Length, key => Unwrap(inside, wrapped, key, place));
    }

    private static void Unwrap(RSA inside, byte[] wrapped, Span<byte> key, string place)
    {
        try
        {
            if (inside.TryDecrypt(wrapped, key, RSAEncryptionPadding.OaepSHA256, out int length)
                && length == key.Length)
            {
                return;
            }
        }
        catch (CryptographicException error)
        {
            throw new KeyringException(
                $"{place} does not open: the token refuses it, or the file was changed. Nothing was unlocked.", error);
        }

        throw SealedMasterKey.NotOurs(place);
    }

    private static Digest32 Named(RSA key) => Digest32.Of(key.ExportSubjectPublicKeyInfo());
}
