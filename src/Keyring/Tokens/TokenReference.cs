using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Keyring.Tokens;

/// <summary>A signing key in a token, and where its PIN is: stands in a file in the place of a private key.</summary>
/// <param name="Uri">The key.</param>
/// <param name="PinFile">Absolute path of the file with the token's PIN.</param>
/// <param name="Key">Its public half, so that it is known while the token is away.</param>
public sealed record TokenReference(TokenUri Uri, string PinFile, PublicKey Key)
{
    /// <summary>The longest document that is read, in bytes.</summary>
    public const int MostBytes = 8192;

    /// <summary>Reads what <see cref="Write"/> wrote; null when it is not that.</summary>
    public static TokenReference? Read(ReadOnlySpan<byte> document)
    {
        if (document.Length > MostBytes || CanonicalJson.Parse(document) is not JsonReading.Understood read
            || DocumentObject.Of(read.Root) is not { } value || !value.HasExactly("token", "pinFile", "key")
            || value.Key("key") is not { } key || value.Text("token") is not { } token
            || value.Text("pinFile") is not { } pinFile
            || !Path.IsPathFullyQualified(pinFile))
        {
            return null;
        }

        try
        {
            return new TokenReference(TokenUri.Read(token), pinFile, key);
        }
        catch (KeyringException)
        {
            return null;
        }
    }

    /// <summary>Finds a key in its token.</summary>
    /// <exception cref="KeyringException">It does not open, or is not on P-256.</exception>
    /// <exception cref="Durable.DurableException">The PIN's file is loose, a link, or another's.</exception>
    public static TokenReference Of(TokenUri uri, string pinFile)
    {
        using ECDsa key = TokenKey.OpenEcdsa(uri, pinFile);
        return new TokenReference(uri, pinFile, Signer(key, uri).PublicKey);
    }

    /// <summary>Opens it for signing.</summary>
    /// <exception cref="KeyringException">It does not open, or the token has another key there.</exception>
    /// <exception cref="Durable.DurableException">The PIN's file is loose, a link, or another's.</exception>
    public EcdsaSigner Open()
    {
        EcdsaSigner signer = Signer(TokenKey.OpenEcdsa(Uri, PinFile), Uri);
        return signer.PublicKey.Equals(Key)
            ? signer
            : throw new KeyringException(
                $"The token has the key {signer.Id.Short} at {Uri}, and {Key.Id.Short} is expected there.");
    }

    /// <summary>As JSON.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(
        new JsonObject { ["token"] = Uri.Text, ["pinFile"] = PinFile, ["key"] = Key.Base64 });

    private static EcdsaSigner Signer(ECDsa key, TokenUri uri)
    {
        try
        {
            return new EcdsaSigner(key);
        }
        catch (ArgumentException fault)
        {
            throw new KeyringException($"The token's key {uri} is not on the curve P-256; make one there.", fault);
        }
    }
}
