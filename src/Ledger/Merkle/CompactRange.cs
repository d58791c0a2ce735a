using System.Collections.Immutable;

namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// All that is needed to append to a log: its size and the hashes of the complete subtrees that its leaves fall into,
/// the largest first, one for each bit of the size. Immutable.
/// </summary>
public sealed class CompactRange
{
    private readonly ImmutableArray<Digest32> _peaks;

    private CompactRange(long size, ImmutableArray<Digest32> peaks)
    {
        Size = size;
        _peaks = peaks;
    }

    /// <summary>The range of the empty log.</summary>
    public static CompactRange Empty { get; } = new(0, []);

    /// <summary>The number of leaves.</summary>
    public long Size { get; }

    /// <summary>Resumes a log of <paramref name="size"/> leaves from its stored hashes, in O(log n) reads.</summary>
    /// <exception cref="InvalidOperationException">A needed hash is not stored.</exception>
    public static CompactRange Resume(long size, INodeReader nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var peaks = ImmutableArray.CreateBuilder<Digest32>();
        var begin = 0L;
        for (var level = 62; level >= 0; level--)
        {
            var width = 1L << level;
            if ((size & width) != 0)
            {
                peaks.Add(MerkleTree.RangeHash(begin, begin + width, nodes));
                begin += width;
            }
        }

        return new CompactRange(size, peaks.ToImmutable());
    }

    /// <summary>Appends a leaf hash.</summary>
    /// <param name="leafHash">See <see cref="MerkleTree.LeafHash"/>.</param>
    /// <param name="completed">
    /// The subtrees that this leaf completes, to be stored: the leaf itself and then one for each level it fills.
    /// </param>
    public CompactRange Append(
        Digest32 leafHash, out ImmutableArray<(NodeAddress Address, Digest32 Hash)> completed)
    {
        ArgumentNullException.ThrowIfNull(leafHash);
        var peaks = _peaks.ToBuilder();
        var stored = ImmutableArray.CreateBuilder<(NodeAddress, Digest32)>();
        var hash = leafHash;
        stored.Add((new NodeAddress(0, Size), hash));
        for (var level = 1; ((Size >> (level - 1)) & 1) == 1; level++)
        {
            hash = MerkleTree.NodeHash(peaks[^1], hash);
            peaks.RemoveAt(peaks.Count - 1);
            stored.Add((new NodeAddress(level, Size >> level), hash));
        }

        peaks.Add(hash);
        completed = stored.ToImmutable();
        return new CompactRange(checked(Size + 1), peaks.ToImmutable());
    }

    /// <summary>The root of the tree (RFC 9162 section 2.1.1).</summary>
    public Digest32 Root()
    {
        if (_peaks.Length == 0)
        {
            return MerkleTree.EmptyRoot;
        }

        var root = _peaks[^1];
        for (var i = _peaks.Length - 2; i >= 0; i--)
        {
            root = MerkleTree.NodeHash(_peaks[i], root);
        }

        return root;
    }
}
