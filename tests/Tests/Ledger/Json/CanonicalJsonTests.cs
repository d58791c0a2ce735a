using System.Text;
using System.Text.Json;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Tests.Ledger.Json;

public sealed class CanonicalJsonTests
{
    [Fact]
    public void Sorts_members_as_rfc_8785_section_3_2_3_does()
    {
        var input = """
            {
              "\u20ac": "Euro Sign",
              "\r": "Carriage Return",
              "\ufb33": "Hebrew Letter Dalet With Dagesh",
              "1": "One",
              "\ud83d\ude00": "Emoji: Grinning Face",
              "\u0080": "Control",
              "\u00f6": "Latin Small Letter O With Diaeresis"
            }
            """;
        var sorted = JsonElement.Parse(Canonical(input)).EnumerateObject().Select(member => member.Value.GetString());
        Assert.Equal(
            [
                "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
                "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
            ],
            sorted);
    }

    [Fact]
    public void Escapes_as_rfc_8785_sections_3_2_2_and_3_2_4_do()
    {
        var input = """
            { "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }
            """;
        var expected = Convert.FromHexString(
            "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c22737472696e67223a22"
            + "e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d");
        Assert.Equal(expected, Canonical(input));
    }

    [Fact]
    public void Escapes_control_characters_and_nothing_else()
    {
        var text = string.Concat(Enumerable.Range(0, 0x80).Select(code => (char)code)) + "\u2028\uffff";
        var written = Encoding.UTF8.GetString(CanonicalJson.Write(JsonSerializer.SerializeToElement(text)));
        Assert.StartsWith(
            "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e", written,
            StringComparison.Ordinal);
        Assert.Contains("\\u001f !\\\"#$%&'()*+,-./0", written, StringComparison.Ordinal);
        Assert.EndsWith(
            "[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\u007f\u2028\uffff\"", written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("\"\"")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("9007199254740991")]
    [InlineData("-9007199254740991")]
    [InlineData("null")]
    [InlineData("""{"a":[{},[],"\u000f"],"b":true}""")]
    public void Accepts_canonical_documents(string text)
    {
        Assert.True(CanonicalJson.IsCanonical(Encoding.UTF8.GetBytes(text)), text);
        Assert.Equal(text, Encoding.UTF8.GetString(Canonical(text)));
    }

    [Theory]
    [InlineData(" {}", 0)]
    [InlineData("{} ", 2)]
    [InlineData("{\"a\": 1}", 5)]
    [InlineData("{\"b\":1,\"a\":2}", 2)]
    [InlineData("\"\\u0041\"", 1)]
    [InlineData("\"\\/\"", 1)]
    [InlineData("\"\\u000A\"", 2)]
    [InlineData("\"\\u000F\"", 6)]
    [InlineData("[\"\\u00e9\"]", 2)]
    public void Refuses_other_forms_of_the_same_value(string text, int offset)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.IsType<JsonReading.Understood>(CanonicalJson.Parse(bytes));
        MustReject(CanonicalJson.ParseCanonical(bytes), JsonFaultCode.NotCanonical, offset);
        Assert.False(CanonicalJson.IsCanonical(bytes));
        Assert.True(CanonicalJson.IsCanonical(Canonical(text)));
    }

    [Theory]
    [InlineData("", JsonFaultCode.Malformed, 0)]
    [InlineData("  ", JsonFaultCode.Malformed, 2)]
    [InlineData("\uFEFF{}", JsonFaultCode.Malformed, 0)]
    [InlineData("{\"a\":1,}", JsonFaultCode.Malformed, 7)]
    [InlineData("[1,]", JsonFaultCode.Malformed, 3)]
    [InlineData("[1 2]", JsonFaultCode.Malformed, 3)]
    [InlineData("[,1]", JsonFaultCode.Malformed, 1)]
    [InlineData("{a:1}", JsonFaultCode.Malformed, 1)]
    [InlineData("{\"a\" 1}", JsonFaultCode.Malformed, 5)]
    [InlineData("{1:1}", JsonFaultCode.Malformed, 1)]
    [InlineData("{\"a\":}", JsonFaultCode.Malformed, 5)]
    [InlineData("[1}", JsonFaultCode.Malformed, 2)]
    [InlineData("{\"a\":1", JsonFaultCode.Malformed, 6)]
    [InlineData("// no\n1", JsonFaultCode.Malformed, 0)]
    [InlineData("[1/**/]", JsonFaultCode.Malformed, 2)]
    [InlineData("True", JsonFaultCode.Malformed, 0)]
    [InlineData("nul", JsonFaultCode.Malformed, 0)]
    [InlineData("NaN", JsonFaultCode.Malformed, 0)]
    [InlineData("'a'", JsonFaultCode.Malformed, 0)]
    [InlineData("\"a", JsonFaultCode.Malformed, 2)]
    [InlineData("\"\n\"", JsonFaultCode.Malformed, 1)]
    [InlineData("\"\0\"", JsonFaultCode.Malformed, 1)]
    [InlineData("\"\\x41\"", JsonFaultCode.Malformed, 1)]
    [InlineData("\"\\u12\"", JsonFaultCode.Malformed, 1)]
    [InlineData("\"\\u+123\"", JsonFaultCode.Malformed, 1)]
    [InlineData("\"\\u 123\"", JsonFaultCode.Malformed, 1)]
    [InlineData("\"\\", JsonFaultCode.Malformed, 1)]
    [InlineData("01", JsonFaultCode.Malformed, 1)]
    [InlineData("+1", JsonFaultCode.Malformed, 0)]
    [InlineData("-", JsonFaultCode.Malformed, 1)]
    [InlineData("1.", JsonFaultCode.Malformed, 2)]
    [InlineData(".5", JsonFaultCode.Malformed, 0)]
    [InlineData("1e", JsonFaultCode.Malformed, 2)]
    [InlineData("0x10", JsonFaultCode.Malformed, 1)]
    [InlineData("1 2", JsonFaultCode.TrailingBytes, 2)]
    [InlineData("{}{}", JsonFaultCode.TrailingBytes, 2)]
    [InlineData("{}\0", JsonFaultCode.TrailingBytes, 2)]
    [InlineData("{\"a\":1,\"a\":1}", JsonFaultCode.DuplicateMember, 7)]
    [InlineData("{\"a\":1,\"\\u0061\":1}", JsonFaultCode.DuplicateMember, 7)]
    [InlineData("[{\"\":1,\"\":2}]", JsonFaultCode.DuplicateMember, 7)]
    [InlineData("1.0", JsonFaultCode.NumberOutOfRange, 0)]
    [InlineData("1e2", JsonFaultCode.NumberOutOfRange, 0)]
    [InlineData("-0", JsonFaultCode.NumberOutOfRange, 0)]
    [InlineData("[333333333.33333329]", JsonFaultCode.NumberOutOfRange, 1)]
    [InlineData("9007199254740992", JsonFaultCode.NumberOutOfRange, 0)]
    [InlineData("-9007199254740992", JsonFaultCode.NumberOutOfRange, 0)]
    [InlineData("99999999999999999999999999", JsonFaultCode.NumberOutOfRange, 0)]
    [InlineData("\"\\ud800\"", JsonFaultCode.InvalidText, 1)]
    [InlineData("\"\\udc00\"", JsonFaultCode.InvalidText, 1)]
    [InlineData("\"\\ud800\\ud800\"", JsonFaultCode.InvalidText, 1)]
    [InlineData("\"\\ud800a\"", JsonFaultCode.InvalidText, 1)]
    [InlineData("\"\\ud800\\n\"", JsonFaultCode.InvalidText, 1)]
    [InlineData("{\"\\udead\":1}", JsonFaultCode.InvalidText, 2)]
    public void Rejects_with_reason_and_place(string text, JsonFaultCode code, int offset) =>
        MustReject(CanonicalJson.Parse(Encoding.UTF8.GetBytes(text)), code, offset);

