using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What a key service puts into the ledger at each change of its tenant's keys, and at each receipt: the next revision
/// of the tenant's one <see cref="StatementKind.KeyChange"/>. Whoever puts an older store back shows fewer revisions
/// than the ledger has. It tells no name of a key.
/// </summary>
/// <param name="Record">The key service's journal record of the newest change; 0 counts.</param>
/// <param name="Generation">The master key's generation.</param>
/// <param name="Receipt">SHA-256 of the payload of the erasure receipt that it is about; null for a rotation.</param>
public sealed record KeyChangeNotice(long Record, long Generation, Digest32? Receipt)
{
    /// <summary>The name of every tenant's.</summary>
    public static StatementName Name { get; } = StatementName.Parse("keys");

    /// <summary>Writes and signs the statement.</summary>
    /// <param name="tenant">Whose keys.</param>
    /// <param name="revision">The revision, from 1.</param>
    /// <param name="previous">The digest of the revision before; null for the first.</param>
    /// <param name="issued">When, for people.</param>
    /// <param name="service">The identity key that the tenant's root names for its key service.</param>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public byte[] Write(
        PartyId tenant, long revision, Digest32? previous, DateTimeOffset issued, ISigner service)
    {
        JsonObject body = new()
        {
            ["record"] = Record, ["generation"] = Generation, ["receipt"] = Receipt?.Hex ?? "",
        };
        return EnvelopeWriter.Sign(
            StatementPayload.Compose(
                StatementKind.KeyChange, tenant, Name, revision, previous, issued,
                JsonSerializer.SerializeToElement(body)),
            service);
    }

    /// <summary>Reads a verified one; null when its body has not the strict form.</summary>
    public static KeyChangeNotice? Read(VerifiedStatement statement)
    {
        ArgumentNullException.ThrowIfNull(statement);
        return statement.Kind == StatementKind.KeyChange ? Read(statement.Body) : null;
    }

    /// <summary>Reads a body; null when it has not the strict form.</summary>
    internal static KeyChangeNotice? Read(JsonElement statementBody) =>
        DocumentObject.Of(statementBody) is { } body && body.HasExactly("generation", "receipt", "record")
            && body.Count("record") is { } record && body.Count("generation") is { } generation
            && (body.Text("receipt") == "" || body.Digest("receipt") is not null)
                ? new KeyChangeNotice(record, generation, body.Digest("receipt"))
                : null;
}
