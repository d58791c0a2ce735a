using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;

namespace Bailiwick.KeyService.Custody;

/// <summary>One line of the history of who held which key. Closed.</summary>
public abstract record JournalRecord
{
    private static readonly (string Name, ChangeKind Kind)[] Kinds =
    [
        ("rotate-master", ChangeKind.RotateMaster), ("rotate-domain", ChangeKind.RotateDomain),
        ("destroy-key", ChangeKind.DestroyKey), ("destroy-domain", ChangeKind.DestroyDomain),
        ("destroy-all", ChangeKind.DestroyAll), ("load-keys", ChangeKind.LoadKeys),
    ];

    private JournalRecord()
    {
    }

    /// <summary>A key is about to go to a host. Written before anything else happens.</summary>
    /// <param name="Volume">What the key opens.</param>
    /// <param name="Holder">The host, the machine that is to use it, and what for.</param>
    /// <param name="Mark">What is known of a TPM's state, or of a volume's header, from now on.</param>
    public sealed record Intent(string Volume, VaultHolder Holder, string Mark) : JournalRecord
    {
        /// <summary>The domain that the key is of.</summary>
        public required string Domain { get; init; }
    }

    /// <summary>The key of an intent was handed out, or may have been.</summary>
    public sealed record Completed(long Of) : JournalRecord;

    /// <summary>The key of an intent never left: the store had not taken the holder when the process died.</summary>
    public sealed record Abandoned(long Of) : JournalRecord;

    /// <summary>A holder was cleared.</summary>
    /// <param name="Volume">The volume.</param>
    /// <param name="Holder">Who held it.</param>
    /// <param name="Cause">Why.</param>
    /// <param name="Document">SHA-256 of the document that asked for it, lower hex.</param>
    /// <param name="Mark">What is known of a TPM's state, or of a volume's header, from now on.</param>
    public sealed record Cleared(string Volume, VaultHolder Holder, ClearCause Cause, string Document, string Mark)
        : JournalRecord;

    /// <summary>The holder of a blank volume said which header it made.</summary>
    /// <param name="Volume">The volume.</param>
    /// <param name="Holder">Who holds it.</param>
    /// <param name="Document">SHA-256 of the document in which it said so, lower hex.</param>
    /// <param name="Mark">What is known of the volume's header from now on.</param>
    public sealed record Bound(string Volume, VaultHolder Holder, string Document, string Mark) : JournalRecord;

    /// <summary>A domain refused the host of a holder while it held the key.</summary>
    /// <param name="Volume">The volume.</param>
    /// <param name="Holder">Who holds it.</param>
    /// <param name="Mark">What is known of the volume from now on.</param>
    public sealed record TrustLost(string Volume, VaultHolder Holder, string Mark) : JournalRecord;

    /// <summary>Root keys answered for how a hold had ended.</summary>
    /// <param name="Volume">The volume.</param>
    /// <param name="Holder">Who held it.</param>
    /// <param name="Document">SHA-256 of the approval, lower hex.</param>
    /// <param name="Mark">What is known of the volume from now on.</param>
    public sealed record Answered(string Volume, VaultHolder Holder, string Document, string Mark) : JournalRecord;

    /// <summary>A host answered what became of the bytes that a destroyed key had opened.</summary>
    /// <param name="Key">What it was the key of.</param>
    /// <param name="Serial">Which key of that name, lower hex.</param>
    /// <param name="Host">The host.</param>
    /// <param name="Outcome">What became of them.</param>
    /// <param name="Report">SHA-256 of the payload of its report, lower hex.</param>
    public sealed record Scrubbed(string Key, string Serial, string Host, string Outcome, string Report)
        : JournalRecord;

    /// <summary>
    /// The hierarchy is about to change: keys are wrapped anew, replaced, destroyed or loaded. Written before anything
    /// else happens; a <see cref="Completed"/> or <see cref="Abandoned"/> follows.
    /// </summary>
    /// <param name="What">What is done.</param>
    /// <param name="Subject">To what: a key, a domain, or the tenant.</param>
    /// <param name="Master">The id of the master key from then on, lower hex.</param>
    /// <param name="Document">SHA-256 of the document that asked for it, lower hex; empty for a rotation.</param>
    public sealed record Change(ChangeKind What, string Subject, string Master, string Document) : JournalRecord
    {
        /// <summary>Which keys are loaded; none for every other change.</summary>
        public ImmutableArray<string> Keys { get; init; } = [];
    }

