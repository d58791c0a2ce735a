using System.Collections.Immutable;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Principals;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master.Log;
using Bailiwick.Master.Reading;
using Bailiwick.Master.Store;

namespace Bailiwick.Master.Placing;

/// <summary>The suggestions at one moment, and the policies they were made from.</summary>
/// <param name="Datacentre">The checked policies.</param>
/// <param name="Rows">A row for each machine, in the order of their references.</param>
public sealed record Placed(CheckedDatacentre Datacentre, ImmutableArray<PlacementRow> Rows);

/// <summary>
/// Keeps suggestions up to date: whenever the log, an order or what key services say of hosts changes, every other
/// second while a host lacks a lease, and once a minute because policies expire, the
/// policies are checked anew and every machine gets a host or the reason why it has none. A suggestion decides nothing:
/// each Proxy admits or refuses by itself.
/// </summary>
public sealed class PlacementDesk : IAsyncDisposable
{
    private readonly BoardLog _log;
    private readonly BoardWriter _writer;
    private readonly PlacementRule _rule;
    private readonly TrustDesk _trust;
    private readonly TimeProvider _time;
    private readonly ILogger _failures;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly Task _loop;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ImmutableArray<StoredPlace> _kept = [];
    private Placed _placed;

    /// <summary>Makes the first suggestions, then keeps them up to date.</summary>
    public PlacementDesk(
        BoardLog log, BoardWriter writer, PlacementRule rule, TrustDesk trust, TimeProvider time, ILogger failures)
    {
        (_log, _writer, _rule, _trust, _time, _failures) = (log, writer, rule, trust, time, failures);
        _placed = rule.Place(log.State, log.PlacesAtStart, trust.View(), time.GetUtcNow());
        _loop = Task.Run(Run);
    }

    /// <summary>The present suggestions.</summary>
    public Placed Placed
    {
        get
        {
            lock (_gate)
            {
                return _placed;
            }
        }
    }

    /// <summary>Completes when the suggestions change; ask for it before reading them.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>The suggestions that a caller may see.</summary>
    public ImmutableArray<PlacementRow> RowsFor(Principal caller) =>
        [.. Placed.Rows.Where(row => ReadingRule.MaySee(caller, PartyOf(row.Compartment)))];

    /// <summary>The party of a reference that the board itself wrote.</summary>
    internal static PartyId PartyOf(string reference) =>
        PartyId.TryParse(reference.Split('/')[0], out var party)
            ? party
            : throw new FormatException($"'{reference}' is no reference.");

    /// <summary>Stops.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task Run()
    {
        while (!_stop.IsCancellationRequested)
        {
            var changed = _log.Changed;
            var doubted = _trust.Changed;
            try
            {
                await Put(_rule.Place(
                    _log.State, PlacesOf(Placed.Rows), _trust.View(), _time.GetUtcNow()));
            }
            catch (Exception error) when (error is not OutOfMemoryException && !_stop.IsCancellationRequested)
            {
                // The old suggestions stay: Proxies check them against the newest policies in any case.
                _failures.LogError(error, "Placing machines failed; the suggestions before it stay.");
            }

            catch (Exception) when (_stop.IsCancellationRequested)
            {
                return;
            }

            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var pause = _trust.AnyDoubt
                ? TimeSpan.FromSeconds(MasterLimits.LeavingLookSeconds)
                : TimeSpan.FromMinutes(1);
            await Task.WhenAny(changed, doubted, Task.Delay(pause, _time, limit.Token));
            await limit.CancelAsync();
        }
    }

    private static ImmutableArray<StoredPlace> PlacesOf(ImmutableArray<PlacementRow> rows) =>
        [.. rows.Where(row => row.Host is not null).Select(row => new StoredPlace(row.Compartment, row.Host ?? ""))];

    private async Task Put(Placed placed)
    {
        var places = PlacesOf(placed.Rows);
        if (!places.SequenceEqual(_kept))
        {
            // Kept before it is told, so that a board that restarts suggests the same again.
            await _writer.Keep(places, _stop.Token);
            _kept = places;
        }

        TaskCompletionSource? changed = null;
        lock (_gate)
        {
            if (!placed.Rows.SequenceEqual(_placed.Rows))
            {
                (changed, _changed) =
                    (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            _placed = placed;
        }

        changed?.SetResult();
    }
}
