using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Bailiwick.Domains.Verification;

/// <summary>Whether a host is as its plan says, as far as the caller may see it.</summary>
/// <param name="Host">The host.</param>
/// <param name="Plan">SHA-256 of the plan in force, lower hex.</param>
/// <param name="At">When it was read back.</param>
/// <param name="Milliseconds">How long that took.</param>
/// <param name="Things">What was compared.</param>
/// <param name="Drifts">What was found to differ lately, oldest first; repaired since, if it is no difference now.
/// </param>
public sealed record HostVerification(
    string Host, string Plan, DateTimeOffset At, long Milliseconds, ImmutableArray<ComparedThing> Things,
    ImmutableArray<FoundDrift> Drifts)
{
    /// <summary>Whether nothing differs.</summary>
    [JsonIgnore]
    public bool IsProven => Things.All(thing => thing.IsProven);
}

/// <summary>One thing that was compared with the plan.</summary>
/// <param name="Kind">host, switch, gateway, service-point, tunnels, passage, machine or volume.</param>
/// <param name="Subject">Its name.</param>
/// <param name="Differences">Each way in which it is not as planned; none where it is proven to be.</param>
public sealed record ComparedThing(string Kind, string Subject, ImmutableArray<string> Differences)
{
    /// <summary>Whether it is as planned.</summary>
    [JsonIgnore]
    public bool IsProven => Differences.IsEmpty;
}

/// <summary>A drift in the integrity log.</summary>
/// <param name="Entry">The number of the entry.</param>
/// <param name="Subject">What differed.</param>
/// <param name="Sentence">When and how it differed, and what that opened or closed.</param>
public sealed record FoundDrift(long Entry, string Subject, string Sentence);
