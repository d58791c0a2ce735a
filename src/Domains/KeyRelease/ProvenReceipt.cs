using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// A receipt of destroyed keys that proves by itself that the ledger has it: the receipt, the key service's
/// <see cref="KeyChangeNotice"/> that names it, the salt of that leaf and the path from it (RFC 9162 section 2.1.3) to
/// a checkpoint that the log signed. Only <see cref="Verify"/> makes one, from the document and two keys that are
/// known beforehand; nobody is asked.
/// </summary>
public sealed class ProvenReceipt
{
    /// <summary>The longest document, in bytes.</summary>
    public const int MostBytes = 256 * 1024;

    private const string Version = "proven-receipt/v1";
    private const int MostHashes = 64;
    private static readonly string[] Members =
        ["bailiwick", "receipt", "change", "salt", "index", "checkpoint", "proof"];

    private ProvenReceipt(ErasureReceipt receipt, VerifiedCheckpoint checkpoint, long index)
    {
        Receipt = receipt;
        Checkpoint = checkpoint;
        Index = index;
    }

    /// <summary>What was destroyed.</summary>
    public ErasureReceipt Receipt { get; }

    /// <summary>The signed head of the log that has it.</summary>
    public VerifiedCheckpoint Checkpoint { get; }

    /// <summary>The leaf, from 0.</summary>
    public long Index { get; }

    /// <summary>Writes a receipt with its proof; what it says is not looked at.</summary>
    /// <param name="receipt">The receipt's envelope, as canonical JSON.</param>
    /// <param name="change">The leaf's envelope, as canonical JSON.</param>
    /// <param name="salt">The leaf's salt.</param>
    /// <param name="checkpoint">The signed note of a tree that has the leaf.</param>
    /// <param name="proof">The path in that tree.</param>
    /// <returns>Canonical JSON.</returns>
    public static byte[] Write(
        ReadOnlySpan<byte> receipt, ReadOnlySpan<byte> change, ReadOnlySpan<byte> salt, string checkpoint,
        InclusionProof proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        return CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["bailiwick"] = Version,
            ["receipt"] = JsonNode.Parse(receipt),
            ["change"] = JsonNode.Parse(change),
            ["salt"] = Convert.ToBase64String(salt),
            ["index"] = proof.Index,
            ["checkpoint"] = checkpoint,
            ["proof"] = new JsonArray([.. proof.Path.Select(hash => JsonValue.Create(hash.Base64))]),
        }));
    }

    /// <summary>The envelope of the receipt alone; null when the document is none of this kind.</summary>
    public static byte[]? ReceiptOf(ReadOnlySpan<byte> document) => Read(document)?.Canonical("receipt");

    /// <summary>Verifies all of it; null with one sentence when something does not hold.</summary>
    /// <param name="document">What <see cref="Write"/> wrote.</param>
    /// <param name="service">The identity key that the tenant's root names for its key service.</param>
    /// <param name="log">The key by which the log signs its checkpoints; its name is the log's origin.</param>
    /// <param name="fault">What is wrong.</param>
    public static ProvenReceipt? Verify(
        ReadOnlySpan<byte> document, PublicKey service, NoteKey log, out string fault)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(log);
        fault = "It has not the form of a receipt with its proof.";
        if (Read(document) is not { } read || read.Canonical("receipt") is not { } envelope
            || read.Canonical("change") is not { } change || read.Text("checkpoint") is not { } note
            || read.Count("index") is not { } index || Hashes(document) is not { } path
            || read.Bytes("salt", LedgerLimits.SaltBytes) is not { Length: LedgerLimits.SaltBytes } salt)
        {
            return null;
        }

        if (ErasureReceipt.Verify(envelope, service, out fault) is not { } receipt
            || !IsOf(receipt.Keys, change, service, out fault))
        {
            return null;
        }

        switch (Ledger.Checkpoints.Checkpoint.Open(Encoding.UTF8.GetBytes(note), log, log.Name))
        {
            case CheckpointVerdict.Refused refused:
                fault = $"The checkpoint is not the log's: {refused.Sentence}";
                return null;
            case CheckpointVerdict.Opened { Checkpoint: var head }:
                InclusionProof proof = new(index, head.Size, path);
                fault = $"The change is not leaf {index} of {head}.";
                return proof.Proves(LeafCommitment.LeafHash(salt, change), head.Root)
                    ? new ProvenReceipt(receipt, head, index)
                    : null;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>Whether a leaf is the key service's own statement about this very receipt.</summary>
    private static bool IsOf(ErasedKeys keys, ReadOnlySpan<byte> change, PublicKey service, out string fault)
    {
        fault = "The leaf is no statement of that key service.";
        if (Envelope.Read(change) is not EnvelopeReading.Read { Envelope: var envelope }
            || envelope.PayloadType != StatementPayload.MediaType
            || envelope.Signatures is not [var signature] || signature.Key != service.Id
            || !service.Verifies(
                Envelope.PreAuthEncoding(envelope.PayloadType, envelope.Payload), signature.Value.AsSpan())
            || StatementPayload.Read(envelope.Payload) is not PayloadReading.Read { Payload: var said })
        {
            return false;
        }

        fault = "The leaf is about something else than this receipt.";
        return said.Kind == StatementKind.KeyChange && said.Name == KeyChangeNotice.Name
            && said.Owner == keys.Subject.Tenant
            && KeyChangeNotice.Read(said.Body)?.Receipt == ErasureReceipt.DigestOf(keys);
    }

    private static DocumentObject? Read(ReadOnlySpan<byte> document) =>
        document.Length <= MostBytes && CanonicalJson.ParseCanonical(document) is JsonReading.Understood read
        && DocumentObject.Of(read.Root) is { } value && value.HasExactly(Members) && value.Text("bailiwick") == Version
            ? value
            : null;

    private static ImmutableArray<Digest32>? Hashes(ReadOnlySpan<byte> document)
    {
        if (CanonicalJson.ParseCanonical(document) is not JsonReading.Understood { Root: var root }
            || root.GetProperty("proof") is not { ValueKind: JsonValueKind.Array } list
            || list.GetArrayLength() > MostHashes)
        {
            return null;
        }

        var hashes = ImmutableArray.CreateBuilder<Digest32>();
        foreach (JsonElement item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String || !Digest32.TryParseBase64(item.GetString(), out var hash))
            {
                return null;
            }

            hashes.Add(hash);
        }

        return hashes.ToImmutable();
    }
}
