namespace Bailiwick.Attestation.Predicates;

/// <summary>Takes a kernel's command line apart as Linux does (lib/cmdline.c, next_arg).</summary>
internal static class CommandLineReader
{
    /// <summary>The words, without quotation marks; null when a quotation does not end.</summary>
    internal static IReadOnlyList<string>? Words(string line)
    {
        var words = new List<string>();
        var word = new System.Text.StringBuilder();
        bool quoted = false;
        foreach (char c in line)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && IsSpace(c))
            {
                Take(words, word);
            }
            else
            {
                word.Append(c);
            }
        }

        Take(words, word);
        return quoted ? null : words;
    }

    /// <summary>
    /// Whether a word sets a key: `init=` and `init` are both set by `init=/bin/sh`; Linux takes - and _ in a key for
    /// the same.
    /// </summary>
    internal static bool Sets(string word, string key) => KeyOf(word) == KeyOf(key);

    /// <summary>Whether the words give the key of a required `key=value` another value as well.</summary>
    internal static bool Overrides(IReadOnlyList<string> words, string required) =>
        required.Contains('=', StringComparison.Ordinal) && words.Any(w => Sets(w, required) && w != required);

    private static string KeyOf(string word) => word.Split('=')[0].Replace('-', '_');

    private static bool IsSpace(char c) => c is ' ' or (>= '\t' and <= '\r') or '\u00A0';

    private static void Take(List<string> words, System.Text.StringBuilder word)
    {
        if (word.Length > 0)
        {
            words.Add(word.ToString());
            word.Clear();
        }
    }
}
