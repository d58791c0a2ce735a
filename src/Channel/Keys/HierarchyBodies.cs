using System.Collections.Immutable;
using System.Text.Json;

namespace Bailiwick.Channel.Keys;

/// <summary>The keys that a key service keeps, without any key.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Generation">The master key's generation.</param>
/// <param name="Master">The master key's id, lower hex; what an approval to destroy all keys names.</param>
/// <param name="Domains">The domains that have a key.</param>
/// <param name="Destroyed">What was destroyed, and is not made again for the same statement.</param>
public sealed record KeyTreeBody(
    string Tenant, long Generation, string Master, ImmutableArray<DomainKeysBody> Domains,
    ImmutableArray<DestroyedBody> Destroyed);

/// <summary>A domain's keys.</summary>
/// <param name="Domain">`tenant id/name`.</param>
/// <param name="Generation">Which key of the domain is in force.</param>
/// <param name="Serial">What an approval of its destruction names, lower hex.</param>
/// <param name="Keys">The keys of volumes and TPMs under it.</param>
public sealed record DomainKeysBody(
    string Domain, long Generation, string Serial, ImmutableArray<KeptKeyBody> Keys);

/// <summary>The key of a volume or of a machine's TPM.</summary>
/// <param name="Key">What it opens.</param>
/// <param name="Epoch">Which key of that name.</param>
/// <param name="Serial">What an approval of its destruction names, lower hex.</param>
/// <param name="Holders">Who has it now.</param>
public sealed record KeptKeyBody(string Key, long Epoch, string Serial, ImmutableArray<KeyHolderBody> Holders);

/// <summary>A key that was destroyed.</summary>
/// <param name="What"><c>key</c> or <c>domain</c>.</param>
/// <param name="Name">What it opened, or the domain.</param>
/// <param name="Revision">A statement must be newer than this for a new key.</param>
/// <param name="Record">The journal's record of the destruction.</param>
public sealed record DestroyedBody(string What, string Name, long Revision, long Record);

/// <summary>A page of the journal, the newest last.</summary>
public sealed record ReleaseLogBody(ImmutableArray<ReleaseLogEntry> Entries);

/// <summary>One thing that was done with keys.</summary>
/// <param name="Index">The journal's record.</param>
/// <param name="At">When, by the key service's clock.</param>
/// <param name="What">A release, a clearing, a rotation or a destruction.</param>
/// <param name="Subject">The volume, the TPM, the domain or the tenant.</param>
/// <param name="Whom">The host, and the machine.</param>
/// <param name="Outcome">What became of it.</param>
public sealed record ReleaseLogEntry(
    long Index, string At, string What, string Subject, string Whom, string Outcome);

/// <summary>Asks for a rotation.</summary>
/// <param name="Domain">`tenant id/name`; empty for the master key.</param>
public sealed record RotationBody(string Domain);

/// <summary>What is in force now.</summary>
/// <param name="Generation">The generation of what was rotated.</param>
/// <param name="Master">The master key's id, lower hex.</param>
public sealed record RotatedBody(long Generation, string Master);

/// <summary>Keys that were prepared without a network.</summary>
/// <param name="Prepared">The document, as `bailiwick key prepare` wrote it.</param>
public sealed record LoadBody(JsonElement Prepared);

/// <summary>What came in.</summary>
/// <param name="Domain">The domain that the keys are of: `tenant id/name`.</param>
/// <param name="Keys">What they open.</param>
public sealed record LoadedBody(string Domain, ImmutableArray<string> Keys);

/// <summary>An approval signed by root keys.</summary>
/// <param name="Destroy">A DSSE envelope.</param>
public sealed record DestroyBody(JsonElement Destroy);

/// <summary>What was destroyed.</summary>
/// <param name="Receipt">A DSSE envelope, signed by the key service.</param>
public sealed record ErasedBody(JsonElement Receipt);

/// <summary>What the calling host is to remove from the pool.</summary>
/// <param name="Orders">DSSE envelopes, each an order signed by the key service.</param>
public sealed record ScrubOrdersBody(ImmutableArray<JsonElement> Orders);

/// <summary>What became of it.</summary>
/// <param name="Serial">The destroyed key's, lower hex, as the order says.</param>
/// <param name="Report">A DSSE envelope, signed by the host.</param>
public sealed record ScrubReportBody(string Serial, JsonElement Report);
