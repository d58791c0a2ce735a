using System.Collections.Immutable;
using System.Text.Json;
using static Bailiwick.Domains.Verification.RuleJsonReader;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Reads what <c>nft -j list ruleset</c> prints (libnftables-json(5)): what the kernel has. A member that it does not
/// know is never passed over, wherever it stands.
/// </summary>
public static class RulesetJsonReader
{
    /// <summary>What changes by itself, or is of no meaning to a packet.</summary>
    private static readonly string[] Passing =
        ["family", "table", "name", "handle", "comment", "packets", "bytes", "size", "timeout", "index"];

    /// <summary>Reads tables.</summary>
    /// <param name="json">The listing.</param>
    public static RulesetReading Read(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > RulesetTextReader.MaxLength)
        {
            return new RulesetReading.Unknown("the listing", "more than 256 MiB");
        }

        var reader = new Reader();
        try
        {
            using var document = JsonDocument.Parse(json);
            foreach (var row in Items(Member(document.RootElement, "nftables")))
            {
                reader.Row(row);
            }

            return new RulesetReading.Understood(reader.Ruleset());
        }
        catch (UnknownWordException unknown)
        {
            return new RulesetReading.Unknown(reader.Place, unknown.Message);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // A string that is no Unicode is found only when it is read.
            return new RulesetReading.Unknown("the listing", "something that is no JSON");
        }
    }

    private sealed class Reader
    {
        private readonly List<(string Family, string Name)> _order = [];
        private readonly Dictionary<(string, string), TableParts> _tables = [];
        private readonly RulePatterns _rules = new();

        public string Place { get; private set; } = "the listing";

        public Ruleset Ruleset() => new(
        [
            .. _order.Select(name => (name, parts: _tables[name])).Select(one => new FilterTable(
                one.name.Family, one.name.Name, one.parts.Sets.ToImmutable(),
                one.parts.Chains.ToImmutableSortedDictionary(
                    chain => chain.Key,
                    chain => new FilterChain(chain.Key, chain.Value.Place, [.. chain.Value.Rules]),
                    StringComparer.Ordinal),
                one.parts.Counters.ToImmutable())),
        ]);

        public void Row(JsonElement row)
        {
            var (kind, body) = Only(row);
            switch (kind)
            {
                case "metainfo":
                    break;
                case "table":
                    Knows(body, "");
                    var key = (Text(Member(body, "family")), Text(Member(body, "name")));
                    Require(_tables.TryAdd(key, new TableParts()), body);
                    _order.Add(key);
                    break;
                case "counter":
                    Knows(body, "");
                    Require(Table(body).Counters.Add(Text(Member(body, "name"))), body);
                    break;
                case "set" or "map":
                    var set = Set(body);
                    Require(Table(body).Sets.TryAdd(set.Name, set), body);
                    break;
                case "chain":
                    Require(Table(body).Chains.TryAdd(Text(Member(body, "name")), (PlaceOf(body), [])), body);
                    break;
                case "rule":
                    Knows(body, "chain", "expr");
                    var chains = Table(body).Chains;
                    var chain = Text(Member(body, "chain"));
                    Place = $"{Place}, chain {chain}";
                    Require(chains.ContainsKey(chain), body);
                    var expressions = Member(body, "expr");
                    chains[chain].Rules.Add(
                        _rules.Of(expressions.GetRawText(), () => RuleJsonReader.Read(expressions)));
                    break;
                default:
                    throw new UnknownWordException(row.GetRawText());
            }
        }

        private TableParts Table(JsonElement body)
        {
            var (family, table) = (Text(Member(body, "family")), Text(Member(body, "table")));
            Place = $"table {family} {table}";
            return _tables.GetValueOrDefault((family, table)) ?? throw new UnknownWordException(body.GetRawText());
        }

        private static void Require(bool holds, JsonElement body)
        {
            if (!holds)
            {
                throw new UnknownWordException(body.GetRawText());
            }
        }

        /// <summary>All other members carry a meaning that is not known.</summary>
        private static void Knows(JsonElement body, params string[] known)
        {
            Require(body.ValueKind == JsonValueKind.Object, body);
            Require(body.EnumerateObject().All(member => Passing.Contains(member.Name) || known.Contains(member.Name)),
                body);
        }

        private static ChainPlace? PlaceOf(JsonElement body)
        {
            Knows(body, "type", "hook", "prio", "policy");
            if (!body.TryGetProperty("hook", out var hook))
            {
                return null;
            }

            var (type, policy, number) =
                (Text(Member(body, "type")), Text(Member(body, "policy")), Member(body, "prio"));
            Require(type is "filter" or "nat" && policy is "accept" or "drop"
                && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out _), body);
            return new ChainPlace(
                RulesetTextReader.Hook(Text(hook)), number.GetInt32(), type == "nat", policy == "accept");
        }

        private static NamedSet Set(JsonElement body)
        {
            Knows(body, "type", "map", "flags", "elem");
            var type = Member(body, "type");
            ImmutableArray<string> types = type.ValueKind == JsonValueKind.Array
                ? [.. Items(type).Select(Text)] : [Text(type)];
            var data = body.TryGetProperty("map", out var map) ? Text(map) : null;
            var flags = (body.TryGetProperty("flags", out var listed) ? Items(listed) : []).Select(Text)
                .Where(flag => flag != "dynamic").ToImmutableSortedSet(StringComparer.Ordinal);
            Require(flags.All(flag => flag is "interval" or "timeout"), body);
            // What goes by itself is what passed: no rule asks for it.
            var elements = body.TryGetProperty("elem", out var elem) && !flags.Contains("timeout") ? Items(elem) : [];
            return new NamedSet(
                Text(Member(body, "name")), types, data, flags,
                [.. elements.Select(element => Element(types, data, element))]);
        }

        private static SetElement Element(ImmutableArray<string> types, string? data, JsonElement element)
        {
            if (data is null)
            {
                return new SetElement(PartsOf(types, element));
            }

            List<JsonElement> pair = [.. Items(element)];
            Require(pair.Count == 2, element);
            return data == "verdict"
                ? new SetElement(PartsOf(types, pair[0]), VerdictOf(pair[1]))
                : new SetElement(PartsOf(types, pair[0]), Value: Range(data, pair[1]).First);
        }

        private static ImmutableArray<ValueRange> PartsOf(ImmutableArray<string> types, JsonElement element)
        {
            if (types.Length == 1)
            {
                return [Range(types[0], element)];
            }

            var parts = Member(element, "concat");
            Require(parts.ValueKind == JsonValueKind.Array && parts.GetArrayLength() == types.Length, element);
            var ranges = ImmutableArray.CreateBuilder<ValueRange>(types.Length);
            foreach (var part in parts.EnumerateArray())
            {
                ranges.Add(Range(types[ranges.Count], part));
            }

            return ranges.MoveToImmutable();
        }

        private sealed class TableParts
        {
            public ImmutableSortedDictionary<string, NamedSet>.Builder Sets { get; } =
                ImmutableSortedDictionary.CreateBuilder<string, NamedSet>(StringComparer.Ordinal);

            public SortedDictionary<string, (ChainPlace? Place, List<FilterRule> Rules)> Chains { get; } =
                new(StringComparer.Ordinal);

            public ImmutableSortedSet<string>.Builder Counters { get; } =
                ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        }
    }
}
