using System.Diagnostics;
using System.Text;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// The texts of the policies' enums: the member's name in lower case with hyphens between its words, for example
/// <c>confidential-vm</c>. Reading is exact; there is no second spelling.
/// </summary>
public static class WireText
{
    /// <summary>The text of a defined value.</summary>
    /// <exception cref="UnreachableException">The value is not defined; a defined one was never made.</exception>
    public static string Of<T>(T value) where T : struct, Enum =>
        Table<T>.Texts.TryGetValue(value, out var text)
            ? text
            : throw new UnreachableException($"{typeof(T).Name} {value} is not defined.");

    /// <summary>Reads a text that <see cref="Of{T}"/> writes; false for any other.</summary>
    public static bool TryParse<T>(string? text, out T value) where T : struct, Enum
    {
        value = default;
        return text is not null && Table<T>.Values.TryGetValue(text, out value);
    }

    /// <summary>All texts of an enum, in the order of its members.</summary>
    public static IReadOnlyList<string> All<T>() where T : struct, Enum => Table<T>.Ordered;

    private static string Hyphenated(string name)
    {
        var text = new StringBuilder(name.Length + 8);
        foreach (var c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
            {
                text.Append('-');
            }

            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    private static class Table<T> where T : struct, Enum
    {
        public static readonly Dictionary<T, string> Texts =
            Enum.GetValues<T>().ToDictionary(value => value, value => Hyphenated(value.ToString()));

        public static readonly Dictionary<string, T> Values =
            Texts.ToDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

        public static readonly string[] Ordered = [.. Enum.GetValues<T>().Select(value => Texts[value])];
    }
}
