using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Documents;

/// <summary>
/// An object of a document that was read strictly. Each member is read as the one type it must have; null means absent
/// or of another type or form, which for a document is the same: it is refused.
/// </summary>
public sealed class DocumentObject
{
    private readonly JsonElement _value;

    internal DocumentObject(JsonElement value) => _value = value;

    /// <summary>A value that <see cref="CanonicalJson"/> has read; null if it is not an object.</summary>
    public static DocumentObject? Of(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object ? new DocumentObject(value) : null;

    /// <summary>True if the members are exactly these.</summary>
    public bool HasExactly(params ReadOnlySpan<string> names) => JsonMembers.AreExactly(_value, names);

    /// <summary>The text of a member.</summary>
    public string? Text(string name) => JsonMembers.Text(_value, name);

    /// <summary>The integer of a member, if it is within 0 and 2^53 - 1.</summary>
    public long? Count(string name) =>
        _value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Number
        && member.TryGetInt64(out var integer) && integer is >= 0 and <= LedgerLimits.JsonInteger
            ? integer
            : null;

    /// <summary>The bytes of a member in canonical base64 (RFC 4648), if they are not more than this.</summary>
    public byte[]? Bytes(string name, int maxBytes) =>
        StrictBase64.TryDecode(Text(name), maxBytes, out var bytes) ? bytes : null;

    /// <summary>The public key of a member: base64 of its one accepted encoding.</summary>
    public PublicKey? Key(string name) => PublicKey.TryParseBase64(Text(name), out var key) ? key : null;

    /// <summary>The digest of a member in lower-case hex.</summary>
    public Digest32? Digest(string name) => Digest32.TryParse(Text(name), out var digest) ? digest : null;

    /// <summary>A member that is an object.</summary>
    public DocumentObject? Object(string name) =>
        _value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object
            ? new DocumentObject(member)
            : null;

    /// <summary>A member that is an object, in canonical form.</summary>
    public byte[]? Canonical(string name) =>
        _value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Object
            ? CanonicalJson.Write(member)
            : null;

    /// <summary>A member that is a list of objects, in canonical form, if they are not more than this.</summary>
    public ImmutableArray<byte[]>? CanonicalList(string name, int most) =>
        List(name, most) is { } list && list.All(item => item.ValueKind == JsonValueKind.Object)
            ? [.. list.Select(CanonicalJson.Write)]
            : null;

    /// <summary>A member that is a list of objects, if they are not more than this.</summary>
    public ImmutableArray<DocumentObject>? ObjectList(string name, int most) =>
        List(name, most) is { } list && list.All(item => item.ValueKind == JsonValueKind.Object)
            ? [.. list.Select(item => new DocumentObject(item))]
            : null;

    /// <summary>A member that is a list of digests in lower-case hex, if they are not more than this.</summary>
    public ImmutableArray<Digest32>? DigestList(string name, int most)
    {
        if (List(name, most) is not { } list)
        {
            return null;
        }

        var digests = ImmutableArray.CreateBuilder<Digest32>(list.Count);
        foreach (var item in list)
        {
            if (item.ValueKind != JsonValueKind.String || !Digest32.TryParse(item.GetString(), out var digest))
            {
                return null;
            }

            digests.Add(digest);
        }

        return digests.ToImmutable();
    }

    private IReadOnlyList<JsonElement>? List(string name, int most) =>
        _value.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.Array
        && member.GetArrayLength() <= most
            ? [.. member.EnumerateArray()]
            : null;
}
