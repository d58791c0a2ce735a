using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Keyring.Sealing;

/// <summary>
/// A master key at rest: strict canonical JSON with the key under AES-256-GCM (NIST SP 800-38D), a random 96-bit nonce,
/// and everything else that the document says authenticated.
/// </summary>
public static class SealedMasterKey
{
    /// <summary>The longest document that is read, in bytes.</summary>
    public const int MostBytes = 16 * 1024;

    private const string Version = "sealed-master-key/v1";
    private const int NonceLength = 12;
    private const int TagLength = 16;

    /// <summary>Seals a key.</summary>
    /// <exception cref="KeyringException">The lock does not seal: a passphrase that is too short, a token that is away.
    /// </exception>
    public static byte[] Write(MasterKey key, MasterLock by)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(by);
        var (seal, sealKey) = by.Close();
        using (sealKey)
        {
            JsonObject document = new()
            {
                ["bailiwick"] = Version,
                ["tenant"] = key.Tenant.ToString(),
                ["generation"] = key.Generation,
                ["id"] = key.Id.Hex,
                ["seal"] = seal,
            };
            byte[] said = Canonical(document);
            byte[] nonce = RandomNumberGenerator.GetBytes(NonceLength);
            byte[] ciphertext = new byte[MasterKey.Length], tag = new byte[TagLength];
            using SecretLoan sealing = sealKey.Borrow();
            using SecretLoan plain = key.Secret.Borrow();
            using AesGcm cipher = new(sealing.Bytes, TagLength);
            cipher.Encrypt(nonce, plain.Bytes, ciphertext, tag, said);
            document["nonce"] = Convert.ToBase64String(nonce);
            document["ciphertext"] = Convert.ToBase64String(ciphertext);
            document["tag"] = Convert.ToBase64String(tag);
            return Canonical(document);
        }
    }

    /// <summary>Opens a sealed key.</summary>
    /// <param name="document">What <see cref="Write"/> wrote.</param>
    /// <param name="by">What it is sealed by.</param>
    /// <param name="tenant">Whose it must be.</param>
    /// <param name="place">The file, for messages.</param>
    /// <exception cref="KeyringException">It is none of ours, another tenant's, changed, or the lock is another.
    /// </exception>
    public static MasterKey Read(ReadOnlySpan<byte> document, MasterLock by, PartyId tenant, string place)
    {
        ArgumentNullException.ThrowIfNull(by);
        ArgumentNullException.ThrowIfNull(tenant);
        if (document.Length > MostBytes || CanonicalJson.ParseCanonical(document) is not JsonReading.Understood read
            || Parts.Of(read.Root) is not { } parts)
        {
            throw NotOurs(place);
        }

        if (parts.Tenant != tenant)
        {
            throw new KeyringException(
                $"{place} holds a master key of the tenant {parts.Tenant.Short}, and this is {tenant.Short}'s place. "
                + "Put the tenant's own there.");
        }

        using SecretBytes sealKey = by.Open(parts.Seal, place);
        MasterKey key;
        try
        {
            key = MasterKey.Of(
                tenant, parts.Generation, SecretBytes.Create(MasterKey.Length, plain => parts.Decrypt(sealKey, plain)));
        }
        catch (AuthenticationTagMismatchException mismatch)
        {
            throw new KeyringException(
                $"{place} does not open: the passphrase or the token is another, or the file was changed. Nothing was "
                + "unlocked.", mismatch);
        }

        if (key.Id.Hex != parts.Id)
        {
            key.Dispose();
            throw NotOurs(place);
        }

        return key;
    }

    internal static KeyringException NotOurs(string place) => new(
        $"{place} is no sealed master key of this version. Restore it from a copy, or from shares with "
        + "`bailiwick key restore`.");

    private static byte[] Canonical(JsonObject value) => CanonicalJson.Write(JsonSerializer.SerializeToElement(value));

    private sealed record Parts(
        PartyId Tenant, long Generation, string Id, DocumentObject Seal, byte[] Said, Ciphered Bytes)
    {
        private static readonly string[] SaidMembers = ["bailiwick", "tenant", "generation", "id", "seal"];
        private static readonly string[] Members = [.. SaidMembers, "nonce", "ciphertext", "tag"];

        public static Parts? Of(JsonElement root)
        {
            if (DocumentObject.Of(root) is not { } value || !value.HasExactly(Members)
                || value.Text("bailiwick") != Version || !PartyId.TryParse(value.Text("tenant"), out var tenant)
                || value.Count("generation") is not (>= 1 and var generation)
                || value.Digest("id") is not { } id || value.Object("seal") is not { } seal
                || value.Bytes("nonce", NonceLength) is not { Length: NonceLength } nonce
                || value.Bytes("ciphertext", MasterKey.Length) is not { Length: MasterKey.Length } ciphertext
                || value.Bytes("tag", TagLength) is not { Length: TagLength } tag)
            {
                return null;
            }

            JsonObject said = [];
            foreach (string member in SaidMembers)
            {
                said[member] = JsonSerializer.SerializeToNode(root.GetProperty(member));
            }

            return new Parts(tenant, generation, id.Hex, seal, Canonical(said), new Ciphered(nonce, ciphertext, tag));
        }

        public void Decrypt(SecretBytes sealKey, Span<byte> plain)
        {
            using SecretLoan key = sealKey.Borrow();
            using AesGcm cipher = new(key.Bytes, TagLength);
            cipher.Decrypt(Bytes.Nonce, Bytes.Ciphertext, Bytes.Tag, plain, Said);
        }
    }

    private sealed record Ciphered(byte[] Nonce, byte[] Ciphertext, byte[] Tag);
}
