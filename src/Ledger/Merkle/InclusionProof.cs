using System.Collections.Immutable;

namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// The hashes that lead from one leaf to a root (RFC 9162 section 2.1.3). A claim until <see cref="Proves"/> is true.
/// </summary>
/// <param name="Index">The leaf's index, from 0.</param>
/// <param name="Size">The size of the tree it is proved to be in.</param>
/// <param name="Path">The siblings, from the leaf upwards.</param>
public sealed record InclusionProof(long Index, long Size, ImmutableArray<Digest32> Path)
{
    /// <summary>Makes the proof for a leaf of the first <paramref name="size"/> leaves, in O(log n) reads.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such leaf.</exception>
    /// <exception cref="InvalidOperationException">A needed hash is not stored.</exception>
    public static InclusionProof Make(long index, long size, INodeReader nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = new List<Digest32>();
        var (begin, end) = (0L, size);
        while (end - begin > 1)
        {
            var split = begin + MerkleTree.SplitPoint(end - begin);
            if (index < split)
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

        path.Reverse();
        return new InclusionProof(index, size, [.. path]);
    }

    /// <summary>True if the leaf with this hash is at <see cref="Index"/> in the tree with this root.</summary>
    public bool Proves(Digest32 leafHash, Digest32 root)
    {
        ArgumentNullException.ThrowIfNull(leafHash);
        ArgumentNullException.ThrowIfNull(root);
        return !Path.IsDefault && ProofFolding.Includes(Index, Size, leafHash, Path, root.Bytes);
    }
}
