using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Parties;

/// <summary>What a new party shall be.</summary>
/// <param name="Kind"><see cref="StatementKind.Tenant"/> or <see cref="StatementKind.Datacentre"/>.</param>
/// <param name="Name">Display name.</param>
/// <param name="RootKeys">Number of root keys, 1 to 16.</param>
/// <param name="Threshold">How many of them must sign.</param>
/// <param name="KeyServiceAddress"><c>address:port</c> of the tenant's key service; null for an operator.</param>
/// <param name="Passphrase">Protects the root keys' files; null leaves them to the directory's mode.</param>
public sealed record PartyRequest(
    StatementKind Kind, StatementName Name, int RootKeys, int Threshold, string? KeyServiceAddress, string? Passphrase);

/// <summary>The public facts of a party at its own desk.</summary>
public sealed record PartyFacts
{
    /// <summary>Tenant or Datacentre.</summary>
    public required StatementKind Kind { get; init; }
    /// <summary>Display name.</summary>
    public required StatementName Name { get; init; }
    /// <summary>Hash of the first root statement; null until it is signed.</summary>
    public PartyId? Id { get; init; }
    /// <summary>How many root keys must sign.</summary>
    public required int Threshold { get; init; }
    /// <summary>The root keys.</summary>
    public required ImmutableArray<PublicKey> Roots { get; init; }
    /// <summary>The administrator's identity on channels.</summary>
    public required PublicKey Admin { get; init; }
    /// <summary>The auditor's identity on channels.</summary>
    public required PublicKey Auditor { get; init; }
    /// <summary>The key service's identity, for a tenant.</summary>
    public PublicKey? KeyService { get; init; }
    /// <summary><c>address:port</c> of the key service, for a tenant.</summary>
    public string? KeyServiceAddress { get; init; }

    /// <summary>The facts as JSON.</summary>
    public JsonObject Write() => new()
    {
        ["kind"] = Kind.ToString(),
        ["name"] = Name.Text,
        ["id"] = Id?.ToString(),
        ["threshold"] = Threshold,
        ["roots"] = Keys(Roots),
        ["admin"] = Admin.Base64,
        ["auditor"] = Auditor.Base64,
        ["keyService"] = KeyService?.Base64,
        ["keyServiceAddress"] = KeyServiceAddress,
    };

    /// <summary>Adds the members that every root statement's body has to <paramref name="body"/>.</summary>
    public void FillRootBody(JsonObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        body["roots"] = new JsonArray([.. Roots.Select(k => new JsonObject { ["key"] = k.Base64 })]);
        body["threshold"] = Threshold;
        body["admins"] = Keys([Admin]);
        body["auditors"] = Keys([Auditor]);
        if (KeyService is not null)
        {
            body["keyService"] = new JsonObject { ["key"] = KeyService.Base64, ["address"] = KeyServiceAddress };
        }
    }

    /// <summary>Reads facts; null when anything is missing or not what it should be.</summary>
    public static PartyFacts? Read(JsonElement root)
    {
        string? Text(string member) =>
            root.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString() : null;
        PublicKey? Key(string member) => PublicKey.TryParseBase64(Text(member), out var key) ? key : null;
        if (root.ValueKind != JsonValueKind.Object || !StatementKinds.TryParse(Text("kind"), out var kind)
            || !StatementName.TryParse(Text("name"), out var name) || Key("admin") is not { } admin
            || Key("auditor") is not { } auditor || !root.TryGetProperty("roots", out var roots)
            || !root.TryGetProperty("threshold", out var threshold) || !threshold.TryGetInt32(out int count))
        {
            return null;
        }

        var keys = ImmutableArray.CreateBuilder<PublicKey>();
        foreach (JsonElement item in roots.EnumerateArray())
        {
            if (!PublicKey.TryParseBase64(item.GetString(), out var key))
            {
                return null;
            }

            keys.Add(key);
        }

        return new PartyFacts
        {
            Kind = kind, Name = name, Id = PartyId.TryParse(Text("id"), out var id) ? id : null, Threshold = count,
            Roots = keys.ToImmutable(), Admin = admin, Auditor = auditor,
            KeyService = Key("keyService"), KeyServiceAddress = Text("keyServiceAddress"),
        };
    }

    private static JsonArray Keys(IEnumerable<PublicKey> keys) => new([.. keys.Select(k => (JsonNode)k.Base64)]);
}
