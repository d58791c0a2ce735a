namespace Bailiwick.Proxy.Reconciling;

/// <summary>
/// The pause between two rounds of one loop, which ends early when somebody wakes it. Whoever wakes during a round
/// shortens the pause after it; whoever wakes before a round begins is answered by that round.
/// </summary>
public sealed class RoundPause
{
    private TaskCompletionSource _woken = New();

    /// <summary>Ends the pause soon. Many calls before the next round are one.</summary>
    public void Wake() => Volatile.Read(ref _woken).TrySetResult();

    /// <summary>Waits for so long, or until woken. For one loop at a time.</summary>
    /// <exception cref="OperationCanceledException">The loop is to end.</exception>
    public async Task RestAsync(TimeSpan rest, TimeProvider time, CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await Task.WhenAny(Task.Delay(rest, time, over.Token), Volatile.Read(ref _woken).Task).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();

        // A call until here was before the round that comes now.
        Volatile.Write(ref _woken, New());
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
