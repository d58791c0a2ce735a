using System.Collections.Immutable;
using Bailiwick.Channel.Board;

namespace Bailiwick.Proxy.Api;

/// <summary>How a host is, as far as the caller may see it.</summary>
/// <param name="Host">The host.</param>
/// <param name="PlanDigest">SHA-256 of the plan in force, lower hex; only for those who may see the whole.</param>
/// <param name="Compartments">Machines.</param>
/// <param name="Units">Units of reconciling.</param>
/// <param name="RefusedStatements">Statements and histories this host refuses.</param>
/// <param name="Problems">Anything else, as sentences.</param>
/// <param name="Keys">How long the last release of each key took.</param>
public sealed record ProxyStatus(
    string Host, string? PlanDigest, ImmutableArray<CompartmentReport> Compartments, ImmutableArray<UnitBody> Units,
    ImmutableArray<ReportedReason> RefusedStatements, ImmutableArray<string> Problems,
    ImmutableArray<KeyTimeBody> Keys);

/// <summary>The last release of a key to this host.</summary>
/// <param name="Key">The volume, or the machine's TPM.</param>
/// <param name="At">When.</param>
/// <param name="Microseconds">From the question until the key was open.</param>
public sealed record KeyTimeBody(string Key, DateTimeOffset At, long Microseconds);

/// <summary>A unit of reconciling.</summary>
/// <param name="Unit">A domain, a passage, a tenant's volumes, or the host.</param>
/// <param name="Health">pending, converged, failing or stopped.</param>
/// <param name="Problem">Why it is not converged.</param>
/// <param name="Steps">The last outcome of each step, newest first.</param>
public sealed record UnitBody(string Unit, string Health, string Problem, ImmutableArray<StepBody> Steps);

/// <summary>The last outcome of a step.</summary>
public sealed record StepBody(string Name, bool Ok, string Sentence, DateTimeOffset At);

/// <summary>A plan as far as the caller may see it.</summary>
/// <param name="Digest">SHA-256 of the whole plan, lower hex.</param>
/// <param name="Plan">The whole plan, or the caller's domains.</param>
public sealed record PlanBody(string Digest, System.Text.Json.JsonElement Plan);

/// <summary>A part of the integrity log.</summary>
/// <param name="Entries">How many entries there are in all.</param>
/// <param name="Head">The chain hash over those since the boot, lower hex.</param>
/// <param name="Lines">The entries asked for.</param>
public sealed record IntegrityBody(long Entries, string Head, ImmutableArray<IntegrityLineBody> Lines);

/// <summary>One entry.</summary>
/// <param name="Commitment">What the chain hashes, base64.</param>
/// <param name="Salt">What opens the commitment, base64; only for those whom the entry concerns.</param>
/// <param name="Entry">The entry's canonical JSON, base64; likewise.</param>
/// <param name="DetailSalt">What opens the entry's digest, base64; only for those whom the entry names.</param>
/// <param name="Detail">What the digest is over; likewise; empty when it was too long to keep.</param>
public sealed record IntegrityLineBody(
    string Commitment, string? Salt, string? Entry, string? DetailSalt, string? Detail);
