using System.Collections.Immutable;
using System.Text.Json;

namespace Bailiwick.Channel.Keys;

/// <summary>A nonce for one release.</summary>
/// <param name="Nonce">32 bytes, base64.</param>
/// <param name="Size">The host's evidence must be over a checkpoint of at least so many leaves.</param>
/// <param name="Followed">
/// How far the key service followed the calling host's integrity log (boot, entries, first, head); null when it never
/// did, or does not know the host.
/// </param>
/// <param name="Held">
/// What it holds of the calling host's boot log and runtime log (boot, bootLog, entries, register, resets, restarts);
/// null for nothing: they are shown whole then.
/// </param>
public sealed record NonceAnswer(string Nonce, long Size, JsonElement? Followed, JsonElement? Held);

/// <summary>A host's signed request.</summary>
/// <param name="Request">A DSSE envelope.</param>
/// <param name="BootLog">The firmware's event log beside the evidence, base64; empty when there is none.</param>
/// <param name="RuntimeLog">The kernel's runtime log beside the evidence, base64; empty when there is none.</param>
/// <param name="IntegrityLog">
/// What the tenant may see of the host's integrity log (integrity-tail/v1); null when it is not shown.
/// </param>
/// <param name="LogsAfter">
/// What came as held with the nonce, where the two logs go on from it: the boot log is left out and the runtime log
/// begins there. Null where they are whole.
/// </param>
public sealed record ReleaseBody(
    JsonElement Request, string BootLog, string RuntimeLog, JsonElement? IntegrityLog, JsonElement? LogsAfter);

/// <summary>A sealed key on the wire.</summary>
/// <param name="Ephemeral">The sealer's public key, SubjectPublicKeyInfo in base64.</param>
/// <param name="Ciphertext">Nonce, ciphertext and tag in base64.</param>
/// <param name="Context">The authenticated context, canonical JSON as text.</param>
/// <param name="Tpm">
/// The part that only the host's TPM gives out (tpm-delivery), for the digest of the context; null without a TPM.
/// </param>
public sealed record SealedKeyBody(string Ephemeral, string Ciphertext, string Context, JsonElement? Tpm);

/// <summary>A host's signed return.</summary>
/// <param name="Return">A DSSE envelope.</param>
public sealed record ReturnBody(JsonElement Return);

/// <summary>A host's signed word on the header that it gave to a blank volume.</summary>
/// <param name="Header">A DSSE envelope.</param>
public sealed record HeaderBody(JsonElement Header);

/// <summary>An approval signed by root keys.</summary>
/// <param name="Takeover">A DSSE envelope.</param>
public sealed record TakeoverBody(JsonElement Takeover);

/// <summary>What a key service tells its tenant.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Log">The log it follows.</param>
/// <param name="Size">How many leaves it has verified.</param>
/// <param name="Assurance">The evidence it verifies: the best assurance any of its releases can rest on.</param>
/// <param name="Volumes">Every volume that has a key.</param>
/// <param name="Leases">How each host stands that proves itself here, or did not long ago.</param>
/// <param name="Restarts">Which machines may be restarted without asking, where and until when.</param>
/// <param name="Withdrawn">The keys that the tenant withdrew.</param>
/// <param name="Problems">What its tenant should know, in sentences.</param>
public sealed record KeyServiceStatus(
    string Tenant, string Log, long Size, string Assurance, ImmutableArray<HeldVolume> Volumes,
    ImmutableArray<LeaseRow> Leases, ImmutableArray<RestartRow> Restarts, ImmutableArray<WithdrawnRow> Withdrawn,
    ImmutableArray<string> Problems);

/// <summary>What a key service knows of a host's integrity log.</summary>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Position">How far it followed the log: boot, entries, first, head.</param>
/// <param name="Openings">The newest entries that concern the tenant, each with the salt that opens it.</param>
public sealed record FollowedLogBody(string Host, JsonElement Position, ImmutableArray<JsonElement> Openings);

/// <summary>A volume that has a key.</summary>
/// <param name="Volume">`tenant id/name`.</param>
/// <param name="Holders">Who has the key now.</param>
/// <param name="Header">
/// The digest of the only header with which its key is released, lower hex; null while none is known, and for a TPM.
/// </param>
/// <param name="HeaderSince">When that was bound.</param>
/// <param name="Ended">How holds ended since the key went to a new holder; null where none did, and for a TPM.</param>
public sealed record HeldVolume(
    string Volume, ImmutableArray<KeyHolderBody> Holders, string? Header, DateTimeOffset? HeaderSince,
    EndedHoldBody? Ended);

/// <summary>How holds on a volume ended.</summary>
/// <param name="Host">The host of the last: `operator id/name`.</param>
/// <param name="Nonce">The release of the last.</param>
/// <param name="Events">`returned`, `takeover`, `lost-trust`, `host-restart`.</param>
public sealed record EndedHoldBody(string Host, string Nonce, ImmutableArray<string> Events);

/// <summary>A machine on a host that has a key.</summary>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Compartment">`tenant id/name`.</param>
/// <param name="Access">`read` or `write`; empty of a TPM.</param>
/// <param name="Nonce">The nonce of the release by which it has it.</param>
/// <param name="Since">Since when, by the key service's clock.</param>
public sealed record KeyHolderBody(string Host, string Compartment, string Access, string Nonce, string Since);
