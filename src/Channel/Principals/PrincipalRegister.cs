using System.Collections.Frozen;
using System.Text.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Principals;

/// <summary>
/// Whom each key stands for in one state of the statements. Immutable; made anew after each accepted statement and
/// asked at every call, so a key that was withdrawn is a stranger's from its next call on.
/// </summary>
/// <remarks>
/// Only tenants that the datacentre's root lists count. A key that is named in two roles stands for nobody and is
/// refused: which of the two was meant must not be guessed. A malformed member names nobody.
/// </remarks>
public sealed class PrincipalRegister
{
    private readonly FrozenDictionary<KeyId, Entry> _entries;

    private PrincipalRegister(FrozenDictionary<KeyId, Entry> entries) => _entries = entries;

    /// <summary>The register in which every key is a stranger's.</summary>
    public static PrincipalRegister Empty { get; } = new(FrozenDictionary<KeyId, Entry>.Empty);

    /// <summary>Reads the keys that the statements in force name.</summary>
    /// <param name="book">The verified statements.</param>
    /// <param name="datacentre">The operator whose datacentre this is.</param>
    public static PrincipalRegister Of(StatementBook book, PartyId datacentre)
    {
        ArgumentNullException.ThrowIfNull(book);
        var entries = new Dictionary<KeyId, Entry>();
        if (book.RootInForce(datacentre)?.Statement is not { Kind: StatementKind.Datacentre } root)
        {
            return Empty;
        }

        AddAll(entries, root.Body, "admins", PrincipalKind.Operator, datacentre);
        AddAll(entries, root.Body, "auditors", PrincipalKind.DatacentreAuditor, datacentre);
        foreach (var host in book.Current(StatementKind.Host).Where(host => host.Owner == datacentre))
        {
            Add(entries, Text(host.Body, "identityKey"), PrincipalKind.Host, datacentre, host.Name);
        }

        foreach (var tenant in TenantsOf(root.Body))
        {
            if (book.RootInForce(tenant)?.Statement is { Kind: StatementKind.Tenant } statement)
            {
                AddAll(entries, statement.Body, "admins", PrincipalKind.TenantAdmin, tenant);
                AddAll(entries, statement.Body, "auditors", PrincipalKind.TenantAuditor, tenant);
                if (statement.Body.TryGetProperty("keyService", out var service)
                    && service.ValueKind == JsonValueKind.Object)
                {
                    Add(entries, Text(service, "key"), PrincipalKind.KeyService, tenant, null);
                }
            }
        }

        return new PrincipalRegister(entries.ToFrozenDictionary());
    }

    /// <summary>The tenants that a datacentre's root lists, in its order; what is no party id is left out.</summary>
    public static IEnumerable<PartyId> TenantsOf(JsonElement datacentreBody)
    {
        foreach (var item in Items(datacentreBody, "tenants"))
        {
            if (item.ValueKind == JsonValueKind.String && PartyId.TryParse(item.GetString(), out var tenant))
            {
                yield return tenant;
            }
        }
    }

    /// <summary>The keys that statements name in more than one role.</summary>
    public IEnumerable<KeyId> Ambiguous => _entries.Where(entry => entry.Value.Only is null).Select(entry => entry.Key);

    /// <summary>Whom a key stands for, or null if statements name it in more than one role.</summary>
    public Principal? Resolve(KeyId key) => _entries.TryGetValue(key, out var entry)
        ? entry.Only
        : Principal.Anonymous(key);

    private static void AddAll(
        Dictionary<KeyId, Entry> entries, JsonElement body, string member, PrincipalKind kind, PartyId party)
    {
        foreach (var item in Items(body, member))
        {
            Add(entries, item.ValueKind == JsonValueKind.String ? item.GetString() : null, kind, party, null);
        }
    }

    private static void Add(
        Dictionary<KeyId, Entry> entries, string? key, PrincipalKind kind, PartyId party, StatementName? host)
    {
        if (PublicKey.TryParseBase64(key, out var parsed))
        {
            // The same role of the same party twice is one role; anything else is two.
            var principal = Principal.Of(kind, parsed.Id, party, host);
            entries[parsed.Id] = !entries.TryGetValue(parsed.Id, out var held) ? new Entry(principal)
                : held.Only is { } only && only.Kind == kind && only.Party == party && only.Host == host ? held
                : new Entry(null);
        }
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement body, string member) =>
        body.TryGetProperty(member, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : default;

    private static string? Text(JsonElement body, string member) =>
        body.TryGetProperty(member, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private sealed record Entry(Principal? Only);
}
