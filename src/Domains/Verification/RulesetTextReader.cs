using System.Collections.Immutable;
using System.Globalization;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Reads the text that <c>Rendering</c> writes for <c>nft -f -</c>: one statement a line. A line that it does not know
/// is never passed over.
/// </summary>
public static class RulesetTextReader
{
    /// <summary>Longest text that is read, in UTF-16 code units.</summary>
    public const int MaxLength = 256 * 1024 * 1024;

    /// <summary>Reads tables.</summary>
    /// <param name="text">Any number of tables.</param>
    public static RulesetReading Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > MaxLength)
        {
            return new RulesetReading.Unknown("the text", "more than 256 MiB");
        }

        var reader = new Reader(text);
        try
        {
            return new RulesetReading.Understood(new Ruleset(reader.Tables()));
        }
        catch (UnknownWordException)
        {
            return new RulesetReading.Unknown(reader.Place, reader.Line);
        }
    }

    private sealed class Reader(string text)
    {
        private readonly RulePatterns _rules = new();
        private int _at;

        public string Place { get; private set; } = "the text";

        public string Line { get; private set; } = "";

        public ImmutableArray<FilterTable> Tables()
        {
            var tables = ImmutableArray.CreateBuilder<FilterTable>();
            while (Advance())
            {
                switch (Line.Split(' '))
                {
                    case ["table", "bridge" or "inet", _] or ["delete", "table", "bridge" or "inet", _]:
                        break;
                    case ["table", "bridge" or "inet", var name, "{"]:
                        var family = Line.Split(' ')[1];
                        tables.Add(Table(family, name));
                        break;
                    default:
                        throw new UnknownWordException(Line);
                }
            }

            return tables.ToImmutable();
        }

        private FilterTable Table(string family, string name)
        {
            var sets = ImmutableSortedDictionary.CreateBuilder<string, NamedSet>(StringComparer.Ordinal);
            var chains = ImmutableSortedDictionary.CreateBuilder<string, FilterChain>(StringComparer.Ordinal);
            var counters = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
            while (Inside($"table {family} {name}"))
            {
                var isNew = Line.Split(' ') switch
                {
                    ["counter", var counter, "{", "}"] => counters.Add(counter),
                    ["set", var set, "{"] => sets.TryAdd(set, Set(set, isMap: false)),
                    ["map", var map, "{"] => sets.TryAdd(map, Set(map, isMap: true)),
                    ["chain", var chain, "{"] => chains.TryAdd(chain, Chain($"{family} {name}", chain)),
                    _ => false,
                };
                if (!isNew)
                {
                    throw new UnknownWordException(Line);
                }
            }

            return new FilterTable(family, name, sets.ToImmutable(), chains.ToImmutable(), counters.ToImmutable());
        }

        private NamedSet Set(string name, bool isMap)
        {
            ImmutableArray<string> types = [];
            string? data = null;
            var flags = ImmutableSortedSet<string>.Empty;
            List<SetElement> elements = [];
            while (Inside(Place))
            {
                switch (RuleWordReader.Split(Line))
                {
                    case ["type" or "typeof", .. var words]:
                        (types, data) = Types(words, Line.StartsWith("typeof", StringComparison.Ordinal));
                        break;
                    case ["flags", var listed]:
                        flags = [.. listed.Split(',').Where(flag => flag != "dynamic")];
                        break;
                    case ["size", _] or ["timeout", _]:
                        break;
                    case ["elements", "=", "{"]:
                        while (Inside(Place))
                        {
                            elements.Add(Element(types, data));
                        }

                        break;
                    default:
                        throw new UnknownWordException(Line);
                }
            }

            return types.Length > 0 && isMap == (data is not null)
                ? new NamedSet(name, types, data, flags, [.. elements])
                : throw new UnknownWordException(Line);
        }

        private static (ImmutableArray<string> Types, string? Data) Types(List<string> words, bool areKeys)
        {
            var types = ImmutableArray.CreateBuilder<string>();
            for (var at = 0; at < words.Count; at++)
            {
                if (areKeys)
                {
                    types.Add(NftWords.TypeOf(RuleWordReader.KeyWords(words, ref at))
                        ?? throw new UnknownWordException(string.Join(' ', words)));
                }
                else
                {
                    types.Add(words[at++]);
                }

                if (at == words.Count)
                {
                    return (types.ToImmutable(), null);
                }

                if (words[at] == ":" && at == words.Count - 2)
                {
                    return (types.ToImmutable(), words[^1]);
                }

                if (words[at] != ".")
                {
                    break;
                }
            }

            throw new UnknownWordException(string.Join(' ', words));
        }

        private SetElement Element(ImmutableArray<string> types, string? data)
        {
            var line = Line.EndsWith(',') ? Line[..^1] : Line;
            string? value = null;
            if (data is not null)
            {
                var colon = line.LastIndexOf(" : ", StringComparison.Ordinal);
                (line, value) = colon < 0 ? throw new UnknownWordException(line) : (line[..colon], line[(colon + 3)..]);
            }

            var parts = line.Split(" . ");
            if (parts.Length != types.Length)
            {
                throw new UnknownWordException(line);
            }

            var ranges = ImmutableArray.CreateBuilder<ValueRange>(parts.Length);
            for (var i = 0; i < parts.Length; i++)
            {
                ranges.Add(NftValues.Parse(types[i], parts[i] is ['"', .. var name, '"'] ? name : parts[i]));
            }

            return data switch
            {
                null => new SetElement(ranges.ToImmutable()),
                "verdict" when value == "accept" => new SetElement(ranges.ToImmutable(), new Verdict.Accept()),
                "verdict" when value == "drop" => new SetElement(ranges.ToImmutable(), new Verdict.Drop()),
                "verdict" => throw new UnknownWordException(line),
                _ => new SetElement(ranges.ToImmutable(), Value: NftValues.Parse(data, value ?? "").First),
            };
        }

        private FilterChain Chain(string table, string name)
        {
            ChainPlace? place = null;
            var rules = ImmutableArray.CreateBuilder<FilterRule>();
            while (Inside($"table {table}, chain {name}"))
            {
                if (Line.StartsWith("type ", StringComparison.Ordinal))
                {
                    place = place is null && rules.Count == 0 ? PlaceOf() : throw new UnknownWordException(Line);
                }
                else
                {
                    rules.Add(_rules.Of(Line, () => RuleWordReader.Read(Line)));
                }
            }

            return new FilterChain(name, place, rules.ToImmutable());
        }

        private ChainPlace PlaceOf() => Line.Split(' ') switch
        {
            ["type", "filter" or "nat", "hook", var hook, "priority", [.. var number, ';'], "policy",
                "accept;" or "drop;"] =>
                new ChainPlace(
                    Hook(hook), Priority(number), Line.StartsWith("type nat", StringComparison.Ordinal),
                    Line.EndsWith("accept;", StringComparison.Ordinal)),
            _ => throw new UnknownWordException(Line),
        };

        private static int Priority(string text) =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number : throw new UnknownWordException(text);

        /// <summary>The next line of a block; false at its end.</summary>
        private bool Inside(string place)
        {
            Place = place;
            return Advance() ? Line != "}" : throw new UnknownWordException("the end of the text");
        }

        private bool Advance()
        {
            while (_at < text.Length)
            {
                var end = text.IndexOf('\n', _at);
                end = end < 0 ? text.Length : end;
                Line = text[_at..end].Trim('\t');
                _at = end + 1;
                if (Line.Length > 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    internal static PacketHook Hook(string word) => word switch
    {
        "prerouting" => PacketHook.Prerouting,
        "input" => PacketHook.Input,
        "forward" => PacketHook.Forward,
        "output" => PacketHook.Output,
        "postrouting" => PacketHook.Postrouting,
        _ => throw new UnknownWordException(word),
    };
}
