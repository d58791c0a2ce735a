using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Schemas;

/// <summary>
/// JSON Schema (draft 07) of authored documents, for editors. It is drawn by the readers themselves, which are let read
/// a document that is not there: what they ask for is what there can be, so that schema and readers cannot differ.
/// </summary>
public static class PolicySchema
{
    private const string Draft = "http://json-schema.org/draft-07/schema#";

    /// <summary>The kinds that people write.</summary>
    public static IReadOnlyList<StatementKind> Kinds { get; } =
        [.. StatementKinds.All.Where(kind => kind.IsPolicy())];

    /// <summary>The schema of one kind's documents.</summary>
    /// <exception cref="ArgumentException">Nobody writes documents of the kind.</exception>
    public static JsonObject Of(StatementKind kind)
    {
        var json = Body(kind);
        json.Insert(0, "$schema", Draft);
        json.Insert(1, "title", $"{kind.WireName()}: {SchemaWords.Of(kind.WireName())}");
        return json;
    }

    /// <summary>The schema of any document: one of the kinds.</summary>
    public static JsonObject All()
    {
        var definitions = new JsonObject();
        foreach (var kind in Kinds)
        {
            definitions[kind.WireName()] = Body(kind);
        }

        return new JsonObject
        {
            ["$schema"] = Draft, ["title"] = "A document of a datacentre's policies",
            ["anyOf"] = new JsonArray([.. Kinds.Select(kind =>
                (JsonNode)new JsonObject { ["$ref"] = $"#/definitions/{kind.WireName()}" })]),
            ["definitions"] = definitions,
        };
    }

    /// <summary>What the reader of a kind asks of a document.</summary>
    /// <exception cref="ArgumentException">Nobody writes documents of the kind.</exception>
    internal static SchemaNode Draw(StatementKind kind)
    {
        if (!kind.IsPolicy())
        {
            throw new ArgumentException($"Nobody writes documents of the kind {kind}.", nameof(kind));
        }

        var pass = new SchemaPass();
        var drawn = new SchemaNode(pass);
        var origin = new StatementOrigin(
            kind, PartyId.Unsigned("schema"), "schema", StatementName.Parse("schema"), 0, "", null, 0);
        var document = new PolicyDocument(
            origin, new PolicyNode.Members([], 0), PartyNames.UnsignedOfPaths([]), []);
        foreach (var readsObjects in new[] { false, true })
        {
            pass.ReadsObjects = readsObjects;
            BodyReader.Draw(document, Value.Drawing(drawn));
            drawn.EndReading();
        }

        return drawn;
    }

    private static JsonObject Body(StatementKind kind)
    {
        var json = Draw(kind).ToJson(SchemaWords.Of, kind.WireName());
        var properties = json["properties"]?.AsObject() ?? throw new System.Diagnostics.UnreachableException();
        properties.Insert(0, "kind", new JsonObject
        {
            ["description"] = SchemaWords.Of(kind.WireName()), ["enum"] = new JsonArray(kind.WireName()),
        });
        properties.Insert(1, "name", new JsonObject
        {
            ["description"] = SchemaWords.Of("name"), ["type"] = "string", ["pattern"] = SchemaForms.Name,
        });
        var required = json["required"]?.AsArray() ?? [];
        required.Insert(0, "kind");
        required.Insert(1, "name");
        json["required"] = required.Parent is null ? required : required.DeepClone();
        return json;
    }
}