    /// <summary>When it was written, by the key service's own clock: for people, and decides nothing.</summary>
    public string At { get; init; } = "";

    /// <summary>Canonical JSON.</summary>
    public byte[] Write()
    {
        JsonObject record = Members();
        record["at"] = At;
        return CanonicalJson.Write(JsonSerializer.SerializeToElement(record));
    }

    private JsonObject Members() => this switch
    {
        Intent intent => new JsonObject
        {
            ["kind"] = "intent",
            ["volume"] = intent.Volume,
            ["domain"] = intent.Domain,
            ["compartment"] = intent.Holder.Compartment,
            ["access"] = intent.Holder.Access,
            ["host"] = intent.Holder.Host,
            ["nonce"] = intent.Holder.Nonce,
            ["mark"] = intent.Mark,
        },
        Completed completed => new JsonObject { ["kind"] = "completed", ["of"] = completed.Of },
        Abandoned abandoned => new JsonObject { ["kind"] = "abandoned", ["of"] = abandoned.Of },
        Cleared cleared => new JsonObject
        {
            ["kind"] = NameOf(cleared.Cause),
            ["volume"] = cleared.Volume,
            ["host"] = cleared.Holder.Host,
            ["nonce"] = cleared.Holder.Nonce,
            ["document"] = cleared.Document,
            ["mark"] = cleared.Mark,
        },
        Change change => Changed(change),
        Scrubbed scrubbed => new JsonObject
        {
            ["kind"] = "scrubbed",
            ["key"] = scrubbed.Key,
            ["serial"] = scrubbed.Serial,
            ["host"] = scrubbed.Host,
            ["outcome"] = scrubbed.Outcome,
            ["report"] = scrubbed.Report,
        },
        Bound bound => new JsonObject
        {
            ["kind"] = "header-bound",
            ["volume"] = bound.Volume,
            ["host"] = bound.Holder.Host,
            ["nonce"] = bound.Holder.Nonce,
            ["document"] = bound.Document,
            ["mark"] = bound.Mark,
        },
        TrustLost lost => new JsonObject
        {
            ["kind"] = "trust-lost",
            ["volume"] = lost.Volume,
            ["host"] = lost.Holder.Host,
            ["nonce"] = lost.Holder.Nonce,
            ["mark"] = lost.Mark,
        },
        Answered answered => new JsonObject
        {
            ["kind"] = "answered",
            ["volume"] = answered.Volume,
            ["host"] = answered.Holder.Host,
            ["nonce"] = answered.Holder.Nonce,
            ["document"] = answered.Document,
            ["mark"] = answered.Mark,
        },
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static JsonObject Changed(Change change)
    {
        JsonObject record = new()
        {
            ["kind"] = Kinds.Single(kind => kind.Kind == change.What).Name,
            ["subject"] = change.Subject,
            ["master"] = change.Master,
            ["document"] = change.Document,
        };
        if (change.What == ChangeKind.LoadKeys)
        {
            record["keys"] = new JsonArray([.. change.Keys.Select(key => JsonValue.Create(key))]);
        }

        return record;
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null for anything else.</summary>
    public static JournalRecord? Read(ReadOnlySpan<byte> canonical)
    {
        if (CanonicalJson.ParseCanonical(canonical) is not JsonReading.Understood { Root: var root }
            || DocumentObject.Of(root) is not { } value)
        {
            return null;
        }

        JournalRecord? record = value.Text("kind") switch
        {
            "intent" => Held(value) is var (volume, holder) && value.Text("compartment") is { } machine
                && value.Text("domain") is { } domain
                ? new Intent(
                    volume, holder with { Compartment = machine, Access = value.Text("access") ?? "" },
                    value.Text("mark") ?? "") { Domain = domain }
                : null,
            "completed" => value.Count("of") is { } of ? new Completed(of) : null,
            "abandoned" => value.Count("of") is { } of ? new Abandoned(of) : null,
            "returned" => Clearing(value, ClearCause.Returned),
            "taken-over" => Clearing(value, ClearCause.TakenOver),
            "header-bound" => Held(value) is var (volume, holder) && value.Text("document") is { } document
                && value.Text("mark") is { } mark
                ? new Bound(volume, holder, document, mark)
                : null,
            "trust-lost" => Held(value) is var (volume, holder) && value.Text("mark") is { } mark
                ? new TrustLost(volume, holder, mark)
                : null,
            "answered" => Held(value) is var (volume, holder) && value.Text("document") is { } document
                && value.Text("mark") is { } mark
                ? new Answered(volume, holder, document, mark)
                : null,
            "scrubbed" => value.Text("key") is { } key && value.Text("serial") is { } serial
                && value.Text("host") is { } from && value.Text("outcome") is { } outcome
                && value.Text("report") is { } report
                ? new Scrubbed(key, serial, from, outcome, report)
                : null,
            _ => Changing(value, root),
        };
        return record is not null && value.Text("at") is { } at ? record with { At = at } : null;
    }

    private static string NameOf(ClearCause cause) => cause switch
    {
        ClearCause.Returned => "returned",
        ClearCause.TakenOver => "taken-over",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Change? Changing(DocumentObject value, JsonElement root)
    {
        if (Kinds.FirstOrDefault(kind => kind.Name == value.Text("kind")) is not { Name: not null } known
            || value.Text("subject") is not { } subject || value.Text("master") is not { } master
            || value.Text("document") is not { } document)
        {
            return null;
        }

        Change change = new(known.Kind, subject, master, document);
        return known.Kind != ChangeKind.LoadKeys ? change
            : Loaded(root) is { Length: > 0 } keys ? change with { Keys = keys }
            : null;
    }

    private static ImmutableArray<string> Loaded(JsonElement root) =>
        root.TryGetProperty("keys", out JsonElement keys) && keys.ValueKind == JsonValueKind.Array
        && keys.EnumerateArray().All(key => key.ValueKind == JsonValueKind.String)
            ? [.. keys.EnumerateArray().Select(key => key.GetString() ?? "")]
            : [];

    private static Cleared? Clearing(DocumentObject value, ClearCause cause) =>
        Held(value) is var (volume, holder) && value.Text("document") is { } document
            ? new Cleared(volume, holder, cause, document, value.Text("mark") ?? "")
            : null;

    private static (string Volume, VaultHolder Holder)? Held(DocumentObject value) =>
        value.Text("volume") is { } volume && value.Text("host") is { } host && value.Text("nonce") is { } nonce
            ? (volume, new VaultHolder(host, nonce))
            : null;
}

/// <summary>Who holds a key, and by which release: host and nonce name it, the rest says what for.</summary>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Nonce">The nonce of the release, base64.</param>
public sealed record VaultHolder(string Host, string Nonce)
{
    /// <summary>The machine that uses it: `tenant id/name`; empty where only the release is named.</summary>
    public string Compartment { get; init; } = "";

    /// <summary>
    /// `read` or `write` of a volume, `copy` for a host that copies it; empty of a TPM, and of a release before volumes
    /// were shared.
    /// </summary>
    public string Access { get; init; } = "";

    /// <summary>Whether it has the key only to copy the volume.</summary>
    public bool IsCopying => Access == Domains.KeyRelease.KeyHolder.CopyWord;

    /// <summary>Whether both are of one machine on one host: its newer release takes the place of the older.</summary>
    public bool IsInPlaceOf(VaultHolder? other) => other?.Host == Host && other.Compartment == Compartment;

    /// <summary>Whether both name one release.</summary>
    public bool IsRelease(VaultHolder? other) => other?.Host == Host && other.Nonce == Nonce;
}

/// <summary>How a hierarchy changes. Closed.</summary>
public enum ChangeKind
{
    /// <summary>A new master key; the domains' keys are wrapped anew.</summary>
    RotateMaster = 1,

    /// <summary>A new key of a domain; what is under it is wrapped anew.</summary>
    RotateDomain,

    /// <summary>The key of a volume or of a machine's TPM is destroyed.</summary>
    DestroyKey,

    /// <summary>A domain's key and all under it are destroyed.</summary>
    DestroyDomain,

    /// <summary>All keys are destroyed.</summary>
    DestroyAll,

    /// <summary>Keys that were prepared without a network come in.</summary>
    LoadKeys,
}

/// <summary>Why a holder was cleared. Closed.</summary>
public enum ClearCause
{
    /// <summary>The host returned the key.</summary>
    Returned = 1,

    /// <summary>Root keys of the tenant took it away.</summary>
    TakenOver,
}
