namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// The place of a complete subtree: at level L the index i stands for the leaves from i * 2^L up to but excluding
/// (i + 1) * 2^L. Level 0 holds the leaf hashes.
/// </summary>
/// <param name="Level">The subtree's height, from 0.</param>
/// <param name="Index">Its place among the subtrees of that height, from 0.</param>
public readonly record struct NodeAddress(int Level, long Index);
