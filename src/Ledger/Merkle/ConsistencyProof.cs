using System.Collections.Immutable;

namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// The hashes that show one tree to be the beginning of another (RFC 9162 section 2.1.4). A claim until
/// <see cref="Proves"/> is true.
/// </summary>
/// <param name="OldSize">The size of the older tree.</param>
/// <param name="NewSize">The size of the newer tree.</param>
/// <param name="Path">The hashes, in the order of RFC 9162.</param>
public sealed record ConsistencyProof(long OldSize, long NewSize, ImmutableArray<Digest32> Path)
{
    /// <summary>
    /// Makes the proof from the first <paramref name="oldSize"/> to the first <paramref name="newSize"/> leaves, in
    /// O(log n) reads. Empty between equal sizes and from the empty tree, where there is nothing to prove.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The old tree is larger than the new one.</exception>
    /// <exception cref="InvalidOperationException">A needed hash is not stored.</exception>
    public static ConsistencyProof Make(long oldSize, long newSize, INodeReader nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, newSize);
        var path = new List<Digest32>();
        var (begin, end) = (0L, newSize);
        if (oldSize > 0)
        {
            while (oldSize < end)
            {
                var split = begin + MerkleTree.SplitPoint(end - begin);
                if (oldSize <= split)
                {
                    path.Add(MerkleTree.RangeHash(split, end, nodes));
                    end = split;
                }
                else
                {
                    path.Add(MerkleTree.RangeHash(begin, split, nodes));
                    begin = split;
                }
            }

            // The subtree where both meet is known to the verifier only if it is the whole old tree.
            if (begin > 0)
            {
                path.Add(MerkleTree.RangeHash(begin, end, nodes));
            }
        }

        path.Reverse();
        return new ConsistencyProof(oldSize, newSize, [.. path]);
    }

    /// <summary>
    /// True if the tree with <paramref name="oldRoot"/> is the beginning of the one with <paramref name="newRoot"/>.
    /// False from the empty tree, of which nothing can be proved.
    /// </summary>
    public bool Proves(Digest32 oldRoot, Digest32 newRoot)
    {
        ArgumentNullException.ThrowIfNull(oldRoot);
        ArgumentNullException.ThrowIfNull(newRoot);
        return !Path.IsDefault && ProofFolding.Extends(OldSize, NewSize, Path, oldRoot.Bytes, newRoot.Bytes);
    }
}
