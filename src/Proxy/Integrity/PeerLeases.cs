using System.Collections.Immutable;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// For how long this host takes another to be what a domain demands: <see cref="LeaseTable"/> on this host's own clock.
/// Safe for use from several threads.
/// </summary>
public sealed class PeerLeases(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();
    private LeaseTable _table = LeaseTable.Empty;

    /// <summary>Every standing now.</summary>
    public ImmutableArray<HostLease> All => _table.All;

    /// <summary>The moment, on the clock of the standings.</summary>
    public TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>Why a host is not trusted for a domain now; null while it is.</summary>
    public string? Doubt(HostRef peer, DomainRef domain) => _table.Doubt(peer, domain, Now);

    /// <summary>Whether the other host was ever judged.</summary>
    public bool Knows(HostRef peer, DomainRef domain) => _table.Find(peer, domain) is not null;

    /// <summary>Takes a verdict over fresh evidence.</summary>
    /// <param name="peer">The other host.</param>
    /// <param name="domain">The domain whose demands were judged.</param>
    /// <param name="against">Everything against it; empty for a lease.</param>
    public void Take(HostRef peer, DomainRef domain, ImmutableArray<string> against)
    {
        TimeSpan now = Now;
        Change(table => table.Take(peer, domain, against, now));
    }

    /// <summary>
    /// Lets somebody judge another host. That the judge itself fails is no reason to trust, and ends what was lent at
    /// once: whoever makes a verifier throw must not stay what he was (CVE-2022-3500), nor take it down.
    /// </summary>
    /// <param name="peer">The other host.</param>
    /// <param name="domains">The domains it is judged for.</param>
    /// <param name="judge">Judges; what it throws, but for a cancellation, is a failure of the judge.</param>
    /// <returns>The failure, or null.</returns>
    public async Task<Exception?> JudgeAsync(
        HostRef peer, IReadOnlyCollection<DomainRef> domains, Func<Task> judge)
    {
        ArgumentNullException.ThrowIfNull(domains);
        ArgumentNullException.ThrowIfNull(judge);
        try
        {
            await judge().ConfigureAwait(false);
            return null;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            foreach (DomainRef domain in domains)
            {
                Take(peer, domain, ["this host failed over what it showed."]);
            }

            return failure;
        }
    }

    /// <summary>Forgets everyone who is not among these.</summary>
    public void Keep(IReadOnlyCollection<(HostRef, DomainRef)> wanted) =>
        Change(table => table.Where(lease => wanted.Contains((lease.Host, lease.Domain))));

    private void Change(Func<LeaseTable, LeaseTable> change) => ImmutableInterlocked.Update(ref _table, change);
}
