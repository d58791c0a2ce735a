using System.Text.Json;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// A rule of a listing (libnftables-json(5)) as people know it from nft(8). It is for reading alone: what it has no
/// words for stays as it was listed.
/// </summary>
internal static class RuleJsonText
{
    /// <summary>The rule's words.</summary>
    /// <param name="expressions">Its <c>expr</c>.</param>
    public static string Of(JsonElement expressions) => expressions.ValueKind == JsonValueKind.Array
        ? string.Join(' ', expressions.EnumerateArray().Select(Expression)) : expressions.GetRawText();

    private static string Expression(JsonElement expression)
    {
        if (expression.ValueKind != JsonValueKind.Object || expression.EnumerateObject().ToArray() is not [var only])
        {
            return expression.GetRawText();
        }

        var body = only.Value;
        return only.Name switch
        {
            "accept" or "drop" or "return" => only.Name,
            "jump" or "goto" => $"{only.Name} {Member(body, "target")}",
            "counter" => body.ValueKind == JsonValueKind.String ? $"counter name {body.GetString()}" : "counter",
            "match" => Match(body),
            "vmap" => $"{Value(body, "key")} vmap {Value(body, "data")}",
            _ => expression.GetRawText(),
        };
    }

    private static string Match(JsonElement match)
    {
        var sign = Member(match, "op") is "==" or "in" or "" ? "" : Member(match, "op") + " ";
        return $"{Value(match, "left")} {sign}{Value(match, "right")}";
    }

    private static string Value(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value)
            ? Value(value) : body.GetRawText();

    private static string Value(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return value.GetString() ?? "";
        }

        if (value.ValueKind == JsonValueKind.Array)
        {
            return string.Join(" : ", value.EnumerateArray().Select(Value));
        }

        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().ToArray() is not [var only])
        {
            return value.GetRawText();
        }

        var body = only.Value;
        return only.Name switch
        {
            "payload" when Member(body, "field").Length > 0 => $"{Member(body, "protocol")} {Member(body, "field")}",
            "payload" => $"@{Member(body, "base")},{Raw(body, "offset")},{Raw(body, "len")}",
            "meta" => Member(body, "key") is "iifname" or "oifname" or "iifgroup" or "oifgroup"
                ? Member(body, "key") : $"meta {Member(body, "key")}",
            "ct" => $"ct {Member(body, "key")}",
            "concat" when body.ValueKind == JsonValueKind.Array =>
                string.Join(" . ", body.EnumerateArray().Select(Value)),
            "set" when body.ValueKind == JsonValueKind.Array =>
                $"{{ {string.Join(", ", body.EnumerateArray().Select(Value))} }}",
            "range" when body.ValueKind == JsonValueKind.Array =>
                string.Join('-', body.EnumerateArray().Select(Value)),
            "prefix" => $"{Value(body, "addr")}/{Raw(body, "len")}",
            "&" when body.ValueKind == JsonValueKind.Array =>
                string.Join(" & ", body.EnumerateArray().Select(Value)),
            "elem" => Value(body, "val"),
            "accept" or "drop" or "return" or "jump" or "goto" => Expression(value),
            _ => value.GetRawText(),
        };
    }

    private static string Member(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";

    private static string Raw(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) ? value.GetRawText() : "";
}
