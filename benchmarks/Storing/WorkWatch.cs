using System.Diagnostics;
using System.Globalization;

namespace Bailiwick.Benchmarks.Storing;

/// <summary>The processor time that another process works from now on, all its threads (proc(5), schedstat).</summary>
internal sealed class WorkWatch
{
    private readonly int _process;
    private readonly double _before;
    private readonly long _start = Stopwatch.GetTimestamp();

    private WorkWatch(int process)
    {
        _process = process;
        _before = Read(process);
    }

    /// <summary>Seconds of processor time so far.</summary>
    internal double Seconds => Read(_process) - _before;

    /// <summary>Seconds of the clock so far.</summary>
    internal double Elapsed => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    internal static WorkWatch Of(int process) => new(process);

    // A thread that ended in between takes its time with it; the process's own count (ticks of 10 ms) keeps it.
    private static double Read(int process)
    {
        string[] words = File.ReadAllText($"/proc/{process}/stat").Split(')')[^1]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        const int UserTime = 11;
        const double TicksPerSecond = 100;
        return (long.Parse(words[UserTime], CultureInfo.InvariantCulture)
            + long.Parse(words[UserTime + 1], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
