using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
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

    /// <summary>What the party's root statement says of its keys.</summary>
    /// <param name="log">The board's log, for an operator.</param>
    public RootMembers ToRootMembers(RootService? log = null) => new(
        Roots, Threshold, [Admin], [Auditor],
        KeyService is { } service && KeyServiceAddress is { } address ? new RootService(address, service) : log);

    /// <summary>Reads facts; null when anything is missing or not what it should be.</summary>
    public static PartyFacts? Read(JsonElement root)
    {
        string? Text(string member) =>
            root.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
                ? value.GetString() : null;
        PublicKey? Key(string member) => PublicKey.TryParseBase64(Text(member), out var key) ? key : null;
        PartyId? id = null;
        if (root.ValueKind != JsonValueKind.Object || !StatementKinds.TryParse(Text("kind"), out var kind)
            || !kind.IsRoot()
            || !StatementName.TryParse(Text("name"), out var name) || Key("admin") is not { } admin
            || Key("auditor") is not { } auditor || !root.TryGetProperty("roots", out var roots)
            || roots.ValueKind != JsonValueKind.Array || !root.TryGetProperty("threshold", out var threshold)
            || threshold.ValueKind != JsonValueKind.Number || !threshold.TryGetInt32(out int count)
            // An id that cannot be read is not "no id yet": that would make a second identity.
            || (Text("id") is { } written && !PartyId.TryParse(written, out id)))
        {
            return null;
        }

        var keys = ImmutableArray.CreateBuilder<PublicKey>();
        foreach (JsonElement item in roots.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String || !PublicKey.TryParseBase64(item.GetString(), out var key))
            {
                return null;
            }

            keys.Add(key);
        }

        return count < 1 || count > keys.Count ? null : new PartyFacts
        {
            Kind = kind, Name = name, Id = id, Threshold = count,
            Roots = keys.ToImmutable(), Admin = admin, Auditor = auditor,
            KeyService = Key("keyService"), KeyServiceAddress = Text("keyServiceAddress"),
        };
    }

    private static JsonArray Keys(IEnumerable<PublicKey> keys) => new([.. keys.Select(k => (JsonNode)k.Base64)]);
}
