using System.Collections.Immutable;
using System.Text.Json;

namespace Bailiwick.Channel.Keys;

/// <summary>What a host shows to keep its leases.</summary>
/// <param name="Nonce">The key service's nonce, base64.</param>
/// <param name="Domains">The domains it has machines of, `tenant id/name`; those of before are judged too.</param>
/// <param name="Evidence">A DSSE envelope over the nonce.</param>
/// <param name="BootLog">The firmware's event log beside it, base64; empty when there is none.</param>
/// <param name="RuntimeLog">The kernel's runtime log beside it, base64; empty when there is none.</param>
/// <param name="IntegrityLog">
/// What the tenant may see of the host's integrity log (integrity-tail/v1); null when it is not shown.
/// </param>
/// <param name="LogsAfter">
/// What came as held with the nonce, where the two logs go on from it: the boot log is left out and the runtime log
/// begins there. Null where they are whole.
/// </param>
/// <param name="Restarts">
/// The restart leases that the host keeps, by the nonces of their releases, base64; whatever is not among them it has
/// let go of for good.
/// </param>
public sealed record LeaseBody(
    string Nonce, ImmutableArray<string> Domains, JsonElement Evidence, string BootLog, string RuntimeLog,
    JsonElement? IntegrityLog, JsonElement? LogsAfter, ImmutableArray<string> Restarts);

/// <summary>What a key service made of it.</summary>
/// <param name="Domains">One verdict for each domain that was judged.</param>
/// <param name="Restarts">One word on each restart lease that the host says it keeps.</param>
public sealed record LeaseAnswer(ImmutableArray<DomainLease> Domains, ImmutableArray<RestartWord> Restarts);

/// <summary>A key service's word on a restart lease. One on which it says nothing has ended.</summary>
/// <param name="Nonce">The nonce of the release that it came with, base64.</param>
/// <param name="Against">Why it has ended, in a sentence; empty while it stands.</param>
public sealed record RestartWord(string Nonce, string Against);

/// <summary>A restart lease as its key service counts it.</summary>
/// <param name="Key">What the key opens: `tenant id/name`.</param>
/// <param name="Compartment">The machine that may be restarted.</param>
/// <param name="Host">The host that may do so.</param>
/// <param name="Until">Until when, by the key service's clock; the host counts from earlier.</param>
public sealed record RestartRow(string Key, string Compartment, string Host, DateTimeOffset Until);

/// <summary>A key that its tenant withdrew.</summary>
/// <param name="Key">What it opens: `tenant id/name`.</param>
/// <param name="Since">Since when.</param>
public sealed record WithdrawnRow(string Key, DateTimeOffset Since);

/// <summary>Asks that a key go to nobody any more, or that it may again.</summary>
/// <param name="Key">What it opens: `tenant id/name`.</param>
/// <param name="Withdrawn">Whether it is withdrawn from now on.</param>
public sealed record WithdrawalBody(string Key, bool Withdrawn);

/// <summary>A key service's verdict on a host for one domain.</summary>
/// <param name="Domain">`tenant id/name`.</param>
/// <param name="Against">Everything against the host, in sentences; empty for a lease of a minute.</param>
public sealed record DomainLease(string Domain, ImmutableArray<string> Against);

/// <summary>How a host stands with a key service.</summary>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Domain">`tenant id/name`.</param>
/// <param name="Standing">`held`, `refused` or `silent`.</param>
/// <param name="Seconds">Since the last word about it.</param>
/// <param name="Because">Why it has no lease; empty while it has.</param>
public sealed record LeaseRow(string Host, string Domain, string Standing, long Seconds, string Because);
