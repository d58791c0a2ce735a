using System.Diagnostics;

namespace Bailiwick.Benchmarks.Measuring;

/// <summary>
/// Measures several ways of doing the same in turns, in each second round the last first, so that whatever else the
/// machine does, and whoever went before, meets all of them alike.
/// </summary>
public static class Race
{
    /// <summary>The median seconds of each, in the order given.</summary>
    /// <param name="effort">How many rounds.</param>
    /// <param name="contestants">Each takes the round's number, from 0, and answers the seconds of one operation.
    /// </param>
    public static async Task<double[]> Run(Effort effort, params IReadOnlyList<Func<int, Task<double>>> contestants)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(contestants);
        var seconds = contestants.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < effort.All; round++)
        {
            for (var turn = 0; turn < contestants.Count; turn++)
            {
                var i = round % 2 == 0 ? turn : contestants.Count - 1 - turn;
                var took = await contestants[i](round);
                if (round >= effort.WarmUps)
                {
                    seconds[i].Add(took);
                }
            }
        }

        return [.. seconds.Select(Median)];
    }

    /// <summary>The seconds of one of <paramref name="count"/> operations that the action does.</summary>
    public static Func<int, Task<double>> Timed(int count, Action<int> action) => round =>
    {
        var start = Stopwatch.GetTimestamp();
        action(round);
        return Task.FromResult(Stopwatch.GetElapsedTime(start).TotalSeconds / count);
    };

    /// <inheritdoc cref="Timed(int, Action{int})"/>
    public static Func<int, Task<double>> Timed(int count, Func<int, Task> action) => async round =>
    {
        var start = Stopwatch.GetTimestamp();
        await action(round);
        return Stopwatch.GetElapsedTime(start).TotalSeconds / count;
    };

    /// <summary>
    /// The seconds of processor time that this process works in the action: what it costs one core, whatever else the
    /// machine does.
    /// </summary>
    public static Func<int, Task<double>> Worked(Action<int> action) => round =>
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        action(round);
        return Task.FromResult((Environment.CpuUsage.TotalTime - before).TotalSeconds);
    };

    /// <summary>Does the same so many times.</summary>
    public static void Repeat(int count, Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        for (int i = 0; i < count; i++)
        {
            action();
        }
    }

    /// <summary>The middle value; the mean of the two middle ones of an even number.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static double Median(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        double[] sorted = [.. values.Order()];
        return sorted.Length switch
        {
            0 => throw new ArgumentException("There is no median of nothing.", nameof(values)),
            var n when n % 2 == 1 => sorted[n / 2],
            var n => (sorted[(n / 2) - 1] + sorted[n / 2]) / 2,
        };
    }
}
