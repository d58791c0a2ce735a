using System.Text;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// Writes the text of one nftables table for <c>nft -f -</c> (nftables 1.0.6 and later), one element a line.
/// </summary>
internal sealed class NftText
{
    /// <summary>The line before a set's elements, each of which has a line of its own.</summary>
    public const string Elements = "elements = {";

    private readonly StringBuilder _text = new();
    private int _depth;

    /// <summary>Opens a table that replaces its predecessor in the same transaction.</summary>
    public static NftText Replacing(string family, string table)
    {
        var text = new NftText();
        text.Line($"table {family} {table}");
        text.Line($"delete table {family} {table}");
        text.Open($"table {family} {table}");
        return text;
    }

    public void Open(string head)
    {
        Line(head + " {");
        _depth++;
    }

    public void Close()
    {
        _depth--;
        Line("}");
    }

    public void Line(string line) => _text.Append('\t', _depth).Append(line).Append('\n');

    public void Counters(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            Line($"counter {name} {{ }}");
        }
    }

    /// <summary>A set, or with values a verdict map. Elements are put in order, and each is given once.</summary>
    public void Set(string kind, string name, string type, IEnumerable<string> elements, string? flags = null)
    {
        Open($"{kind} {name}");
        Line(type);
        if (flags is not null)
        {
            Line($"flags {flags}");
        }

        var sorted = Sorted(elements);
        if (sorted.Count > 0)
        {
            Line(Elements);
            _depth++;
            foreach (var element in sorted)
            {
                _text.Append('\t', _depth).Append(element).Append(",\n");
            }

            Close();
        }

        Close();
    }

    public void Chain(string name, params ReadOnlySpan<string> rules)
    {
        Open($"chain {name}");
        foreach (var rule in rules)
        {
            if (rule.Length > 0)
            {
                Line(rule);
            }
        }

        Close();
    }

    private static List<string> Sorted(IEnumerable<string> elements)
    {
        List<string> all = [.. elements];
        for (var i = 1; i < all.Count; i++)
        {
            if (string.CompareOrdinal(all[i - 1], all[i]) >= 0)
            {
                return [.. all.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            }
        }

        return all;
    }

    public override string ToString() => _text.ToString();
}
