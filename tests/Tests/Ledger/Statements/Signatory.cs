using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Statements;

/// <summary>A party under test: its keys, its id once it has a root, and shorthands for its statements.</summary>
internal sealed class Signatory
{
    private static readonly DateTimeOffset Issued = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);

    public Signatory(StatementKind kind, string name, int keys, int threshold)
    {
        Kind = kind;
        Name = StatementName.Parse(name);
        Keys = [.. Enumerable.Range(0, keys).Select(_ => NewKey())];
        FirstRoot = StatementPayload.Compose(kind, null, Name, 1, null, Issued, RootBody(Keys, threshold));
        Id = PartyId.OfFirstRoot(FirstRoot);
    }

    public StatementKind Kind { get; }

    public StatementName Name { get; }

    public IReadOnlyList<EcdsaSigner> Keys { get; }

    /// <summary>The payload of the first root.</summary>
    public byte[] FirstRoot { get; }

    public PartyId Id { get; }

    public static EcdsaSigner NewKey() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static JsonElement RootBody(IEnumerable<EcdsaSigner> keys, long threshold) => Json(new
    {
        roots = keys.Select(key => new { key = key.PublicKey.Base64 }).ToArray(),
        threshold,
        admins = Array.Empty<string>(),
    });

    public static JsonElement Json(object value) => JsonSerializer.SerializeToElement(value);

    /// <summary>The first root, signed by all keys.</summary>
    public byte[] Root() => EnvelopeWriter.Sign(FirstRoot, Keys);

    /// <summary>A payload of this party.</summary>
    public byte[] Payload(
        StatementKind kind, string name, long revision = 1, Digest32? previous = null, object? body = null) =>
        StatementPayload.Compose(
            kind, Id, StatementName.Parse(name), revision, previous, Issued, Json(body ?? new { level = revision }));

    /// <summary>A later root of this party.</summary>
    public byte[] NextRoot(long revision, Digest32? previous, IEnumerable<EcdsaSigner> keys, long threshold) =>
        StatementPayload.Compose(Kind, Id, Name, revision, previous, Issued, RootBody(keys, threshold));

    /// <summary>Signs with the keys at these places.</summary>
    public byte[] Sign(byte[] payload, params int[] keys) =>
        EnvelopeWriter.Sign(payload, [.. keys.Select(key => Keys[key])]);
}
