using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// A key service's signed word that keys were destroyed: which, asked by which document, at which place of its
/// journal, how much of the board's log it had seen, and what hosts have answered so far of the bytes in the pool. It
/// is the word of that key service: that no copy was made before is nobody's to prove.
/// </summary>
public sealed class ErasureReceipt
{
    private ErasureReceipt(ErasedKeys keys, PublicKey signer)
    {
        Keys = keys;
        Signer = signer;
    }

    /// <summary>What it says.</summary>
    public ErasedKeys Keys { get; }

    /// <summary>The key service's identity key.</summary>
    public PublicKey Signer { get; }

    /// <summary>Writes and signs a receipt.</summary>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(ErasedKeys keys, ISigner service)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return SignedDocument.Sign(KeyDocuments.Erasure, Members(keys), service);
    }

    /// <summary>SHA-256 of the payload that a receipt of these keys has; the ledger names a receipt so.</summary>
    public static Digest32 DigestOf(ErasedKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return Digest32.Of(SignedDocument.Compose(KeyDocuments.Erasure, Members(keys)));
    }

    /// <summary>Verifies a receipt offline; null with one sentence when it is none of this key service.</summary>
    /// <param name="envelopeJson">The receipt.</param>
    /// <param name="service">The identity key that the tenant's root names for its key service.</param>
    /// <param name="fault">What is wrong.</param>
    public static ErasureReceipt? Verify(ReadOnlySpan<byte> envelopeJson, PublicKey service, out string fault)
    {
        ArgumentNullException.ThrowIfNull(service);
        if (SignedDocument.Read(KeyDocuments.Erasure, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        if (document.Signers(id => id == service.Id ? service : null) is SignatureVerdict.Refused refused)
        {
            fault = $"The key service {service.Id.Short} did not sign it: {refused.Clause}.";
            return null;
        }

        fault = "A member of the receipt has not the form it must have.";
        return Of(document.Root) is { } keys ? new ErasureReceipt(keys, service) : null;
    }

    private static JsonObject Members(ErasedKeys keys) => new()
    {
        ["tenant"] = keys.Subject.Tenant.ToString(),
        ["what"] = keys.Subject.What,
        ["subject"] = keys.Subject.ToString(),
        ["generation"] = keys.Generation,
        ["keys"] = keys.Count,
        ["record"] = keys.Record,
        ["document"] = keys.Document.Hex,
        ["ledgerSize"] = keys.LedgerSize,
        ["ledgerRoot"] = keys.LedgerRoot.Hex,
        ["pending"] = keys.Pending,
        ["scrubs"] = new JsonArray([.. keys.Scrubs.Select(one => new JsonObject
        {
            ["key"] = one.Key,
            ["outcome"] = WireText.Of(one.Outcome),
            ["bytes"] = one.Bytes,
            ["storage"] = WireText.Of(one.Storage),
            ["host"] = one.Host,
            ["vouched"] = one.IsVouched ? 1 : 0,
            ["report"] = one.Report.Hex,
        })]),
    };

    private static ErasedKeys? Of(DocumentObject root) =>
        PartyId.TryParse(root.Text("tenant"), out var tenant)
        && DestroySubject.Read(root.Text("what"), root.Text("subject")) is { } subject && subject.Tenant == tenant
        && root.Count("generation") is { } generation && root.Count("keys") is { } count
        && root.Count("record") is { } record && root.Digest("document") is { } document
        && root.Count("ledgerSize") is { } size && root.Digest("ledgerRoot") is { } ledger
        && root.Count("pending") is { } pending
        && root.ObjectList("scrubs", ErasedKeys.MostScrubs)?.Select(Scrub).ToArray() is { } scrubs
        && scrubs.OfType<ScrubbedKey>().Count() == scrubs.Length
            ? new ErasedKeys(subject, generation, document)
            {
                Count = count, Record = record, LedgerSize = size, LedgerRoot = ledger, Pending = pending,
                Scrubs = [.. scrubs.OfType<ScrubbedKey>()],
            }
            : null;

    private static ScrubbedKey? Scrub(DocumentObject one) =>
        one.HasExactly("bytes", "host", "key", "outcome", "report", "storage", "vouched")
        && KeySubject.Read(one.Text("key")) is { } key && KeyReferences.Host(one.Text("host")) is { } host
        && WireText.TryParse(one.Text("outcome"), out ScrubOutcome outcome) && one.Count("bytes") is { } bytes
        && WireText.TryParse(one.Text("storage"), out ScrubStorage storage)
        && one.Count("vouched") is { } vouched && one.Digest("report") is { } report
            ? new ScrubbedKey(key.ToString(), outcome, report)
            {
                Bytes = bytes, Storage = storage, Host = host.ToString(), IsVouched = vouched == 1,
            }
            : null;
}

/// <summary>Keys that were destroyed.</summary>
/// <param name="Subject">What.</param>
/// <param name="Generation">Which key of that name; for all keys, the master key's generation.</param>
/// <param name="Document">SHA-256 of the approval's payload.</param>
public sealed record ErasedKeys(DestroySubject Subject, long Generation, Digest32 Document)
{
    /// <summary>How many keys of volumes and TPMs.</summary>
    public required long Count { get; init; }

    /// <summary>The index of the intent in the key service's journal.</summary>
    public required long Record { get; init; }

    /// <summary>How many leaves of the board's log the key service had verified.</summary>
    public required long LedgerSize { get; init; }

    /// <summary>The root of that log.</summary>
    public required Digest32 LedgerRoot { get; init; }

    /// <summary>The most reports that one receipt names.</summary>
    public const int MostScrubs = 256;

    /// <summary>For how many keys no host has answered yet what became of the bytes in the pool.</summary>
    public long Pending { get; init; }

    /// <summary>What hosts answered, in the order of the keys; of more than the most, the first.</summary>
    public ImmutableArray<ScrubbedKey> Scrubs { get; init; } = [];
}

/// <summary>What a host answered of the bytes that one key had opened.</summary>
/// <param name="Key">What it was the key of.</param>
/// <param name="Outcome">What became of the bytes.</param>
/// <param name="Report">SHA-256 of the payload of the host's signed report.</param>
public sealed record ScrubbedKey(string Key, ScrubOutcome Outcome, Digest32 Report)
{
    /// <summary>How many bytes were overwritten.</summary>
    public required long Bytes { get; init; }

    /// <summary>What an overwrite there means.</summary>
    public required ScrubStorage Storage { get; init; }

    /// <summary>The host.</summary>
    public required string Host { get; init; }

    /// <summary>Whether the host had a lease of this key service when it answered.</summary>
    public required bool IsVouched { get; init; }
}
