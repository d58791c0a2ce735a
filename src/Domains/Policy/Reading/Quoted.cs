using System.Globalization;
using System.Text;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>
/// Foreign text inside our sentences: shortened, and without anything a terminal or a log would obey.
/// </summary>
internal static class Quoted
{
    private const int Longest = 60;

    /// <summary>The text between single quotes, with every character outside printable ASCII as an escape.</summary>
    public static string Of(string text)
    {
        var result = new StringBuilder("'");
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, Longest)))
        {
            if (c is >= ' ' and <= '~' and not '\'')
            {
                result.Append(c);
            }
            else
            {
                result.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
        }

        return result.Append(text.Length > Longest ? "...'" : "'").ToString();
    }

    /// <summary>A member's name as a token of a JSON pointer (RFC 6901, section 3), shortened and escaped.</summary>
    public static string Token(string name)
    {
        var quoted = Of(name);
        return quoted[1..^1].Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
    }

    /// <summary>The known word that is nearest to <paramref name="word"/>, or null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        if (word.Length > Longest)
        {
            return null;
        }

        var best = known.Select(candidate => (Word: candidate, Distance: Distance(word, candidate)))
            .OrderBy(pair => pair.Distance).ThenBy(pair => pair.Word, StringComparer.Ordinal).FirstOrDefault();
        return best.Word is not null && best.Distance <= Math.Max(2, best.Word.Length / 3) ? best.Word : null;
    }

    /// <summary>Levenshtein's distance, letters' case ignored.</summary>
    private static int Distance(string left, string right)
    {
        var above = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var row = new int[right.Length + 1];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var same = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]);
                row[j] = Math.Min(Math.Min(above[j], row[j - 1]) + 1, above[j - 1] + (same ? 0 : 1));
            }

            above = row;
        }

        return above[right.Length];
    }
}
