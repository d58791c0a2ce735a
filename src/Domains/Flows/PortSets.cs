using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>Sets of ports as sorted ranges that neither overlap nor touch: equal sets have equal ranges.</summary>
internal static class PortSets
{
    /// <summary>The one form of a set.</summary>
    public static ImmutableArray<PortRange> Merged(IEnumerable<PortRange> ranges)
    {
        var merged = new List<PortRange>();
        foreach (var range in ranges.OrderBy(range => range.First).ThenBy(range => range.Last))
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
            {
                merged[^1] = new PortRange(merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            }
            else
            {
                merged.Add(range);
            }
        }

        return [.. merged];
    }

    /// <summary>The ports in both sets; both in their one form.</summary>
    public static ImmutableArray<PortRange> Intersection(
        ImmutableArray<PortRange> left, ImmutableArray<PortRange> right)
    {
        if (left is [var mine] && right is [var theirs] && theirs.First <= mine.First && mine.Last <= theirs.Last)
        {
            return left;
        }

        var common = ImmutableArray.CreateBuilder<PortRange>();
        for (int i = 0, j = 0; i < left.Length && j < right.Length;)
        {
            var first = Math.Max(left[i].First, right[j].First);
            var last = Math.Min(left[i].Last, right[j].Last);
            if (first <= last)
            {
                common.Add(new PortRange(first, last));
            }

            if (left[i].Last < right[j].Last)
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return common.ToImmutable();
    }

    /// <summary>The ports of the first set that are not in the second; both in their one form.</summary>
    public static ImmutableArray<PortRange> Without(
        ImmutableArray<PortRange> whole, ImmutableArray<PortRange> taken)
    {
        var left = ImmutableArray.CreateBuilder<PortRange>();
        foreach (var range in whole)
        {
            var first = range.First;
            foreach (var hole in taken.Where(hole => hole.Last >= range.First && hole.First <= range.Last))
            {
                if (hole.First > first)
                {
                    left.Add(new PortRange(first, hole.First - 1));
                }

                first = hole.Last + 1;
            }

            if (first <= range.Last)
            {
                left.Add(new PortRange(first, range.Last));
            }
        }

        return left.ToImmutable();
    }

    /// <summary><c>5432, 8000-8010</c>.</summary>
    public static string Text(ImmutableArray<PortRange> ports) => string.Join(
        ", ", ports.Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"));
}
