using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bailiwick.Channel.Board;

/// <summary>Statements to publish, in an order in which each can be accepted.</summary>
/// <param name="Envelopes">DSSE envelopes as JSON.</param>
public sealed record PostedStatements(ImmutableArray<JsonElement> Envelopes);

/// <summary>The receipts of a batch that was published, in its order.</summary>
public sealed record PostedReceipts(ImmutableArray<PostedReceipt> Receipts);

/// <summary>What proves that a statement is in the log: opens the leaf, and leads from it to a signed root.</summary>
/// <param name="Digest">SHA-256 of the statement's payload, lower hex.</param>
/// <param name="Index">The leaf's index.</param>
/// <param name="Salt">The leaf's salt, base64.</param>
/// <param name="Checkpoint">The signed note of a tree that holds the leaf.</param>
/// <param name="Proof">The inclusion proof in that tree, base64 hashes from the leaf upwards.</param>
public sealed record PostedReceipt(
    string Digest, long Index, string Salt, string Checkpoint, ImmutableArray<string> Proof);

/// <summary>One leaf, opened only to those who may read it.</summary>
/// <param name="Index">The leaf's index.</param>
/// <param name="Commitment">The leaf's data, base64.</param>
/// <param name="Salt">What opens the commitment, base64; absent where the reader may not.</param>
/// <param name="Envelope">The statement's envelope; absent where the reader may not.</param>
public sealed record BoardEntry(
    long Index,
    string Commitment,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Salt = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Envelope = null);

/// <summary>A page of the log.</summary>
/// <param name="Entries">Leaves from the asked index on; fewer than asked at the end or where a page is full.</param>
/// <param name="Checkpoint">The signed note of a tree that holds all of them.</param>
public sealed record EntriesPage(ImmutableArray<BoardEntry> Entries, string Checkpoint);

/// <summary>The newest checkpoint.</summary>
/// <param name="Note">The signed note.</param>
public sealed record CheckpointNote(string Note);

/// <summary>A Merkle proof.</summary>
/// <param name="Hashes">Base64 hashes, in the order of RFC 9162.</param>
public sealed record ProofHashes(ImmutableArray<string> Hashes);
