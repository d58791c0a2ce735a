using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Ledger.Statements;

/// <summary>
/// What a statement says, as read from canonical JSON; nothing in it is verified.
/// `{"bailiwick":"statement/v1","body":{...},"issued":"2026-11-21T10:00:00Z","kind":"Domain","name":"records",
/// "owner":"party hex or self","previous":"hex or null","revision":3}`, and no other members.
/// </summary>
public sealed class StatementPayload
{
    /// <summary>The media type of a statement in its envelope.</summary>
    public const string MediaType = "application/vnd.bailiwick.statement+json";

    /// <summary>The value of the member `bailiwick`.</summary>
    public const string Version = "statement/v1";

    /// <summary>The owner of the first revision of a root, whose id is not known before it is written.</summary>
    public const string Self = "self";

    private const string IssuedFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    private StatementPayload(JsonElement root, StatementKind kind, StatementName name, PartyId? owner)
    {
        Kind = kind;
        Name = name;
        Owner = owner;
        Revision = JsonMembers.Integer(root, "revision") ?? 0;
        Previous = Digest32.TryParse(JsonMembers.Text(root, "previous"), out var previous) ? previous : null;
        Issued = JsonMembers.Text(root, "issued") ?? "";
        Body = root.GetProperty("body");
    }

    /// <summary>What the statement is about.</summary>
    public StatementKind Kind { get; }

    /// <summary>The subject's name.</summary>
    public StatementName Name { get; }

    /// <summary>The owner, or null if the payload says `self`.</summary>
    public PartyId? Owner { get; }

    /// <summary>The revision, from 1.</summary>
    public long Revision { get; }

    /// <summary>The digest of the payload of the revision before, or null for revision 1.</summary>
    public Digest32? Previous { get; }

    /// <summary>
    /// When its author says it was written, in UTC to the second. For people; nothing is decided by it.
    /// </summary>
    public string Issued { get; }

    /// <summary>The body, an object whose members belong to the kind.</summary>
    public JsonElement Body { get; }

