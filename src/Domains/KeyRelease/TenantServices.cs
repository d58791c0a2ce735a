using System.Text.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>What a tenant's root statement in force says of its key service.</summary>
public static class TenantServices
{
    /// <summary>The key it proves itself with; null when the root names none.</summary>
    public static PublicKey? KeyOf(StatementBook book, PartyId tenant) =>
        Member(book, tenant, "key") is { } text && PublicKey.TryParseBase64(text, out PublicKey? key) ? key : null;

    /// <summary>Its address; null when the root names none.</summary>
    public static string? AddressOf(StatementBook book, PartyId tenant) => Member(book, tenant, "address");

    private static string? Member(StatementBook book, PartyId tenant, string name)
    {
        ArgumentNullException.ThrowIfNull(book);
        return book.RootInForce(tenant)?.Statement.Body is { } body
            && body.TryGetProperty("keyService", out JsonElement service)
            && service.ValueKind == JsonValueKind.Object
            && service.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.String
                ? member.GetString()
                : null;
    }
}
