namespace Bailiwick.Tests.Channel;

/// <summary>A clock that moves only when it is told to.</summary>
public sealed class StoppedClock : TimeProvider
{
    public required DateTimeOffset Now { get; set; }

    public override DateTimeOffset GetUtcNow() => Now;
}
