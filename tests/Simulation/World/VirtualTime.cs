namespace Bailiwick.Simulation.World;

/// <summary>The one clock of a simulated world; it moves only when the scheduler moves it.</summary>
internal sealed class VirtualClock
{
    public DateTimeOffset Now { get; private set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public void Advance(TimeSpan by) => Now += by;
}

/// <summary>
/// The clock as one process sees it. Its timers end when the scheduler says so, however long they were to last: how
/// long a process waits is the scheduler's choice.
/// </summary>
internal sealed class ProcessTime(VirtualClock clock) : TimeProvider
{
    private readonly List<Pending> _timers = [];

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => clock.Now;

    public override long GetTimestamp() => clock.Now.Ticks;

    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Pending timer = new(this, () => callback(state));
        _timers.Add(timer);
        return timer;
    }

    /// <summary>Ends every wait that has begun; what runs after it runs here.</summary>
    public void EndWaits()
    {
        Pending[] due = [.. _timers];
        _timers.Clear();
        foreach (Pending timer in due)
        {
            timer.Ring();
        }
    }

    private sealed class Pending(ProcessTime time, Action ring) : ITimer
    {
        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose() => time._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
