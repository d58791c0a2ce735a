using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Keyring.Sharing;

/// <summary>
/// One share of a master key, for one person to keep: fewer than the threshold tell nothing of the key. Strict
/// canonical JSON with a check that finds a changed byte; the check is no protection against whoever has the share.
/// </summary>
public sealed class KeyShare : IDisposable
{
    /// <summary>The longest document that is read, in bytes.</summary>
    public const int MostBytes = 4096;

    private const string Version = "master-key-share/v1";
    private const string CheckLabel = "bailiwick master key share check v1";
    private const int SetLength = 16;

    private static readonly string[] Members =
        ["bailiwick", "tenant", "generation", "master", "set", "k", "n", "index", "bytes", "check"];

    private KeyShare(ShareOrigin origin, int index, SecretBytes bytes)
    {
        Origin = origin;
        Index = index;
        Bytes = bytes;
    }

    /// <summary>What it is a share of.</summary>
    public ShareOrigin Origin { get; }

    /// <summary>Which share, from 1 on.</summary>
    public int Index { get; }

    internal SecretBytes Bytes { get; }

    /// <summary>Shares a master key out.</summary>
    /// <param name="key">The key.</param>
    /// <param name="threshold">How many shares restore it, from 2.</param>
    /// <param name="count">How many shares there are, to 16.</param>
    /// <exception cref="KeyringException">The numbers make no quorum.</exception>
    public static IReadOnlyList<KeyShare> Split(MasterKey key, int threshold, int count)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (threshold < 2 || threshold > count || count > SecretSharing.MostShares)
        {
            throw new KeyringException(
                $"{threshold} of {count} is no way to share a key: at least 2 must be needed, and there are at most "
                + $"{SecretSharing.MostShares} shares.");
        }

        ShareOrigin origin = new(
            key.Tenant, key.Generation, key.Id, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SetLength)),
            threshold, count);
        return [.. SecretSharing.Split(key.Secret, threshold, count).Select(
            (bytes, at) => new KeyShare(origin, at + 1, bytes))];
    }

    /// <summary>Reads a share; null when it is none of ours or a byte was changed.</summary>
    public static KeyShare? Read(ReadOnlySpan<byte> document)
    {
        if (document.Length > MostBytes || CanonicalJson.ParseCanonical(document) is not JsonReading.Understood read
            || DocumentObject.Of(read.Root) is not { } value || !value.HasExactly(Members)
            || value.Text("bailiwick") != Version || !PartyId.TryParse(value.Text("tenant"), out var tenant)
            || value.Count("generation") is not (>= 1 and var generation) || value.Digest("master") is not { } master
            || value.Text("set") is not { Length: 2 * SetLength } set
            || value.Count("n") is not (>= 2 and <= SecretSharing.MostShares and var count)
            || value.Count("k") is not (>= 2 and var threshold) || threshold > count
            || value.Count("index") is not (>= 1 and var index) || index > count
            || value.Bytes("bytes", MasterKey.Length) is not { Length: MasterKey.Length } bytes)
        {
            return null;
        }

        KeyShare share = new(
            new ShareOrigin(tenant, generation, master, set, (int)threshold, (int)count), (int)index,
            SecretBytes.Take(bytes));
        if (value.Text("check") == share.Check().Hex)
        {
            return share;
        }

        share.Dispose();
        return null;
    }

    /// <summary>The document. It is as secret as the share; its bytes are the caller's to overwrite.</summary>
    public byte[] Write()
    {
        JsonObject document = Said();
        document["check"] = Check().Hex;
        return CanonicalJson.Write(JsonSerializer.SerializeToElement(document));
    }

    /// <summary>Forgets the share.</summary>
    public void Dispose() => Bytes.Dispose();

    private Digest32 Check()
    {
        byte[] said = CanonicalJson.Write(JsonSerializer.SerializeToElement(Said()));
        Digest32 check = Digest32.Of([.. Encoding.ASCII.GetBytes(CheckLabel), 0, .. said]);
        CryptographicOperations.ZeroMemory(said);
        return check;
    }

    private JsonObject Said()
    {
        using SecretLoan loan = Bytes.Borrow();
        return new JsonObject
        {
            ["bailiwick"] = Version,
            ["tenant"] = Origin.Tenant.ToString(),
            ["generation"] = Origin.Generation,
            ["master"] = Origin.Master.Hex,
            ["set"] = Origin.Set,
            ["k"] = Origin.Threshold,
            ["n"] = Origin.Count,
            ["index"] = Index,
            ["bytes"] = Convert.ToBase64String(loan.Bytes),
        };
    }
}

/// <summary>What a share is of. Shares belong together when all of it is the same.</summary>
/// <param name="Tenant">Whose key.</param>
/// <param name="Generation">Which one.</param>
/// <param name="Master">The key's id.</param>
/// <param name="Set">Drawn anew each time a key is shared out.</param>
/// <param name="Threshold">How many shares restore it.</param>
/// <param name="Count">How many there are.</param>
public sealed record ShareOrigin(
    PartyId Tenant, long Generation, Digest32 Master, string Set, int Threshold, int Count);
