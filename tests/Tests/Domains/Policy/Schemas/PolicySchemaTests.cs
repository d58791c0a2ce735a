using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Schemas;
using Bailiwick.Ledger.Statements;
using NJsonSchema;

namespace Bailiwick.Tests.Domains.Policy.Schemas;

/// <summary>The schema for editors is what the readers read: it takes what they take, and says what they refuse.
/// </summary>
public sealed class PolicySchemaTests
{
    private const string Web = "bank/web.yaml";
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<StatementKind> Kinds => [.. PolicySchema.Kinds];

    [Fact]
    public async Task Every_document_of_the_example_fits_the_schema_of_its_kind_and_of_all()
    {
        JsonSchema all = await JsonSchema.FromJsonAsync(
            PolicySchema.All().ToJsonString(), TestContext.Current.CancellationToken);
        PolicyDocument[] documents = [.. Example.ThreeTenants.Read().Documents];
        Assert.Equal(
            PolicySchema.Kinds.Order(), documents.Select(document => document.Origin.Kind).Distinct().Order());
        foreach (PolicyDocument document in documents)
        {
            string json = Json(document);
            JsonSchema own = await Of(document.Origin.Kind);
            Assert.Empty(own.Validate(json));
            Assert.Empty(all.Validate(json));
        }
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "expires:", "expirse:", "unknown-member" },
        { "expires: 2036-01-01T00:00:00Z\n", "", "missing-expiry" },
        { "expires: 2036-01-01T00:00:00Z", "expires: 2036-01-01", "bad-date" },
        { "confidentiality: untrusted-links", "confidentiality: sometimes", "unknown-enum-value" },
        { "jurisdiction: CH}", "jurisdiction: ch}", "bad-country" },
        { "{machines: 4,", "{machines: four,", "wrong-type" },
        { "{machines: 4,", "{machines: -4,", "out-of-range" },
        { "images: [guest]", "images: []", "empty-list" },
        { "images: [guest]", "images: [guest, guest]", "duplicate-item" },
        { "images: [guest]", "images: [Guest]", "bad-name" },
        { "approvals: {takeover: 1}", "approvals: {release: 1}", "unknown-member" },
        { "{to: bank/ledger,", "{to: ledger,", "bad-reference" },
        { "protocol: tcp", "protocol: sctp", "unknown-enum-value" },
        { "ports: [5432]", "ports: [0-9]", "bad-port" },
        { "onLostTrust: pause", "onLostTrust: 3", "wrong-type" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_that_the_reader_finds_is_one_in_the_editor_too(string old, string mistake, string code)
    {
        JsonSchema schema = await Of(StatementKind.Domain);
        Assert.Empty(schema.Validate(Json(Domain(Example.ThreeTenants))));

        Example example = Example.ThreeTenants.With(Web, old, mistake);

        Assert.Contains(
            example.Check().Findings, finding => finding.File == Web && WireText.Of(finding.Code) == code);
        Assert.NotEmpty(schema.Validate(Json(Domain(example))));
    }

    /// <summary>
    /// Editors read <c>schemas</c>. When a member is added, run once with <c>BAILIWICK_WRITE_GOLDEN=1</c>.
    /// </summary>
    [Fact]
    public void What_is_published_is_what_the_readers_read()
    {
        string directory = Path.Combine(Tidy.Checkout.Root, "schemas");
        foreach ((string name, JsonObject schema) in PolicySchema.Kinds
            .Select(kind => (kind.WireName(), PolicySchema.Of(kind))).Append(("policies", PolicySchema.All())))
        {
            string path = Path.Combine(directory, $"{name}.schema.json"), text = Text(schema);
            if (Environment.GetEnvironmentVariable("BAILIWICK_WRITE_GOLDEN") == "1")
            {
                Directory.CreateDirectory(directory);
                File.WriteAllText(path, text);
            }

            Assert.Equal(File.ReadAllText(path), text);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_member_has_a_form_and_words(StatementKind kind)
    {
        List<string> paths = [];
        Walk(PolicySchema.Draw(kind), kind.WireName(), paths);

        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.NotEmpty(SchemaWords.Of(path)));
    }

    [Fact]
    public void There_are_no_words_for_what_no_document_has()
    {
        List<string> paths = ["name"];
        foreach (StatementKind kind in PolicySchema.Kinds)
        {
            paths.Add(kind.WireName());
            Walk(PolicySchema.Draw(kind), kind.WireName(), paths);
        }

        Assert.Equal(paths.Select(SchemaWords.Canonical).Distinct().Order(), SchemaWords.Paths.Order());
    }

    [Fact]
    public void Nobody_writes_a_change_of_a_key() =>
        Assert.Throws<ArgumentException>(() => PolicySchema.Of(StatementKind.KeyChange));

    private static string Text(JsonObject schema) => schema.ToJsonString(Indented) + "\n";

    private static void Walk(SchemaNode node, string path, List<string> paths)
    {
        foreach ((string name, SchemaNode member) in node.Members)
        {
            paths.Add($"{path}.{name}");
            Assert.NotEmpty(member.ToJson(SchemaWords.Of, $"{path}.{name}"));
            Walk(member, $"{path}.{name}", paths);
        }

        if (node.Inner is { } inner)
        {
            Walk(inner, path, paths);
        }
    }

    private static PolicyDocument Domain(Example example) => example.Read().Documents.Single(
        document => document.Origin is { Kind: StatementKind.Domain, File: Web });

    private static async Task<JsonSchema> Of(StatementKind kind) => await JsonSchema.FromJsonAsync(
        PolicySchema.Of(kind).ToJsonString(), TestContext.Current.CancellationToken);

    /// <summary>The document as an editor sees it, kind and name included.</summary>
    private static string Json(PolicyDocument document)
    {
        ArrayBufferWriter<byte> written = new();
        using (Utf8JsonWriter writer = new(written))
        {
            document.Body.Write(writer);
        }

        JsonObject json = JsonNode.Parse(written.WrittenSpan)?.AsObject() ?? [];
        json["kind"] = document.Origin.Kind.WireName();
        json["name"] = document.Origin.Name.Text;
        return json.ToJsonString();
    }
}
