using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host;

/// <summary>
/// The time since the host started, suspension included (clock_gettime(2), CLOCK_BOOTTIME). Nobody can set it, so what
/// ends by it ends neither later because a clock was put back nor later because the host slept.
/// </summary>
public sealed partial class BootTime : TimeProvider
{
    private const int ClockBoottime = 7;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <inheritdoc/>
    public override long TimestampFrequency => NanosecondsPerSecond;

    /// <inheritdoc/>
    /// <exception cref="WorldException">The kernel has no such clock.</exception>
    public override long GetTimestamp() => clock_gettime(ClockBoottime, out TimeSpec time) == 0
        ? (time.Seconds * NanosecondsPerSecond) + time.Nanoseconds
        : throw new WorldException(["clock_gettime", "CLOCK_BOOTTIME"], Marshal.GetLastPInvokeError(), "");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int clock_gettime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
