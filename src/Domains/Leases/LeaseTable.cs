using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Leases;

/// <summary>
/// What one verifier holds of hosts, per domain. Trust is lent: it begins with evidence that this verifier accepted,
/// ends at once with evidence that it refused, and ends by itself when none comes. What was never proven is doubted.
/// Immutable; the moments are on the verifier's own clock, so nobody else's decides.
/// </summary>
public sealed class LeaseTable
{
    /// <summary>How long trust lasts without fresh evidence, in seconds.</summary>
    public const int Seconds = 60;

    private readonly ImmutableDictionary<(HostRef, DomainRef), HostLease> _leases;

    private LeaseTable(ImmutableDictionary<(HostRef, DomainRef), HostLease> leases) => _leases = leases;

    /// <summary>Nobody has proven anything.</summary>
    public static LeaseTable Empty { get; } = new(ImmutableDictionary<(HostRef, DomainRef), HostLease>.Empty);

    /// <summary>Every standing, by host and domain.</summary>
    public ImmutableArray<HostLease> All =>
    [
        .. _leases.Values.OrderBy(lease => lease.Host.ToString(), StringComparer.Ordinal)
            .ThenBy(lease => lease.Domain.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>What was last found of a host for a domain; null if it was never judged.</summary>
    public HostLease? Find(HostRef host, DomainRef domain) => _leases.GetValueOrDefault((host, domain));

    /// <summary>Why a host is not trusted for a domain now; null while it is.</summary>
    public string? Doubt(HostRef host, DomainRef domain, TimeSpan now) =>
        Find(host, domain) is { } lease ? lease.Doubt(now) : "it has not proven itself here yet.";

    /// <summary>Takes a verdict over fresh evidence.</summary>
    /// <param name="host">The host.</param>
    /// <param name="domain">The domain whose demands were judged.</param>
    /// <param name="against">Everything against it; empty for a lease.</param>
    /// <param name="now">The moment.</param>
    public LeaseTable Take(HostRef host, DomainRef domain, ImmutableArray<string> against, TimeSpan now) =>
        new(_leases.SetItem((host, domain), new HostLease(host, domain, against, now)));

    /// <summary>Forgets what does not satisfy a condition.</summary>
    public LeaseTable Where(Func<HostLease, bool> kept) => _leases.Values.All(kept)
        ? this
        : new LeaseTable(_leases.Where(pair => kept(pair.Value)).ToImmutableDictionary());
}

/// <summary>What a verifier last found of a host for a domain.</summary>
/// <param name="Host">The host.</param>
/// <param name="Domain">The domain.</param>
/// <param name="Against">Everything against it, in sentences; empty when it was accepted.</param>
/// <param name="At">When, on the verifier's clock.</param>
public sealed record HostLease(HostRef Host, DomainRef Domain, ImmutableArray<string> Against, TimeSpan At)
{
    /// <summary>How it stands now.</summary>
    public LeaseStanding Standing(TimeSpan now) => !Against.IsEmpty ? LeaseStanding.Refused
        : now - At > TimeSpan.FromSeconds(LeaseTable.Seconds) ? LeaseStanding.Silent
        : LeaseStanding.Held;

    /// <summary>Why the host is not trusted now; null while it is.</summary>
    public string? Doubt(TimeSpan now) => Standing(now) switch
    {
        LeaseStanding.Held => null,
        LeaseStanding.Refused => string.Join(" ", Against),
        LeaseStanding.Silent => $"it has not proven itself for {LeaseTable.Seconds} s.",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>How a host stands with a verifier. Closed.</summary>
public enum LeaseStanding
{
    /// <summary>It is trusted.</summary>
    Held = 1,

    /// <summary>Its last evidence was refused.</summary>
    Refused,

    /// <summary>It has not proven itself for too long.</summary>
    Silent,
}
