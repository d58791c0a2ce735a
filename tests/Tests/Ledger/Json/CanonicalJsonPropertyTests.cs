using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using FsCheck;
using FsCheck.Fluent;

namespace Bailiwick.Tests.Ledger.Json;

public sealed class CanonicalJsonPropertyTests
{
    [Fact]
    public void Writing_what_was_read_changes_nothing_and_is_canonical() =>
        Prop.ForAll<int>(seed =>
        {
            var value = Element(Tree(new Random(seed), 4));
            var written = CanonicalJson.Write(value);
            return CanonicalJson.ParseCanonical(written) is JsonReading.Understood read
                && JsonElement.DeepEquals(read.Root, value)
                && CanonicalJson.Write(read.Root).AsSpan().SequenceEqual(written);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void White_space_escapes_and_the_order_of_members_make_no_difference() =>
        Prop.ForAll<int>(seed =>
        {
            var tree = Tree(new Random(seed), 4);
            var dressed = Encoding.UTF8.GetBytes(Dress(tree, new Random(seed + 1)));
            return CanonicalJson.Parse(dressed) is JsonReading.Understood read
                && CanonicalJson.Write(read.Root).AsSpan().SequenceEqual(CanonicalJson.Write(Element(tree)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_text_comes_back_unless_it_is_half_a_surrogate_pair() =>
        Prop.ForAll<NonNull<string>>(text =>
        {
            var element = JsonSerializer.SerializeToElement(new string([.. text.Get.Where(c => !char.IsSurrogate(c))]));
            return CanonicalJson.ParseCanonical(CanonicalJson.Write(element)) is JsonReading.Understood read
                && read.Root.GetString() == element.GetString();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_bytes_are_read_or_rejected_and_never_throw() =>
        Prop.ForAll<byte[], int>((bytes, seed) =>
        {
            var random = new Random(seed);
            var valid = CanonicalJson.Write(Element(Tree(random, 3)));
            for (var i = 0; i < 3; i++)
            {
                valid[random.Next(valid.Length)] = (byte)random.Next(256);
            }

            return Consistent(bytes) && Consistent(valid);
        }).QuickCheckThrowOnFailure();

    private static bool Consistent(byte[] bytes) => CanonicalJson.Parse(bytes) switch
    {
        JsonReading.Understood read =>
            CanonicalJson.IsCanonical(bytes) == CanonicalJson.Write(read.Root).AsSpan().SequenceEqual(bytes),
        JsonReading.Rejected rejected =>
            rejected.Fault.Offset <= bytes.Length && rejected.Fault.Clause.Length > 0
            && !CanonicalJson.IsCanonical(bytes),
        _ => false,
    };

    private static JsonElement Element(JsonNode? tree) => JsonSerializer.SerializeToElement(tree);

    private static JsonNode? Tree(Random random, int depth) => random.Next(depth > 0 ? 7 : 5) switch
    {
        0 => null,
        1 => JsonValue.Create(random.Next(2) == 0),
        2 => JsonValue.Create(random.NextInt64(-LedgerLimits.JsonInteger, LedgerLimits.JsonInteger + 1)),
        3 => JsonValue.Create(random.Next(-3, 3)),
        4 => JsonValue.Create(Text(random)),
        5 => new JsonArray([.. Enumerable.Range(0, random.Next(5)).Select(_ => Tree(random, depth - 1))]),
        _ => new JsonObject(
            Enumerable.Range(0, random.Next(5)).Select(_ => Text(random)).Distinct(StringComparer.Ordinal)
                .Select(name => KeyValuePair.Create(name, Tree(random, depth - 1)))),
    };

    private static string Text(Random random)
    {
        var text = new StringBuilder();
        for (var i = random.Next(6); i > 0; i--)
        {
            var code = random.Next(4) switch
            {
                0 => random.Next(0x20),
                1 => random.Next(0x20, 0x80),
                2 => random.Next(0xd800),
                _ => random.Next(0xe000, 0x110000),
            };
            text.Append(char.ConvertFromUtf32(code));
        }

        return text.ToString();
    }

    /// <summary>Another spelling of the same value.</summary>
    private static string Dress(JsonNode? tree, Random random)
    {
        var space = new string(' ', random.Next(3)) + (random.Next(2) == 0 ? "\n" : "\t");
        return space + tree switch
        {
            JsonObject members => "{" + space + string.Join(
                space + ",",
                members.OrderBy(_ => random.Next()).Select(
                    member => space + Spell(member.Key) + space + ":" + Dress(member.Value, random))) + space + "}",
            JsonArray items => "[" + string.Join(",", items.Select(item => Dress(item, random))) + space + "]",
            JsonValue value when value.GetValueKind() == JsonValueKind.String => Spell(value.GetValue<string>()),
            null => "null",
            _ => tree.ToJsonString(),
        } + space;
    }

    private static string Spell(string text) =>
        "\"" + string.Concat(text.Select(c => $"\\u{(int)c:X4}")) + "\"";
}
