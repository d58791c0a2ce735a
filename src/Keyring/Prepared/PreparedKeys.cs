using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Keyring.Prepared;

/// <summary>
/// Keys of one domain's volumes and machines' TPMs that were made where no network is, to be carried to the tenant's
/// key service: strict canonical JSON with the keys under AES-256-GCM (NIST SP 800-38D) by a key derived from the
/// tenant's master key, and everything else that the document says authenticated. It opens under that very master key
/// and nowhere else, so a rotation or a destruction that replaces the master key ends it.
/// </summary>
public sealed class PreparedKeys
{
    /// <summary>The longest document that is read, in bytes.</summary>
    public const int MostBytes = 32 * 1024;

    /// <summary>The most keys of one document.</summary>
    public const int MostKeys = 64;

    private const string Version = "prepared-keys/v1";
    private const string Label = "bailiwick prepared keys v1";
    private const int KeyLength = 32;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private static readonly string[] SaidMembers = ["bailiwick", "tenant", "master", "generation", "domain", "keys"];
    private static readonly string[] Members = [.. SaidMembers, "nonce", "ciphertext", "tag"];
    private readonly byte[] _said;
    private readonly (byte[] Nonce, byte[] Ciphertext, byte[] Tag) _sealed;

    private PreparedKeys(
        PartyId tenant, Digest32 master, string domain, ImmutableArray<string> keys, byte[] said,
        (byte[] Nonce, byte[] Ciphertext, byte[] Tag) ciphered)
    {
        Tenant = tenant;
        Master = master;
        Domain = domain;
        Keys = keys;
        _said = said;
        _sealed = ciphered;
    }

    /// <summary>Whose they are.</summary>
    public PartyId Tenant { get; }

    /// <summary>The id of the master key that they are under.</summary>
    public Digest32 Master { get; }

    /// <summary>The domain that the keys are of: `tenant id/name`.</summary>
    public string Domain { get; }

    /// <summary>What the keys open, in their order: `tenant id/name`, with `.tpm` behind a machine's.</summary>
    public ImmutableArray<string> Keys { get; }

    /// <summary>Makes keys and writes them down sealed.</summary>
    /// <param name="master">The tenant's master key.</param>
    /// <param name="domain">The domain that they are of: `tenant id/name`.</param>
    /// <param name="keys">What they open: 1 to <see cref="MostKeys"/>, none twice.</param>
    /// <exception cref="ArgumentException">None, too many, or one twice.</exception>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public static byte[] Make(MasterKey master, string domain, IReadOnlyCollection<string> keys)
    {
        ArgumentNullException.ThrowIfNull(master);
        ArgumentNullException.ThrowIfNull(keys);
        string[] names = [.. keys.Order(StringComparer.Ordinal)];
        if (!IsList(names))
        {
            throw new ArgumentException($"there are 1 to {MostKeys} names, and none twice", nameof(keys));
        }

        JsonObject document = new()
        {
            ["bailiwick"] = Version,
            ["tenant"] = master.Tenant.ToString(),
            ["master"] = master.Id.Hex,
            ["generation"] = master.Generation,
            ["domain"] = domain,
            ["keys"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]),
        };
        byte[] nonce = RandomNumberGenerator.GetBytes(NonceLength);
        byte[] ciphertext = new byte[KeyLength * names.Length], tag = new byte[TagLength];
        using SecretBytes made = SecretBytes.Random(ciphertext.Length);
        using SecretBytes sealing = master.Derive(Label);
        using (SecretLoan plain = made.Borrow())
        using (SecretLoan by = sealing.Borrow())
        {
            using AesGcm cipher = new(by.Bytes, TagLength);
            cipher.Encrypt(nonce, plain.Bytes, ciphertext, tag, Canonical(document));
        }

        document["nonce"] = Convert.ToBase64String(nonce);
        document["ciphertext"] = Convert.ToBase64String(ciphertext);
        document["tag"] = Convert.ToBase64String(tag);
        return Canonical(document);
    }

    /// <summary>Reads what <see cref="Make"/> wrote; null for anything else. Nothing is opened.</summary>
    public static PreparedKeys? Read(ReadOnlySpan<byte> document)
    {
        if (document.Length > MostBytes || CanonicalJson.ParseCanonical(document) is not JsonReading.Understood read
            || DocumentObject.Of(read.Root) is not { } value || !value.HasExactly(Members)
            || value.Text("bailiwick") != Version || !PartyId.TryParse(value.Text("tenant"), out var tenant)
            || value.Digest("master") is not { } master || value.Count("generation") is not >= 1
            || value.Text("domain") is not { } domain || Names(read.Root) is not { } names
            || value.Bytes("nonce", NonceLength) is not { Length: NonceLength } nonce
            || value.Bytes("ciphertext", KeyLength * names.Length) is not { } ciphertext
            || ciphertext.Length != KeyLength * names.Length
            || value.Bytes("tag", TagLength) is not { Length: TagLength } tag)
        {
            return null;
        }

        JsonObject said = [];
        foreach (string member in SaidMembers)
        {
            said[member] = JsonSerializer.SerializeToNode(read.Root.GetProperty(member));
        }

        return new PreparedKeys(
            tenant, master, domain, [.. names], Canonical(said), (nonce, ciphertext, tag));
    }

    /// <summary>
    /// Opens them, in the order of their names; null when they are not under this master key, or were changed.
    /// </summary>
    /// <exception cref="SecretMemoryException">No memory fit for a secret.</exception>
    public IReadOnlyList<SecretBytes>? Open(MasterKey master)
    {
        ArgumentNullException.ThrowIfNull(master);
        if (master.Id != Master || master.Tenant != Tenant)
        {
            return null;
        }

        using SecretBytes sealing = master.Derive(Label);
        List<SecretBytes> opened = [];
        try
        {
            using SecretBytes all = SecretBytes.Create(KeyLength * Keys.Length, plain => Decrypt(sealing, plain));
            for (int i = 0; i < Keys.Length; i++)
            {
                opened.Add(Part(all, i * KeyLength));
            }

            return opened;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        catch
        {
            opened.ForEach(key => key.Dispose());
            throw;
        }
    }

    private static SecretBytes Part(SecretBytes all, int from) => SecretBytes.Create(KeyLength, into =>
    {
        using SecretLoan loan = all.Borrow();
        loan.Bytes.Slice(from, KeyLength).CopyTo(into);
    });

    private static string[]? Names(JsonElement root)
    {
        if (root.GetProperty("keys") is not { ValueKind: JsonValueKind.Array } list
            || list.GetArrayLength() > MostKeys
            || list.EnumerateArray().Any(name => name.ValueKind != JsonValueKind.String))
        {
            return null;
        }

        string[] names = [.. list.EnumerateArray().Select(name => name.GetString() ?? "")];
        return IsList(names) ? names : null;
    }

    /// <summary>One or more, not too many, each greater than the one before: so none is there twice.</summary>
    private static bool IsList(string[] names) => names.Length is >= 1 and <= MostKeys
        && names.Zip(names.Skip(1)).All(pair => string.CompareOrdinal(pair.First, pair.Second) < 0);

    private void Decrypt(SecretBytes sealing, Span<byte> plain)
    {
        using SecretLoan by = sealing.Borrow();
        using AesGcm cipher = new(by.Bytes, TagLength);
        cipher.Decrypt(_sealed.Nonce, _sealed.Ciphertext, _sealed.Tag, plain, _said);
    }

    private static byte[] Canonical(JsonObject value) => CanonicalJson.Write(JsonSerializer.SerializeToElement(value));
}
