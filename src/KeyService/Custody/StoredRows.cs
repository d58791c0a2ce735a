namespace Bailiwick.KeyService.Custody;

/// <summary>The master key that a store is under.</summary>
internal sealed record StoredMaster(long Generation, string Id);

/// <summary>A domain's wrapped key.</summary>
internal sealed record StoredDomain(string Domain, long Generation, string Serial, byte[] Wrapped);

/// <summary>The wrapped key of a volume or of a machine's TPM.</summary>
internal sealed record StoredKey(string Key, string Domain, long Epoch, string Serial, byte[] Wrapped)
{
    public required long Revision { get; init; }

    public required string Mark { get; init; }
}

/// <summary>A key that was just made, wrapped.</summary>
internal sealed record MadeKey(long Generation, byte[] Wrapped);

/// <summary>A key that was carried in, wrapped.</summary>
/// <param name="Name">What it opens.</param>
/// <param name="Revision">The revision of the statement that describes that.</param>
/// <param name="Made">The wrapped key.</param>
internal sealed record LoadedKey(string Name, long Revision, MadeKey Made);

/// <summary>Everything that one change of the hierarchy does to the store.</summary>
/// <param name="Record">The journal's record of the intent.</param>
/// <param name="Master">The master key that the store is under from now on.</param>
internal sealed record StoreChange(long Record, StoredMaster Master)
{
    /// <summary>Domains whose keys are wrapped anew, or replaced.</summary>
    public List<StoredDomain> Domains { get; } = [];

    /// <summary>Keys that are wrapped anew.</summary>
    public List<StoredKey> Keys { get; } = [];

    public List<string> DomainsGone { get; } = [];

    public List<string> KeysGone { get; } = [];

    public Destruction? Destruction { get; init; }

    public List<Tombstone> Tombstones { get; } = [];

    /// <summary>What lies in the pool under the keys that go.</summary>
    public List<KeptScrub> Scrubs { get; } = [];
}