    [Theory]
    [InlineData("22ff22", 1)]
    [InlineData("22c080 22", 1)]
    [InlineData("2261eda08022", 2)]
    [InlineData("22f490808022", 1)]
    [InlineData("22e282 22", 1)]
    [InlineData("7b22c3223a317d", 2)]
    public void Rejects_bytes_that_are_not_utf8(string hex, int offset) =>
        MustReject(
            CanonicalJson.Parse(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))),
            JsonFaultCode.InvalidText,
            offset);

    [Fact]
    public void Rejects_documents_beyond_the_limits()
    {
        MustReject(Parse(Nested(64)), JsonFaultCode.TooDeep, LedgerLimits.JsonDepth);
        MustReject(Parse(Nested(LedgerLimits.JsonDepth + 1)), JsonFaultCode.TooDeep, LedgerLimits.JsonDepth);
        Assert.IsType<JsonReading.Understood>(Parse(Nested(LedgerLimits.JsonDepth)));
        MustReject(
            Parse(string.Concat(Enumerable.Repeat("{\"a\":", 64)) + "1" + new string('}', 64)),
            JsonFaultCode.TooDeep, 5 * LedgerLimits.JsonDepth);
        MustReject(Parse(new string('[', 100_000)), JsonFaultCode.TooDeep, LedgerLimits.JsonDepth);

        MustReject(Parse('"' + new string('a', 10 * 1024 * 1024) + '"'), JsonFaultCode.TooLarge);
        MustReject(Parse('"' + new string('a', LedgerLimits.JsonBytes - 1) + '"'), JsonFaultCode.TooLarge);
        Assert.IsType<JsonReading.Understood>(Parse('"' + new string('a', LedgerLimits.JsonBytes - 2) + '"'));

        MustReject(Parse(Items(LedgerLimits.JsonMembers + 1)), JsonFaultCode.TooLarge);
        Assert.IsType<JsonReading.Understood>(Parse(Items(LedgerLimits.JsonMembers)));
    }

    [Theory]
    [InlineData("1.5")]
    [InlineData("9007199254740992")]
    [InlineData("[1e400]")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"\\ud800\":1}")]
    public void Refuses_to_write_what_has_no_canonical_form(string text)
    {
        var value = JsonElement.Parse(text);
        Assert.Throws<ArgumentException>(() => CanonicalJson.Write(value));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Write(default));
        Assert.Throws<ArgumentException>(() => CanonicalJson.Write(JsonElement.Parse(Nested(33))));
    }

    private static JsonReading Parse(string text) => CanonicalJson.Parse(Encoding.UTF8.GetBytes(text));

    private static string Nested(int levels) => new string('[', levels) + new string(']', levels);

    private static string Items(int count) => "[" + string.Join(',', Enumerable.Repeat('1', count)) + "]";

    private static byte[] Canonical(string text) =>
        CanonicalJson.Write(Assert.IsType<JsonReading.Understood>(Parse(text)).Root);

    private static void MustReject(JsonReading reading, JsonFaultCode code, int? offset = null)
    {
        var fault = Assert.IsType<JsonReading.Rejected>(reading).Fault;
        Assert.Equal((code, offset ?? fault.Offset), (fault.Code, fault.Offset));
    }
}
