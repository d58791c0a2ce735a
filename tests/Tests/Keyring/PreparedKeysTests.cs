using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Keyring;

/// <summary>Keys that were made without a network open under the very master key, unchanged, and not else.</summary>
public sealed class PreparedKeysTests : IDisposable
{
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private static readonly string[] Names = [$"{Bank}/data", $"{Bank}/more", $"{Bank}/vault.tpm"];
    private readonly MasterKey _master = MasterKey.Make(Bank, 2);

    public void Dispose() => _master.Dispose();

    [Fact]
    public void Open_under_the_master_key_they_were_prepared_with()
    {
        byte[] made = Made();
        PreparedKeys read = Read(made);
        Assert.Equal((Bank, $"{Bank}/web"), (read.Tenant, read.Domain));
        Assert.Equal(Names, read.Keys);
        string[] first = Opened(read), again = Opened(read), other = Opened(Read(Made()));
        Assert.Equal(first, again);
        Assert.Equal(6, first.Concat(other).Distinct().Count());
        string text = Encoding.UTF8.GetString(made);
        Assert.All(first, key => Assert.DoesNotContain(key[..40], text, StringComparison.Ordinal));
    }

    [Fact]
    public void Do_not_open_under_another_key_another_generation_or_for_another_tenant()
    {
        PreparedKeys read = Read(Made());
        Assert.NotNull(read.Open(_master));
        foreach (var (tenant, generation) in new[] { (Bank, 2L), (Bank, 3L), (PartyId.Unsigned("hospital"), 2L) })
        {
            using MasterKey other = MasterKey.Make(tenant, generation);
            Assert.Null(read.Open(other));
        }

        using MasterKey next = MasterKey.Of(Bank, 3, Masters.Secret(Masters.Bytes(_master.Secret)));
        Assert.Null(read.Open(next));
    }

    [Theory]
    [InlineData("domain", "t/other")]
    [InlineData("generation", 3)]
    [InlineData("nonce", "AAAAAAAAAAAAAAAA")]
    [InlineData("tag", "AAAAAAAAAAAAAAAAAAAAAA==")]
    public void Do_not_open_with_a_changed_member(string member, object value) =>
        Assert.Null(Read(Changed(member, value)).Open(_master));

    [Fact]
    public void Do_not_open_under_another_name_or_with_a_changed_byte_of_any_key()
    {
        JsonObject document = JsonNode.Parse(Made())?.AsObject() ?? [];
        document["keys"] = new JsonArray($"{Bank}/data", $"{Bank}/more", $"{Bank}/vbult.tpm");
        Assert.Null(Read(Bytes(document)).Open(_master));
        byte[] ciphertext = Convert.FromBase64String(
            JsonNode.Parse(Made())?["ciphertext"]?.GetValue<string>() ?? "");
        Assert.Equal(96, ciphertext.Length);
        foreach (int at in new[] { 0, 31, 32, 95 })
        {
            byte[] flipped = [.. ciphertext];
            flipped[at] ^= 1;
            Assert.Null(Read(Changed("ciphertext", Convert.ToBase64String(flipped))).Open(_master));
        }
    }

    [Theory]
    [InlineData("bailiwick", "prepared-keys/v2")]
    [InlineData("tenant", "bank")]
    [InlineData("master", "")]
    [InlineData("generation", 0)]
    [InlineData("keys", "data")]
    [InlineData("nonce", "AAAA")]
    [InlineData("ciphertext", "AAAA")]
    [InlineData("tag", "AAAA")]
    [InlineData("more", 1)]
    public void Refuses_another_form(string member, object value)
    {
        Assert.NotNull(PreparedKeys.Read(Made()));
        Assert.Null(PreparedKeys.Read(Changed(member, value)));
    }

    [Fact]
    public void Refuses_names_out_of_order_twice_none_and_too_many_and_a_cut_document()
    {
        string[][] lists =
        [
            [], [Names[0], Names[0], Names[1]], [Names[1], Names[0], Names[2]],
            [.. Enumerable.Range(0, PreparedKeys.MostKeys + 1).Select(i => $"{Bank}/v{i:D3}")],
        ];
        foreach (string[] list in lists)
        {
            JsonObject document = JsonNode.Parse(Made())?.AsObject() ?? [];
            document["keys"] = new JsonArray([.. list.Select(name => JsonValue.Create(name))]);
            document["ciphertext"] = Convert.ToBase64String(new byte[32 * list.Length]);
            Assert.Null(PreparedKeys.Read(Bytes(document)));
        }

        Assert.Throws<ArgumentException>(() => PreparedKeys.Make(_master, $"{Bank}/web", []));
        Assert.Throws<ArgumentException>(() => PreparedKeys.Make(_master, $"{Bank}/web", [Names[0], Names[0]]));
        Assert.Throws<ArgumentException>(() => PreparedKeys.Make(_master, $"{Bank}/web", lists[3]));
        Assert.Equal(64, Read(PreparedKeys.Make(_master, $"{Bank}/web", lists[3][1..])).Open(_master)?.Count);
        byte[] made = Made();
        for (int length = 0; length < made.Length; length++)
        {
            Assert.Null(PreparedKeys.Read(made.AsSpan(0, length)));
        }
    }

    private string[] Opened(PreparedKeys prepared) =>
    [
        .. (prepared.Open(_master) ?? throw new InvalidOperationException())
            .Select(key => Convert.ToBase64String(Masters.Bytes(key))),
    ];

    private byte[] Changed(string member, object value)
    {
        JsonObject document = JsonNode.Parse(Made())?.AsObject() ?? [];
        document[member] = value is int number ? number : (string)value;
        return Bytes(document);
    }

    // In canonical form, so that nothing but the change is refused.
    private static byte[] Bytes(JsonObject document) =>
        CanonicalJson.Write(JsonSerializer.SerializeToElement(document));

    private static PreparedKeys Read(byte[] document) =>
        PreparedKeys.Read(document) ?? throw new InvalidOperationException("it is to be read");

    private byte[] Made() => PreparedKeys.Make(_master, $"{Bank}/web", [Names[2], Names[0], Names[1]]);
}
