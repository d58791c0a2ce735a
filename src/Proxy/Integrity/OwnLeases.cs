using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// What the tenants' key services last said of this host, per domain, and whether it can make evidence at all. A key
/// service that says nothing has said nothing new: a yes of before is still the last word, for a host that is in order
/// must not lose its machines because a key service restarts. Safe for use from several threads.
/// </summary>
public sealed class OwnLeases
{
    private readonly ConcurrentDictionary<DomainRef, ImmutableArray<string>> _said = [];
    private volatile string? _lost;
    private readonly RoundPause _pause = new();
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The tenants whose key services have said something.</summary>
    public ImmutableArray<PartyId> Tenants => [.. _said.Keys.Select(domain => domain.Tenant).Distinct()];

    /// <summary>How this host stands for a domain.</summary>
    public OwnStanding Of(DomainRef domain) =>
        _lost is { } lost ? new OwnStanding(OwnTrust.Lost, lost)
        : !_said.TryGetValue(domain, out ImmutableArray<string> against) ? OwnStanding.Unknown
        : against.IsEmpty ? OwnStanding.Held
        : new OwnStanding(OwnTrust.Lost, string.Join(" ", against));

    /// <summary>Takes everything that a tenant's key service says now; what it no longer names is forgotten.</summary>
    public void Take(PartyId tenant, IReadOnlyDictionary<DomainRef, ImmutableArray<string>> verdicts)
    {
        ArgumentNullException.ThrowIfNull(verdicts);
        foreach (DomainRef gone in _said.Keys.Where(one => one.Tenant == tenant && !verdicts.ContainsKey(one)))
        {
            _said.TryRemove(gone, out _);
        }

        foreach ((DomainRef domain, ImmutableArray<string> against) in verdicts)
        {
            _said[domain] = against;
        }

        Interlocked.Exchange(ref _news, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>Waits between two proofs; less when somebody waits for what a key service says.</summary>
    public Task RestAsync(TimeSpan rest, TimeProvider time, CancellationToken stop) =>
        _pause.RestAsync(rest, time, stop);

    /// <summary>
    /// Has this host proven now if it is not known how it stands for these domains, and waits until it is; a start
    /// would else wait for the next round of proofs.
    /// </summary>
    /// <param name="domains">The domains.</param>
    /// <param name="patience">The longest wait; whoever asks then is told why not.</param>
    /// <param name="stop">Gives up.</param>
    public async Task KnownAsync(IReadOnlyCollection<DomainRef> domains, TimeSpan patience, CancellationToken stop)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(patience);
        bool isAsked = false;
        while (!limit.IsCancellationRequested)
        {
            Task news = Volatile.Read(ref _news).Task;
            if (domains.All(domain => Of(domain).Trust != OwnTrust.Unknown))
            {
                return;
            }

            if (!isAsked)
            {
                _pause.Wake();
                isAsked = true;
            }

            await news.WaitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        stop.ThrowIfCancellationRequested();
    }

    /// <summary>This host cannot prove itself to anybody, for a reason, or it can again.</summary>
    public void CannotProve(string? why) => _lost = why;
}
