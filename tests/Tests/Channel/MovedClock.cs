namespace Bailiwick.Tests.Channel;

/// <summary>A clock, wall and monotonic, that moves only when it is told to.</summary>
internal sealed class MovedClock : TimeProvider
{
    private readonly DateTimeOffset _start = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public override DateTimeOffset GetUtcNow() => _start.AddTicks(_now);

    public void Move(double seconds) => _now += TimeSpan.FromSeconds(seconds).Ticks;
}
