using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// For how long this host takes another to be what a domain demands. Trust is lent: it begins with evidence that was
/// verified here, ends at once when evidence is refused, and ends by itself when none comes. Time is counted by this
/// host alone, so nobody's clock decides.
/// </summary>
public sealed class PeerLeases(TimeProvider time)
{
    /// <summary>How long trust lasts without fresh evidence, in seconds.</summary>
    public const int Seconds = 60;

    private readonly ConcurrentDictionary<(HostRef, DomainRef), Standing> _standings = [];

    /// <summary>Why a host is not trusted for a domain now; null while it is.</summary>
    public string? Doubt(HostRef peer, DomainRef domain)
    {
        if (!_standings.TryGetValue((peer, domain), out Standing? standing))
        {
            return "it has not proven itself to this host yet.";
        }

        return !standing.Against.IsEmpty ? string.Join(" ", standing.Against)
            : time.GetElapsedTime(standing.At) > TimeSpan.FromSeconds(Seconds)
                ? $"it has not proven itself for {Seconds} s."
                : null;
    }

    /// <summary>Whether the other host was ever judged.</summary>
    public bool Knows(HostRef peer, DomainRef domain) => _standings.ContainsKey((peer, domain));

    /// <summary>Takes a verdict over fresh evidence.</summary>
    /// <param name="peer">The other host.</param>
    /// <param name="domain">The domain whose demands were judged.</param>
    /// <param name="against">Everything against it; empty for a lease.</param>
    public void Take(HostRef peer, DomainRef domain, ImmutableArray<string> against) =>
        _standings[(peer, domain)] = new Standing(against, time.GetTimestamp());

    /// <summary>Forgets everyone who is not among these.</summary>
    public void Keep(IReadOnlyCollection<(HostRef, DomainRef)> wanted)
    {
        foreach ((HostRef, DomainRef) gone in _standings.Keys.Except(wanted))
        {
            _standings.TryRemove(gone, out _);
        }
    }

    private sealed record Standing(ImmutableArray<string> Against, long At);
}
