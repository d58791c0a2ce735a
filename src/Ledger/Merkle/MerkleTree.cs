using System.Security.Cryptography;

namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// The Merkle tree hash of RFC 9162 section 2.1 (the same as RFC 6962's): SHA-256, leaves prefixed with 0x00 and
/// inner nodes with 0x01, so that neither can pass for the other; a tree of n leaves splits at the largest power of two
/// below n.
/// </summary>
public static class MerkleTree
{
    /// <summary>The root of the empty tree: SHA-256 of nothing.</summary>
    public static Digest32 EmptyRoot { get; } = Digest32.Of([]);

    /// <summary>The hash of a leaf: SHA-256(0x00 || data).</summary>
    public static Digest32 LeafHash(ReadOnlySpan<byte> data)
    {
        Span<byte> prefix = [0x00];
        Span<byte> digest = stackalloc byte[Digest32.Length];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(prefix);
        hash.AppendData(data);
        hash.GetHashAndReset(digest);
        return Digest32.FromBytes(digest);
    }

    /// <summary>The hash of an inner node: SHA-256(0x01 || left || right).</summary>
    public static Digest32 NodeHash(Digest32 left, Digest32 right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        Span<byte> data = stackalloc byte[1 + (2 * Digest32.Length)];
        data[0] = 0x01;
        left.Bytes.CopyTo(data[1..]);
        right.Bytes.CopyTo(data[(1 + Digest32.Length)..]);
        return Digest32.Of(data);
    }

    /// <summary>The root of the first <paramref name="size"/> leaves, from O(log n) stored hashes.</summary>
    /// <exception cref="InvalidOperationException">A needed hash is not stored.</exception>
    public static Digest32 Root(long size, INodeReader nodes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size == 0 ? EmptyRoot : RangeHash(0, size, nodes);
    }

    /// <summary>The largest power of two below <paramref name="count"/>, which is at least 2.</summary>
    internal static long SplitPoint(long count) => 1L << System.Numerics.BitOperations.Log2((ulong)(count - 1));

    /// <summary>
    /// The hash of the leaves from <paramref name="begin"/> up to but excluding <paramref name="end"/>.
    /// </summary>
    internal static Digest32 RangeHash(long begin, long end, INodeReader nodes)
    {
        var count = end - begin;
        if (long.IsPow2(count))
        {
            var level = System.Numerics.BitOperations.Log2((ulong)count);
            return nodes.Find(new NodeAddress(level, begin >> level))
                ?? throw new InvalidOperationException(
                    $"The store has no hash at level {level}, index {begin >> level}; the log must be checked.");
        }

        var split = begin + SplitPoint(count);
        return NodeHash(RangeHash(begin, split, nodes), RangeHash(split, end, nodes));
    }
}
