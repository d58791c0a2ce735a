using System.Numerics;

namespace Bailiwick.Benchmarks.Proving;

/// <summary>
/// How many hashes of two hashes the algorithms of RFC 9162 need, when the hashes of complete subtrees are stored and
/// no others.
/// </summary>
internal static class HashCount
{
    /// <summary>To make and verify an inclusion proof.</summary>
    internal static long Inclusion(long index, long size)
    {
        var (begin, end, count) = (0L, size, 0L);
        while (end - begin > 1)
        {
            var split = begin + Split(end - begin);
            if (index < split)
            {
                count += 1 + Range(end - split);
                end = split;
            }
            else
            {
                count += 1 + Range(split - begin);
                begin = split;
            }
        }

        return count;
    }

    /// <summary>To make and verify a consistency proof.</summary>
    internal static long Consistency(long oldSize, long newSize)
    {
        var (begin, end, count) = (0L, newSize, 0L);
        while (oldSize < end)
        {
            var split = begin + Split(end - begin);
            if (oldSize <= split)
            {
                // To the right of the old tree: in the new root only.
                count += 1 + Range(end - split);
                end = split;
            }
            else
            {
                // A complete left part of both: in both roots.
                count += 2 + Range(split - begin);
                begin = split;
            }
        }

        return count + (begin > 0 ? Range(end - begin) : 0);
    }

    /// <summary>The hash of a range of leaves that no stored hash covers whole.</summary>
    private static long Range(long leaves) => BitOperations.PopCount((ulong)leaves) - 1;

    private static long Split(long count) => 1L << BitOperations.Log2((ulong)(count - 1));
}
