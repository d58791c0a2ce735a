using System.Text.Json;

namespace Bailiwick.Domains.Verification;

/// <summary>Reads one rule as nft lists it in JSON (libnftables-json(5)).</summary>
internal sealed class RuleJsonReader
{
    private readonly RuleDraft _draft = new();

    /// <exception cref="UnknownWordException">Something of it is not known.</exception>
    public static FilterRule Read(JsonElement expressions)
    {
        var reader = new RuleJsonReader();
        foreach (var expression in Items(expressions))
        {
            var (word, body) = Only(expression);
            reader.One(word, body);
        }

        return reader._draft.Done(RuleJsonText.Of(expressions));
    }

    private void One(string word, JsonElement body)
    {
        switch (word)
        {
            case "match":
                Match(body);
                break;
            case "vmap":
                Choose(Member(body, "key"), Member(body, "data"));
                break;
            case "counter":
                _draft.Act(new RuleAct.Count(body.ValueKind == JsonValueKind.String ? Text(body) : ""));
                break;
            case "limit":
                Limit(body);
                break;
            case "set":
                Record(body);
                break;
            case "mangle":
                Mangle(Member(body, "key"), Member(body, "value"));
                break;
            case "dnat":
                Translate(body, "daddr");
                break;
            case "snat":
                Translate(body, "saddr");
                break;
            default:
                _draft.Act(new RuleAct.Decide(VerdictOf(word, body)));
                break;
        }
    }

    private void Match(JsonElement body)
    {
        var (operation, left, right) =
            (Text(Member(body, "op")), Member(body, "left"), Member(body, "right"));
        if (operation is not ("==" or "!=" or "in"))
        {
            throw Unknown(body);
        }

        var isEqual = operation != "!=";
        var (word, inner) = Only(left);
        if (word == "&")
        {
            List<JsonElement> parts = [.. Items(inner)];
            var masked = parts.Count == 2 && operation != "in" ? Key(parts[0]) : throw Unknown(body);
            _draft.Masked(masked, Flags(masked, parts[1]), Flags(masked, right), isEqual);
            return;
        }

        if (right.ValueKind == JsonValueKind.String && Text(right) is ['@', .. var set])
        {
            _draft.Lookup(Keys(left), set, isEqual);
            return;
        }

        var key = Key(left);
        if (operation == "in" && key.Type != "ct_state")
        {
            // Of other fields of bits this asks for any of them, and not for one of these values.
            throw Unknown(body);
        }

        _draft.Match(key, Values(key, right), isEqual);
    }

    private static IEnumerable<ValueRange> Values(NftKey key, JsonElement right) =>
        right.ValueKind == JsonValueKind.Object && right.TryGetProperty("set", out var set)
            ? Items(set).Select(value => Range(key.Type, value))
            : right.ValueKind == JsonValueKind.Array && key.Type == "ct_state"
                ? Items(right).Select(value => Range(key.Type, value))
                : [Range(key.Type, right)];

    private void Choose(JsonElement left, JsonElement data)
    {
        if (data.ValueKind == JsonValueKind.String)
        {
            _draft.Act(new RuleAct.ChooseFrom(_draft.Fields(Keys(left)), SetName(data)));
            return;
        }

        var key = Key(left);
        var choices = Items(Member(data, "set")).Select(pair =>
        {
            List<JsonElement> parts = [.. Items(pair)];
            return parts.Count == 2 ? (Range(key.Type, parts[0]), VerdictOf(parts[1])) : throw Unknown(pair);
        });
        _draft.Act(new RuleAct.Choose(_draft.Fields([key])[0], [.. choices.OrderBy(choice => choice.Item1.First)]));
    }

    private void Limit(JsonElement body)
    {
        if (!body.TryGetProperty("inv", out var inverse) || inverse.ValueKind != JsonValueKind.True)
        {
            throw Unknown(body);
        }

        _draft.Limited();
    }

    private void Record(JsonElement body)
    {
        if (Text(Member(body, "op")) != "update"
            || !Items(Member(body, "stmt")).All(one => Only(one).Word == "counter"))
        {
            throw Unknown(body);
        }

        var parts = Items(Member(Member(body, "elem"), "concat")).Select(part =>
            part.ValueKind == JsonValueKind.Number ? part.GetRawText() : _draft.Fields([Key(part)])[0].ToString());
        _draft.Act(new RuleAct.Record(string.Join(" . ", parts), SetName(Member(body, "set"))));
    }

