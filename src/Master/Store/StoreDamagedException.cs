namespace Bailiwick.Master.Store;

/// <summary>The store does not hold what the log committed to. The board does not serve, and signs nothing.</summary>
/// <param name="index">The first entry that is wrong; null if no entry is concerned.</param>
/// <param name="sentence">What is wrong.</param>
public sealed class StoreDamagedException(long? index, string sentence)
    : Exception($"The store is damaged. {sentence} Restore it from a copy; followers show which copy is new enough.")
{
    /// <summary>The first entry that is wrong, or that nothing vouches for; null if no entry is concerned.</summary>
    public long? Index { get; } = index;
}
