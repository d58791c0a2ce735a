namespace Bailiwick.KeyService.Custody;

/// <summary>Keys that were decided to be destroyed, or that are.</summary>
/// <param name="What"><c>key</c>, <c>domain</c> or <c>all</c>.</param>
/// <param name="Subject">What the key opened, the domain, or the tenant.</param>
/// <param name="Document">SHA-256 of the document that asked for it, lower hex.</param>
public sealed record Destruction(string What, string Subject, string Document)
{
    /// <summary>How many leaves of the board's log the key service had verified.</summary>
    public required long LedgerSize { get; init; }

    /// <summary>The root of that log, lower hex.</summary>
    public required string LedgerRoot { get; init; }

    /// <summary>The journal's record of the intent; set by the vault.</summary>
    public long Record { get; init; }

    /// <summary>Which key of that name it was; for all keys, the master's generation; set by the vault.</summary>
    public long Generation { get; init; }

    /// <summary>How many keys of volumes and TPMs; set by the vault.</summary>
    public long Keys { get; init; }
}

/// <summary>
/// What stands in the place of a destroyed key: no key is made for that name again until a statement newer than this
/// revision asks for one.
/// </summary>
/// <param name="What"><c>key</c> or <c>domain</c>.</param>
/// <param name="Name">What the key opened, or the domain.</param>
/// <param name="Revision">The statement's revision at the destruction.</param>
/// <param name="Generation">Which key of that name was destroyed.</param>
/// <param name="Record">The journal's record of the destruction.</param>
public sealed record Tombstone(string What, string Name, long Revision, long Generation, long Record);

/// <summary>What is known of keys that are about to be destroyed, beside the store.</summary>
/// <param name="RevisionOf">The present revision of the statement that describes a key, or a domain.</param>
/// <param name="ScrubOf">What lies in a pool under the key; null for nothing.</param>
public sealed record DestructionFacts(Func<string, string, long> RevisionOf, Func<GoneKey, KeptScrub?> ScrubOf)
{
    /// <summary>Nothing is known.</summary>
    public static DestructionFacts None { get; } = new((_, _) => 0, _ => null);
}