    private void Mangle(JsonElement key, JsonElement value)
    {
        if (key.GetRawText().Contains("tcp option", StringComparison.Ordinal))
        {
            var option = Member(key, "tcp option");
            if (Text(Member(option, "name")) != "maxseg" || Text(Member(Member(value, "rt"), "key")) != "mtu")
            {
                throw Unknown(option);
            }

            _draft.Act(new RuleAct.ClampSegments());
            return;
        }

        var field = Key(key);
        _draft.Act(new RuleAct.Rewrite(_draft.Fields([field])[0], One(field, value)));
    }

    private void Translate(JsonElement body, string end)
    {
        var map = Member(Member(body, "addr"), "map");
        var keys = Keys(Member(map, "key"));
        if (keys[^1] != RuleDraft.Key($"{Text(Member(body, "family"))} {end}")
            || body.EnumerateObject().Any(member => member.Name is not ("family" or "addr")))
        {
            throw Unknown(body);
        }

        _draft.Act(new RuleAct.Translate(_draft.Fields(keys), SetName(Member(map, "data"))));
    }

    public static Verdict VerdictOf(JsonElement verdict)
    {
        var (word, body) = Only(verdict);
        return VerdictOf(word, body);
    }

    private static Verdict VerdictOf(string word, JsonElement body) => word switch
    {
        "accept" => new Verdict.Accept(),
        "drop" => new Verdict.Drop(),
        "return" => new Verdict.Return(),
        "goto" => new Verdict.Goto(Text(Member(body, "target"))),
        "jump" => new Verdict.Jump(Text(Member(body, "target"))),
        _ => throw new UnknownWordException(word),
    };

    private static List<NftKey> Keys(JsonElement left)
    {
        var (word, body) = Only(left);
        return word == "concat" ? [.. Items(body).Select(Key)] : [Key(left)];
    }

    private static NftKey Key(JsonElement left)
    {
        var (word, body) = Only(left);
        return RuleDraft.Key(word switch
        {
            "meta" when Text(Member(body, "key")) is var key =>
                key is "iifname" or "oifname" or "iifgroup" or "oifgroup" ? key : $"meta {key}",
            "payload" when body.TryGetProperty("base", out var start) =>
                $"@{Text(start)},{Member(body, "offset").GetRawText()},{Member(body, "len").GetRawText()}",
            "payload" => $"{Text(Member(body, "protocol"))} {Text(Member(body, "field"))}",
            "exthdr" => $"{Text(Member(body, "name"))} {Text(Member(body, "field"))}",
            "ct" => body.TryGetProperty("dir", out var direction)
                ? $"ct {Text(direction)} {Text(Member(body, "key"))}" : $"ct {Text(Member(body, "key"))}",
            _ => left.GetRawText(),
        });
    }

    private static UInt128 Flags(NftKey key, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => Items(value).Aggregate((UInt128)0, (sum, one) => sum | One(key, one)),
        JsonValueKind.Object when Only(value) is ("|", var parts) =>
            Items(parts).Aggregate((UInt128)0, (sum, one) => sum | Flags(key, one)),
        _ => One(key, value),
    };

    private static UInt128 One(NftKey key, JsonElement value) =>
        Range(key.Type, value) is var range && range.First == range.Last ? range.First : throw Unknown(value);

    /// <summary>A value, a range or a prefix.</summary>
    public static ValueRange Range(string type, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return NftValues.Parse(type, Text(value));
            case JsonValueKind.Number:
                return NftValues.Parse(type, value.GetRawText());
            case JsonValueKind.Object when Only(value) is ("range", var ends):
                List<JsonElement> both = [.. Items(ends)];
                return both.Count == 2 && Range(type, both[0]).First is var first
                    && Range(type, both[1]).Last is var last && first <= last
                        ? new ValueRange(first, last) : throw Unknown(value);
            case JsonValueKind.Object when Only(value) is ("prefix", var prefix):
                return NftValues.Parse(type, $"{Text(Member(prefix, "addr"))}/{Member(prefix, "len").GetRawText()}");
            default:
                throw Unknown(value);
        }
    }

    public static IEnumerable<JsonElement> Items(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : throw Unknown(list);

    public static JsonElement Member(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var member)
            ? member : throw Unknown(body);

    public static string Text(JsonElement text) =>
        text.ValueKind == JsonValueKind.String && text.GetString() is { } known ? known : throw Unknown(text);

    /// <summary>What stands in an object of one member.</summary>
    public static (string Word, JsonElement Body) Only(JsonElement expression)
    {
        if (expression.ValueKind == JsonValueKind.Object)
        {
            var members = expression.EnumerateObject();
            if (members.MoveNext() && members.Current is var only && !members.MoveNext())
            {
                return (only.Name, only.Value);
            }
        }

        throw Unknown(expression);
    }

    private static string SetName(JsonElement name) => Text(name) is ['@', .. var set] ? set : throw Unknown(name);

    private static UnknownWordException Unknown(JsonElement element) => new(element.GetRawText());
}
