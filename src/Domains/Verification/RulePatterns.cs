using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Rules that were read, by what they say but for the names of sets: what is counted for each machine says the same for
/// all of them, each time of sets of its own, and is taken apart once.
/// </summary>
internal sealed class RulePatterns
{
    private const char Mark = '@';

    /// <summary>Stands for a name.</summary>
    private const char Place = '\0';
    private readonly Dictionary<string, (FilterRule Rule, ImmutableArray<string> Names)> _known =
        new(StringComparer.Ordinal);
    private readonly List<char> _pattern = [];

    /// <summary>Each name as often as it stands there, in that order.</summary>
    private readonly List<string> _names = [];

    /// <summary>A rule as it was written; read only if none that differs in names of sets alone was read before.
    /// </summary>
    /// <param name="written">The whole rule, in which sets are named behind a mark.</param>
    /// <param name="read">Reads it.</param>
    public FilterRule Of(string written, Func<FilterRule> read)
    {
        if (written.Contains(Place))
        {
            return read();
        }

        Split(written);
        var known = _known.GetAlternateLookup<ReadOnlySpan<char>>();
        if (known.TryGetValue(CollectionsMarshal.AsSpan(_pattern), out var like))
        {
            return like.Names.SequenceEqual(_names, StringComparer.Ordinal)
                ? like.Rule : Renamed(like.Rule, like.Names, _names);
        }

        var rule = read();
        // Only where all that looks like a set's name is one, and names that are one in it are one in all like it.
        if (_names.Distinct(StringComparer.Ordinal).Count() == _names.Count
            && Sets(rule).Order(StringComparer.Ordinal).SequenceEqual(_names.Order(StringComparer.Ordinal)))
        {
            known[CollectionsMarshal.AsSpan(_pattern)] = (rule, [.. _names]);
        }

        return rule;
    }

    /// <summary>Takes a rule apart into its names and what else it says.</summary>
    private void Split(string written)
    {
        _pattern.Clear();
        _names.Clear();
        for (var at = 0; at < written.Length;)
        {
            var mark = written.AsSpan(at).IndexOf(Mark);
            var end = mark < 0 ? written.Length : at + mark + 1;
            _pattern.AddRange(written.AsSpan(at..end));
            at = end;
            var length = mark < 0 ? 0 : Letters(written, at);
            // Behind a set's name is a blank, a quote or nothing; behind what is read by its place, "@nh,64,128", not.
            if (length > 0 && (at + length == written.Length || written[at + length] is ' ' or '"'))
            {
                _names.Add(written.Substring(at, length));
                _pattern.Add(Place);
                at += length;
            }
        }
    }

    private static int Letters(string text, int at)
    {
        var end = at;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '_'))
        {
            end++;
        }

        return end - at;
    }

    /// <summary>The sets that a rule names, each as often as it does.</summary>
    private static IEnumerable<string> Sets(FilterRule rule) => rule.Lookups.Select(lookup => lookup.Set)
        .Concat(rule.Acts.Select(Set).OfType<string>());

    private static string? Set(RuleAct act) => act switch
    {
        RuleAct.ChooseFrom choose => choose.Map,
        RuleAct.Translate translate => translate.Map,
        RuleAct.Record record => record.Set,
        RuleAct.Count or RuleAct.Decide or RuleAct.Choose or RuleAct.Rewrite or RuleAct.ClampSegments => null,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static FilterRule Renamed(FilterRule rule, ImmutableArray<string> old, List<string> names)
    {
        return rule with
        {
            Lookups = [.. rule.Lookups.Select(lookup => lookup with { Set = New(lookup.Set) })],
            Acts =
            [
                .. rule.Acts.Select(act => act switch
                {
                    RuleAct.ChooseFrom choose => choose with { Map = New(choose.Map) },
                    RuleAct.Translate translate => translate with { Map = New(translate.Map) },
                    RuleAct.Record record => record with { Set = New(record.Set) },
                    _ => act,
                }),
            ],
            Text = Words(),
        };

        string New(string name) => names[old.IndexOf(name)];

        string Words()
        {
            var words = new StringBuilder(rule.Text.Length);
            for (var at = 0; at < rule.Text.Length;)
            {
                var mark = rule.Text.AsSpan(at).IndexOf(Mark);
                var end = mark < 0 ? rule.Text.Length : at + mark + 1;
                words.Append(rule.Text.AsSpan(at..end));
                at = end;
                var name = mark < 0 ? "" : rule.Text.Substring(at, Letters(rule.Text, at));
                if (old.Contains(name))
                {
                    words.Append(New(name));
                    at += name.Length;
                }
            }

            return words.ToString();
        }
    }
}
