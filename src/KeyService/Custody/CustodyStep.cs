namespace Bailiwick.KeyService.Custody;

/// <summary>What a vault reaches while it releases a key, or changes the hierarchy, in this order.</summary>
public enum CustodyStep
{
    /// <summary>The intent is durable.</summary>
    IntentWritten = 1,

    /// <summary>The wrapped key and the holder are durable.</summary>
    HolderStored,

    /// <summary>The key is open in memory and may be sealed.</summary>
    KeyOpened,

    /// <summary>The completion is durable; the sealed key may be answered.</summary>
    CompletionWritten,

    /// <summary>Of a change of the hierarchy: the next master key lies sealed beside the one in force.</summary>
    NextMasterSealed,

    /// <summary>The store is changed, as a whole.</summary>
    HierarchyStored,

    /// <summary>The next master key is in force, and the one before is gone.</summary>
    MasterPromoted,

    /// <summary>Nothing of what was deleted or replaced is in the store's files.</summary>
    StoreScrubbed,
}
