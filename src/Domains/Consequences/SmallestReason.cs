using System.Collections.Immutable;
using System.Numerics;

namespace Bailiwick.Domains.Consequences;

/// <summary>
/// The fewest demands that together exclude every candidate: a smallest hitting set of what the candidates miss. Exact
/// up to <see cref="Exact"/> demands; beyond, none of those given could be left out.
/// </summary>
internal static class SmallestReason
{
    /// <summary>Reasons of so many demands are the smallest there are.</summary>
    public const int Exact = 3;

    /// <summary>The demands, by index, ascending.</summary>
    /// <param name="missed">What each candidate misses: bit i for the demand i; never zero.</param>
    /// <param name="demands">How many demands there are.</param>
    public static ImmutableArray<int> Of(IEnumerable<BigInteger> missed, int demands)
    {
        var distinct = missed.ToHashSet();
        if (distinct.Contains(BigInteger.Zero))
        {
            throw new ArgumentException("A candidate misses nothing, so nothing excludes all.", nameof(missed));
        }

        // Whoever misses more is excluded by what excludes one who misses less.
        var least = distinct.Where(one =>
            !distinct.Any(other => other != one && (other & one) == other)).ToArray();
        for (int size = 0; size <= Math.Min(Exact, demands); size++)
        {
            if (Find(least, demands, 0, size, BigInteger.Zero) is { } found)
            {
                return Indices(found, demands);
            }
        }

        var kept = Enumerable.Range(0, demands).Aggregate(BigInteger.Zero, (all, i) => all | BigInteger.One << i);
        for (int i = demands - 1; i >= 0; i--)
        {
            var without = kept & ~(BigInteger.One << i);
            kept = Excludes(without, least) ? without : kept;
        }

        return Indices(kept, demands);
    }

    private static BigInteger? Find(BigInteger[] least, int demands, int from, int more, BigInteger chosen)
    {
        if (more == 0)
        {
            return Excludes(chosen, least) ? chosen : null;
        }

        for (int i = from; i <= demands - more; i++)
        {
            if (Find(least, demands, i + 1, more - 1, chosen | BigInteger.One << i) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static bool Excludes(BigInteger chosen, BigInteger[] least) =>
        Array.TrueForAll(least, one => !(one & chosen).IsZero);

    private static ImmutableArray<int> Indices(BigInteger chosen, int demands) =>
        [.. Enumerable.Range(0, demands).Where(i => !(chosen >> i).IsEven)];
}
