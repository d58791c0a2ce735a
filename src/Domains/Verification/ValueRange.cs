using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>Values of a field from the first to the last, both included.</summary>
/// <param name="First">The least.</param>
/// <param name="Last">The greatest.</param>
public readonly record struct ValueRange(UInt128 First, UInt128 Last)
{
    /// <summary>One value.</summary>
    public static ValueRange Of(UInt128 value) => new(value, value);
}

/// <summary>Sets of values of one field: ranges in order that neither overlap nor adjoin.</summary>
internal static class Ranges
{
    /// <summary>A mask that would cut a field into more ranges than this is not understood.</summary>
    private const int MostFreeBits = 12;

    public static ImmutableArray<ValueRange> Sorted(IEnumerable<ValueRange> ranges)
    {
        ValueRange[] all = [.. ranges];
        Array.Sort(all, (one, other) => one.First.CompareTo(other.First));
        var kept = 0;
        foreach (var next in all)
        {
            if (next.First > next.Last)
            {
                continue;
            }

            if (kept > 0 && (all[kept - 1].Last == UInt128.MaxValue || next.First <= all[kept - 1].Last + 1))
            {
                all[kept - 1] = all[kept - 1] with { Last = UInt128.Max(all[kept - 1].Last, next.Last) };
            }
            else
            {
                all[kept++] = next;
            }
        }

        return ImmutableArray.Create(all, 0, kept);
    }

    public static ImmutableArray<ValueRange> But(ImmutableArray<ValueRange> ranges, UInt128 greatest)
    {
        var result = ImmutableArray.CreateBuilder<ValueRange>();
        UInt128 from = 0;
        foreach (var range in ranges)
        {
            if (range.First > from)
            {
                result.Add(new ValueRange(from, range.First - 1));
            }

            if (range.Last >= greatest)
            {
                return result.ToImmutable();
            }

            from = range.Last + 1;
        }

        result.Add(new ValueRange(from, greatest));
        return result.ToImmutable();
    }

    public static ImmutableArray<ValueRange> Both(ImmutableArray<ValueRange> one, ImmutableArray<ValueRange> other)
    {
        var result = ImmutableArray.CreateBuilder<ValueRange>();
        for (int i = 0, j = 0; i < one.Length && j < other.Length;)
        {
            var common = new ValueRange(
                UInt128.Max(one[i].First, other[j].First), UInt128.Min(one[i].Last, other[j].Last));
            if (common.First <= common.Last)
            {
                result.Add(common);
            }

            if (one[i].Last < other[j].Last)
            {
                i++;
            }
            else
            {
                j++;
            }
        }

        return result.ToImmutable();
    }

    /// <summary>Whether two have a value in common.</summary>
    public static bool Meet(ImmutableArray<ValueRange> one, ImmutableArray<ValueRange> other)
    {
        for (int i = 0, j = 0; i < one.Length && j < other.Length;)
        {
            if (one[i].First <= other[j].Last && other[j].First <= one[i].Last)
            {
                return true;
            }

            (i, j) = one[i].Last < other[j].Last ? (i + 1, j) : (i, j + 1);
        }

        return false;
    }

    /// <summary>The values that are a given one under a mask; null where they are too many ranges.</summary>
    public static ImmutableArray<ValueRange>? Masked(UInt128 mask, UInt128 value, UInt128 greatest)
    {
        if ((value & ~mask) != 0 || (mask & ~greatest) != 0)
        {
            return [];
        }

        // Bits below the mask's lowest are one range; each free bit above doubles the number of ranges.
        var low = mask == 0 ? greatest : (mask & (~mask + 1)) - 1;
        List<UInt128> free = [];
        for (var bit = low + 1; bit != 0 && bit <= greatest; bit <<= 1)
        {
            if ((mask & bit) == 0)
            {
                free.Add(bit);
            }
        }

        if (free.Count > MostFreeBits)
        {
            return null;
        }

        return Sorted(Enumerable.Range(0, 1 << free.Count).Select(choice =>
        {
            var first = value;
            for (var i = 0; i < free.Count; i++)
            {
                first |= (choice & (1 << i)) != 0 ? free[i] : 0;
            }

            return new ValueRange(first, first + low);
        }));
    }
}
