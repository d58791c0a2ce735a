using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Seeing;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Seeing;

/// <summary>
/// Keeps the counting tables of this host's domains standing and reads them, once a minute and when a tenant asks.
/// Nothing that filters depends on it: what it fails to do, or what somebody does to its tables, costs records alone.
/// </summary>
public sealed class FlowWatch : IDisposable
{
    /// <summary>Between two readings, in seconds; less than the idle time of an element.</summary>
    public const int PeriodSeconds = 60;

    private static readonly ImmutableArray<bool> Places = [false, true];
    private static readonly TimeSpan FreshEnough = TimeSpan.FromSeconds(1);
    private readonly Lock _turn = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Dictionary<DomainRef, Watched> _domains = [];
    private readonly PlanKeeper _plans;
    private readonly NetworkTools _tools;
    private readonly PrivateDirectory _directory;
    private readonly TimeProvider _time;

    /// <summary>Watches; nothing is read yet.</summary>
    /// <param name="plans">The domains.</param>
    /// <param name="tools">The host's, which know the Proxy's own changes of rules from others'.</param>
    /// <param name="directory">The Proxy's own, where the records are kept in a directory of theirs.</param>
    /// <param name="time">For the records.</param>
    public FlowWatch(PlanKeeper plans, NetworkTools tools, PrivateDirectory directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(directory);
        (_plans, _tools, _time) = (plans, tools, time);
        _directory = directory.OpenOrCreateChild("flows");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _changed.Dispose();
        _directory.Dispose();
    }

    /// <summary>Reads until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _plans.Changed += Wake;
        try
        {
            while (true)
            {
                // Bridges and gateways of a new plan are being built.
                await Task.Delay(FreshEnough, _time, stop).ConfigureAwait(false);
                Round();
                await _changed.WaitAsync(TimeSpan.FromSeconds(PeriodSeconds), stop).ConfigureAwait(false);
            }
        }
        finally
        {
            _plans.Changed -= Wake;
        }

        void Wake()
        {
            if (_changed.CurrentCount == 0)
            {
                _changed.Release();
            }
        }
    }

    /// <summary>One reading of every domain.</summary>
    public void Round()
    {
        lock (_turn)
        {
            HostPlan plan = _plans.Current.Plan;
            foreach (DomainPlan domain in plan.Domains)
            {
                Read(domain);
                Keep(domain.Domain);
            }

            foreach (DomainRef gone in _domains.Keys.Except(plan.Domains.Select(one => one.Domain)).ToList())
            {
                _domains.Remove(gone);
            }

            Tried(() =>
            {
                HashSet<string> wanted = [.. plan.Domains.Select(FlowTables.TableOf)];
                foreach (string table in _tools.Tables("bridge")
                    .Where(t => t.StartsWith(FlowTables.Prefix, StringComparison.Ordinal) && !wanted.Contains(t)))
                {
                    _tools.Load($"table bridge {table}\ndelete table bridge {table}\n", null);
                }
            });
        }
    }

    /// <summary>A domain's flows of now, the last seen first; null where this host has no part in the domain.</summary>
    public ImmutableArray<FlowRecord>? Of(DomainRef domain)
    {
        lock (_turn)
        {
            if (_plans.Current.Domain(domain) is not { } plan)
            {
                return null;
            }

            if (!_domains.TryGetValue(domain, out Watched? watched) || _time.GetElapsedTime(watched.Read) > FreshEnough)
            {
                Read(plan);
            }

            return _domains[domain].Book.Records;
        }
    }

    /// <summary>Reads before anything is replaced, so that a new plan loses no counts.</summary>
    private void Read(DomainPlan domain)
    {
        if (!_domains.TryGetValue(domain.Domain, out Watched? watched))
        {
            // What a predecessor loaded was counted by it already, or is lost.
            watched = new Watched(Opened(domain.Domain));
            _domains[domain.Domain] = watched;
        }

        watched.Read = _time.GetTimestamp();
        // A part of a table's sets would count as dropped what the rest has as passed.
        List<FlowReading> all = [];
        bool isWhole = watched.Plan is { } loaded && Places.Count(isGateway => Tried(
            () => all.AddRange(FlowReading.All(loaded, isGateway, Counts)))) == Places.Length;

        watched.Book.Take(all, _time.GetUtcNow());
        string text = FlowTables.ForDomain(domain) + (domain.Gateway is null ? "" : FlowTables.ForGateway(domain));
        if (!isWhole || watched.Text != text)
        {
            watched.Book.Restart();
            (watched.Plan, watched.Text) = Tried(() => Load(domain)) ? (domain, text) : (null, "");
        }
    }

    private void Load(DomainPlan domain)
    {
        _tools.Load(FlowTables.ForDomain(domain), null);
        if (domain.Gateway is { } gateway)
        {
            _tools.Load(FlowTables.ForGateway(domain), gateway.Namespace);
        }
    }

    private IReadOnlyList<FlowCount> Counts(CountedSet set) =>
        FlowListing.Read(_tools.Elements(set.Namespace, set.Family, set.Table, set.Set));

    private FlowBook Opened(DomainRef domain)
    {
        try
        {
            return FlowBook.Open(_directory, domain);
        }
        catch (DurableException)
        {
            return FlowBook.Empty;
        }
    }

    private void Keep(DomainRef domain)
    {
        try
        {
            _domains[domain].Book.Save(_directory, domain);
        }
        catch (DurableException error)
        {
            Console.Error.WriteLine($"bailiwick: flow records are not kept: {error.Message}");
        }
    }

    /// <summary>A gateway that is being built has no namespace yet; the next round finds it.</summary>
    private static bool Tried(Action what)
    {
        try
        {
            what();
            return true;
        }
        catch (Exception error) when (error is WorldException or JsonException or InvalidOperationException
            or KeyNotFoundException)
        {
            return false;
        }
    }

    /// <summary>A domain that is counted.</summary>
    private sealed class Watched(FlowBook book)
    {
        public FlowBook Book { get; } = book;

        public long Read { get; set; }

        public DomainPlan? Plan { get; set; }

        public string Text { get; set; } = "";
    }
}