    /// <summary>Writes the canonical payload of a statement.</summary>
    /// <param name="kind">What it is about.</param>
    /// <param name="owner">Its owner, or null for the first revision of a root, which owns itself.</param>
    /// <param name="name">The subject's name.</param>
    /// <param name="revision">The revision, from 1.</param>
    /// <param name="previous">The digest of the payload of the revision before, or null for revision 1.</param>
    /// <param name="issued">When it is written, in UTC.</param>
    /// <param name="body">An object.</param>
    /// <exception cref="ArgumentException">No reader would take the payload.</exception>
    public static byte[] Compose(
        StatementKind kind,
        PartyId? owner,
        StatementName name,
        long revision,
        Digest32? previous,
        DateTimeOffset issued,
        JsonElement body)
    {
        ArgumentNullException.ThrowIfNull(name);
        var envelope = new JsonObject
        {
            ["bailiwick"] = Version,
            ["kind"] = kind.WireName(),
            ["owner"] = owner?.ToString() ?? Self,
            ["name"] = name.Text,
            ["revision"] = revision,
            ["previous"] = previous?.Hex,
            ["issued"] = issued.UtcDateTime.ToString(IssuedFormat, CultureInfo.InvariantCulture),
            ["body"] = JsonNode.Parse(Encoding.UTF8.GetString(CanonicalJson.Write(body))),
        };
        var payload = CanonicalJson.Write(JsonElement.Parse(envelope.ToJsonString()));
        if (payload.Length > LedgerLimits.PayloadBytes)
        {
            throw new ArgumentException($"The payload has more than {LedgerLimits.PayloadBytes} bytes.", nameof(body));
        }

        return Read(payload) switch
        {
            PayloadReading.Read => payload,
            PayloadReading.Refused refused => throw new ArgumentException(refused.Sentence),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    /// <summary>Reads a payload.</summary>
    public static PayloadReading Read(ReadOnlySpan<byte> payload) => CanonicalJson.ParseCanonical(payload) switch
    {
        JsonReading.Rejected { Fault: var fault } => Refuse(ReasonFor(fault), $"The payload is {fault.Clause}."),
        JsonReading.Understood { Root: var root } => Read(root),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static StatementRefusal ReasonFor(JsonFault fault) => fault.Code switch
    {
        JsonFaultCode.TooLarge => StatementRefusal.TooLarge,
        JsonFaultCode.NotCanonical => StatementRefusal.PayloadNotCanonical,
        JsonFaultCode.Malformed or JsonFaultCode.TooDeep or JsonFaultCode.DuplicateMember
            or JsonFaultCode.TrailingBytes or JsonFaultCode.NumberOutOfRange or JsonFaultCode.InvalidText =>
            StatementRefusal.MalformedPayload,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static PayloadReading Read(JsonElement root)
    {
        if (!JsonMembers.AreExactly(
            root, "bailiwick", "body", "issued", "kind", "name", "owner", "previous", "revision"))
        {
            return Refuse(
                StatementRefusal.MalformedPayload,
                "A statement has exactly bailiwick, body, issued, kind, name, owner, previous and revision.");
        }

        if (JsonMembers.Text(root, "bailiwick") != Version)
        {
            return Refuse(StatementRefusal.UnknownVersion, $"The member bailiwick must be \"{Version}\".");
        }

        if (!StatementKinds.TryParse(JsonMembers.Text(root, "kind"), out var kind))
        {
            return Refuse(
                StatementRefusal.UnknownKind, $"The kind must be one of {string.Join(", ", StatementKinds.All)}.");
        }

        if (!StatementName.TryParse(JsonMembers.Text(root, "name"), out var name))
        {
            return Refuse(
                StatementRefusal.InvalidName,
                "A name is a lower-case letter and up to 39 lower-case letters, digits or inner hyphens.");
        }

        return FaultOf(root) is { } fault
            ? Refuse(StatementRefusal.MalformedPayload, fault)
            : ReadOwner(root, kind, name);
    }

    private static PayloadReading ReadOwner(JsonElement root, StatementKind kind, StatementName name)
    {
        var text = JsonMembers.Text(root, "owner");
        PartyId? owner = null;
        if (text != Self && !PartyId.TryParse(text, out owner))
        {
            return Refuse(
                StatementRefusal.InvalidOwner, "The owner must be \"self\" or 64 lower-case hexadecimal digits.");
        }

        var payload = new StatementPayload(root, kind, name, owner);
        if (owner is null != (kind.IsRoot() && payload.Revision == 1))
        {
            return Refuse(
                StatementRefusal.SelfOwnerMisused,
                "The first revision of a root, and nothing else, has the owner \"self\".");
        }

        return new PayloadReading.Read(payload);
    }

    private static string? FaultOf(JsonElement root)
    {
        if (root.GetProperty("body").ValueKind != JsonValueKind.Object)
        {
            return "The body must be an object.";
        }

        if (JsonMembers.Integer(root, "revision") is null or < 1)
        {
            return "The revision must be an integer from 1.";
        }

        if (root.GetProperty("previous").ValueKind != JsonValueKind.Null
            && !Digest32.TryParse(JsonMembers.Text(root, "previous"), out _))
        {
            return "The member previous must be null or 64 lower-case hexadecimal digits.";
        }

        return DateTime.TryParseExact(
            JsonMembers.Text(root, "issued"), IssuedFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? null
            : "The member issued must be a time in UTC like 2026-11-21T10:00:00Z.";
    }

    private static PayloadReading.Refused Refuse(StatementRefusal reason, string sentence) => new(reason, sentence);
}

/// <summary>The outcome of reading a payload: <see cref="Read"/> or <see cref="Refused"/>.</summary>
public abstract record PayloadReading
{
    private PayloadReading()
    {
    }

    /// <summary>It has the form of a statement.</summary>
    /// <param name="Payload">What it says, unverified.</param>
    public sealed record Read(StatementPayload Payload) : PayloadReading;

    /// <summary>It is not a statement.</summary>
    /// <param name="Reason">Why.</param>
    /// <param name="Sentence">Why, for people.</param>
    public sealed record Refused(StatementRefusal Reason, string Sentence) : PayloadReading;
}
