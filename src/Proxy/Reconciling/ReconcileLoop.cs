using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Reconciling;

/// <summary>
/// Runs one unit's reconciling for as long as the unit exists: at once when <see cref="Wake"/> is called, and every
/// <see cref="ResyncSeconds"/> seconds anyway. A failure of the world never leaves the loop; it is retried with a pause
/// that grows to as much, because one thing that fails is no reason to look at the others less often. A bug stops the
/// unit, closes it, and leaves the other units running.
/// </summary>
public sealed class ReconcileLoop : IAsyncDisposable
{
    /// <summary>The pause between two looks at the world when nothing happens.</summary>
    public const int ResyncSeconds = 5;
    private const int FirstPauseSeconds = 1;

    private readonly IReconciled _unit;
    private readonly TimeProvider _time;
    private readonly RoundPause _pause = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>A loop that does not run yet.</summary>
    public ReconcileLoop(IReconciled unit, TimeProvider time)
    {
        _unit = unit;
        _time = time;
    }

    /// <summary>Starts the loop.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Looks again soon. Many calls before the next look are one.</summary>
    public void Wake() => _pause.Wake();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        int pause = FirstPauseSeconds;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _unit.ReconcileAsync(_stop.Token).ConfigureAwait(false);
                pause = FirstPauseSeconds;
                await RestAsync(ResyncSeconds).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (WorldException error)
            {
                _unit.Status.Turn(UnitHealth.Failing, error.Message);
                await RestAsync(pause).ConfigureAwait(false);
                pause = Math.Min(pause * 2, ResyncSeconds);
            }
            catch (Exception bug)
            {
                await CloseAfterBugAsync(bug).ConfigureAwait(false);
                return;
            }
        }
    }

    private async Task RestAsync(int seconds)
    {
        try
        {
            await _pause.RestAsync(TimeSpan.FromSeconds(seconds), _time, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The loop looks at it next.
        }
    }

    private async Task CloseAfterBugAsync(Exception bug)
    {
        // The full exception, not only its message: this is for whoever repairs the Proxy.
        _unit.Status.Turn(UnitHealth.Stopped, bug.ToString());
        await Console.Error.WriteLineAsync($"bailiwick: {_unit.Status.Unit} stopped by a bug: {bug}")
            .ConfigureAwait(false);
        try
        {
            await _unit.CloseAsync().ConfigureAwait(false);
        }
        catch (WorldException error)
        {
            _unit.Status.Failed("close after a bug", error.Message);
        }
    }
}

/// <summary>A part of the host that is brought to its plan by itself, whatever becomes of the others.</summary>
public interface IReconciled
{
    /// <summary>What it last did.</summary>
    UnitStatus Status { get; }

    /// <summary>Observes, revokes, grants and observes again. Idempotent.</summary>
    /// <exception cref="WorldException">The world refused; it is tried again.</exception>
    Task ReconcileAsync(CancellationToken stop);

    /// <summary>Makes the unit's ports dead, after a bug.</summary>
    Task CloseAsync();
}
