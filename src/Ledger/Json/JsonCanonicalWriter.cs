using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Bailiwick.Ledger.Json;

/// <summary>
/// Writes the canonical form of RFC 8785: no white space, members sorted by the UTF-16 code units of their names
/// (section 3.2.3), and only those characters escaped that section 3.2.2.2 lists.
/// </summary>
internal static class JsonCanonicalWriter
{
    private static readonly UTF8Encoding StrictUtf8 =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes <paramref name="value"/>.</summary>
    /// <exception cref="ArgumentException">The value has no canonical form within the limits.</exception>
    public static byte[] Write(JsonElement value, JsonLimits limits)
    {
        var output = new ArrayBufferWriter<byte>();
        Value(output, value, limits.MaxDepth);
        return output.WrittenSpan.ToArray();
    }

    private static void Value(ArrayBufferWriter<byte> output, JsonElement value, int depthLeft)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                Object(output, value, Deeper(depthLeft));
                break;
            case JsonValueKind.Array:
                Array(output, value, Deeper(depthLeft));
                break;
            case JsonValueKind.String:
                Text(output, Decoded(value));
                break;
            case JsonValueKind.Number:
                Number(output, value);
                break;
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.Null:
                output.Write("null"u8);
                break;
            case JsonValueKind.Undefined:
                throw new ArgumentException("There is no value to write.", nameof(value));
            default:
                throw new UnreachableException();
        }
    }

    private static int Deeper(int depthLeft) => depthLeft > 0
        ? depthLeft - 1
        : throw new ArgumentException("The value nests deeper than a signed document may.");

    private static void Object(ArrayBufferWriter<byte> output, JsonElement value, int depthLeft)
    {
        var members = new List<(string Name, JsonElement Value)>();
        foreach (var member in value.EnumerateObject())
        {
            members.Add((Decoded(member), member.Value));
        }

        members.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        output.Write("{"u8);
        for (var i = 0; i < members.Count; i++)
        {
            if (i > 0)
            {
                if (string.Equals(members[i].Name, members[i - 1].Name, StringComparison.Ordinal))
                {
                    throw new ArgumentException($"The member {members[i].Name} is there twice.", nameof(value));
                }

                output.Write(","u8);
            }

            Text(output, members[i].Name);
            output.Write(":"u8);
            Value(output, members[i].Value, depthLeft);
        }

        output.Write("}"u8);
    }

    private static void Array(ArrayBufferWriter<byte> output, JsonElement value, int depthLeft)
    {
        output.Write("["u8);
        var first = true;
        foreach (var item in value.EnumerateArray())
        {
            if (!first)
            {
                output.Write(","u8);
            }

            first = false;
            Value(output, item, depthLeft);
        }

        output.Write("]"u8);
    }

    private static void Number(ArrayBufferWriter<byte> output, JsonElement value)
    {
        if (!value.TryGetInt64(out var integer)
            || integer is > LedgerLimits.JsonInteger or < -LedgerLimits.JsonInteger)
        {
            throw new ArgumentException(
                $"The number {value.GetRawText()} is not an integer within 2^53 - 1 of zero.", nameof(value));
        }

        output.Write(StrictUtf8.GetBytes(integer.ToString(CultureInfo.InvariantCulture)));
    }

    private static void Text(ArrayBufferWriter<byte> output, string text)
    {
        var escaped = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => escaped.Append("\\\""),
                '\\' => escaped.Append("\\\\"),
                '\b' => escaped.Append("\\b"),
                '\t' => escaped.Append("\\t"),
                '\n' => escaped.Append("\\n"),
                '\f' => escaped.Append("\\f"),
                '\r' => escaped.Append("\\r"),
                < ' ' => escaped.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => escaped.Append(c),
            };
        }

        output.Write(StrictUtf8.GetBytes(escaped.Append('"').ToString()));
    }

    private static string Decoded(JsonElement text)
    {
        try
        {
            return text.GetString() ?? throw new UnreachableException();
        }
        catch (InvalidOperationException fault)
        {
            throw new ArgumentException("Text is not well-formed Unicode.", nameof(text), fault);
        }
    }

    private static string Decoded(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException fault)
        {
            throw new ArgumentException("A member's name is not well-formed Unicode.", nameof(member), fault);
        }
    }
}
