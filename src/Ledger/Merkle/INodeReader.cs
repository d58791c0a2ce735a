namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// Reads the stored hashes of complete subtrees. A proof costs O(log n) reads. The reader is not trusted: what it
/// returns ends in a proof that its verifier checks against a signed root.
/// </summary>
public interface INodeReader
{
    /// <summary>The hash of a complete subtree, or null if it is not stored.</summary>
    Digest32? Find(NodeAddress address);
}
