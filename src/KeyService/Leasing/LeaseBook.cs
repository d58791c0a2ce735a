using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Json;

namespace Bailiwick.KeyService.Leasing;

/// <summary>
/// The leases that this key service has lent to hosts, per domain of its tenant. They are only in memory: after a
/// restart every host must prove itself again before it gets another key. Each change of a standing is in a journal; a
/// lease begins only after the record of it is durable, and ends before. Safe for use from several threads.
/// </summary>
public sealed class LeaseBook : IDisposable
{
    /// <summary>How long an ended lease is told of after the last word about the host, in seconds.</summary>
    public const int MemorySeconds = 600;

    private const string FileName = "leases.log";
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private readonly AppendLog _journal;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Dictionary<(HostRef, DomainRef), LeaseStanding> _journalled = [];
    private LeaseTable _table = LeaseTable.Empty;

    private LeaseBook(AppendLog journal, TimeProvider time) =>
        (_journal, _time, _start) = (journal, time, time.GetTimestamp());

    /// <summary>Opens the journal; the leases of before are nobody's.</summary>
    /// <exception cref="DurableException">The disk refused, or another key service has the journal.</exception>
    public static LeaseBook Open(PrivateDirectory directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return new LeaseBook(AppendLog.Open(directory, FileName), time);
    }

    /// <summary>Every standing that is remembered, by host and domain.</summary>
    public ImmutableArray<HostLease> All
    {
        get
        {
            lock (_gate)
            {
                return _table.All;
            }
        }
    }

    /// <summary>Told of each refusal, after it has taken effect; never of silence.</summary>
    public Action<HostRef, DomainRef> Refused { get; set; } = (_, _) => { };

    /// <summary>The moment, on the clock of the standings.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_start);

    /// <summary>Why a host has no lease for a domain now; null while it has.</summary>
    public string? Doubt(HostRef host, DomainRef domain)
    {
        lock (_gate)
        {
            return _table.Doubt(host, domain, Now);
        }
    }

    /// <summary>The domains for which a host has, or had not long ago, a standing.</summary>
    public ImmutableArray<DomainRef> DomainsOf(HostRef host) =>
        [.. All.Where(lease => lease.Host == host).Select(lease => lease.Domain)];

    /// <summary>Takes a verdict over fresh evidence.</summary>
    /// <param name="host">The host.</param>
    /// <param name="domain">The domain whose demands were judged.</param>
    /// <param name="against">Everything against it; empty for a lease.</param>
    /// <exception cref="DurableException">The journal refused: there is no lease.</exception>
    public void Take(HostRef host, DomainRef domain, ImmutableArray<string> against)
    {
        lock (_gate)
        {
            if (against.IsEmpty)
            {
                Journal(host, domain, LeaseStanding.Held, "");
                _table = _table.Take(host, domain, against, Now);
            }
            else
            {
                _table = _table.Take(host, domain, against, Now);
                Journal(host, domain, LeaseStanding.Refused, string.Join(" ", against));
            }
        }

        if (!against.IsEmpty)
        {
            Refused(host, domain);
        }
    }

    /// <summary>Ends every lease of a host at once.</summary>
    /// <exception cref="DurableException">The journal refused; the leases are ended nevertheless.</exception>
    public void End(HostRef host, string why)
    {
        ArgumentException.ThrowIfNullOrEmpty(why);
        DomainRef[] held;
        lock (_gate)
        {
            held = [.. _table.All.Where(lease => lease.Host == host).Select(lease => lease.Domain)];
            foreach (DomainRef domain in held)
            {
                _table = _table.Take(host, domain, [why], Now);
            }

            foreach (DomainRef domain in held)
            {
                Journal(host, domain, LeaseStanding.Refused, why);
            }
        }

        foreach (DomainRef domain in held)
        {
            Refused(host, domain);
        }
    }

    /// <summary>Ends every host's lease for a domain at once.</summary>
    /// <exception cref="DurableException">The journal refused; the leases are ended nevertheless.</exception>
    public void EndDomain(DomainRef domain, string why)
    {
        ArgumentException.ThrowIfNullOrEmpty(why);
        lock (_gate)
        {
            HostRef[] held = [.. _table.All.Where(lease => lease.Domain == domain).Select(lease => lease.Host)];
            foreach (HostRef host in held)
            {
                _table = _table.Take(host, domain, [why], Now);
            }

            foreach (HostRef host in held)
            {
                Journal(host, domain, LeaseStanding.Refused, why);
            }
        }
    }

    /// <summary>Forgets the standing of a host that proved itself and no longer asks for the domain.</summary>
    public void GiveBack(HostRef host, DomainRef domain)
    {
        lock (_gate)
        {
            _table = _table.Where(lease => lease.Host != host || lease.Domain != domain);
            _journalled.Remove((host, domain));
        }
    }

    /// <summary>Journals what silence has ended, and forgets what ended long ago.</summary>
    /// <exception cref="DurableException">The journal refused; it is tried again.</exception>
    public void Sweep()
    {
        lock (_gate)
        {
            TimeSpan now = Now;
            foreach (HostLease lease in _table.All.Where(lease => lease.Standing(now) == LeaseStanding.Silent))
            {
                Journal(lease.Host, lease.Domain, LeaseStanding.Silent, lease.Doubt(now) ?? "");
            }

            _table = _table.Where(lease => now - lease.At <= TimeSpan.FromSeconds(MemorySeconds));
            foreach ((HostRef Host, DomainRef Domain) gone in _journalled.Keys
                .Where(key => _table.Find(key.Item1, key.Item2) is null).ToArray())
            {
                _journalled.Remove(gone);
            }
        }
    }

    /// <summary>Sweeps until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using PeriodicTimer timer = new(Period, _time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            try
            {
                Sweep();
            }
            catch (DurableException)
            {
                // What silence ended is ended by the clock, journalled or not; the next turn tries again.
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _journal.Dispose();

    /// <summary>Only a change is journalled, so that a host that asks often fills no disk.</summary>
    private void Journal(HostRef host, DomainRef domain, LeaseStanding standing, string because)
    {
        if (_journalled.TryGetValue((host, domain), out LeaseStanding before) && before == standing)
        {
            return;
        }

        _journal.Append(CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["host"] = host.ToString(),
            ["domain"] = domain.ToString(),
            ["standing"] = WireText.Of(standing),
            ["because"] = because,
            ["at"] = _time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        })));
        _journalled[(host, domain)] = standing;
    }
}
