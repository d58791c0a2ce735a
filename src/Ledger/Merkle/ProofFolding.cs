namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// The verification algorithms of RFC 9162 over the hashes that a proof brings. Roots are compared as bytes; every hash
/// that is computed has 32, so a root of another length matches nothing but itself between equal sizes.
/// </summary>
internal static class ProofFolding
{
    /// <summary>Verifies an inclusion proof (RFC 9162 section 2.1.3.2).</summary>
    public static bool Includes(
        long index, long size, Digest32 leafHash, IReadOnlyList<Digest32> path, ReadOnlySpan<byte> root)
    {
        if (index < 0 || index >= size || path.Count > LedgerLimits.ProofHashes)
        {
            return false;
        }

        var node = index;
        var last = size - 1;
        var hash = leafHash;
        foreach (var sibling in path)
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                hash = MerkleTree.NodeHash(sibling, hash);
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                hash = MerkleTree.NodeHash(hash, sibling);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && root.SequenceEqual(hash.Bytes);
    }

    /// <summary>
    /// Verifies a consistency proof (RFC 9162 section 2.1.4.2). From the empty tree nothing is proved, so it is false.
    /// </summary>
    public static bool Extends(
        long oldSize,
        long newSize,
        IReadOnlyList<Digest32> path,
        ReadOnlySpan<byte> oldRoot,
        ReadOnlySpan<byte> newRoot)
    {
        if (oldSize < 1 || newSize < oldSize || path.Count > LedgerLimits.ProofHashes)
        {
            return false;
        }

        if (oldSize == newSize)
        {
            return path.Count == 0 && oldRoot.SequenceEqual(newRoot);
        }

        if (path.Count == 0)
        {
            return false;
        }

        // A complete old tree is itself the first hash of the proof, which then leaves it out.
        if (!long.IsPow2(oldSize))
        {
            return FoldBoth(oldSize - 1, newSize - 1, path[0], path.Skip(1), oldRoot, newRoot);
        }

        return oldRoot.Length == Digest32.Length
            && FoldBoth(oldSize - 1, newSize - 1, Digest32.FromBytes(oldRoot), path, oldRoot, newRoot);
    }

    private static bool FoldBoth(
        long node,
        long last,
        Digest32 first,
        IEnumerable<Digest32> rest,
        ReadOnlySpan<byte> oldRoot,
        ReadOnlySpan<byte> newRoot)
    {
        while ((node & 1) == 1)
        {
            node >>= 1;
            last >>= 1;
        }

        var (oldHash, newHash) = (first, first);
        foreach (var sibling in rest)
        {
            if (last == 0)
            {
                return false;
            }

            if ((node & 1) == 1 || node == last)
            {
                oldHash = MerkleTree.NodeHash(sibling, oldHash);
                newHash = MerkleTree.NodeHash(sibling, newHash);
                while ((node & 1) == 0 && node != 0)
                {
                    node >>= 1;
                    last >>= 1;
                }
            }
            else
            {
                newHash = MerkleTree.NodeHash(newHash, sibling);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 && oldRoot.SequenceEqual(oldHash.Bytes) && newRoot.SequenceEqual(newHash.Bytes);
    }
}
