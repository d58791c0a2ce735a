using System.Collections.Immutable;

namespace Bailiwick.Proxy.Compartments;

/// <summary>What was last seen and done of one machine; immutable.</summary>
/// <param name="Word">running, paused, stopped, refused, stopping, measuring, provisioning, failed or unknown.</param>
/// <param name="Refusals">
/// Why it is refused or failed, or how far its measuring or the filling of its volumes has come.
/// </param>
/// <param name="Failures">How often in a row a start came to nothing.</param>
/// <param name="RetryUnder">
/// What the last start rested on (<see cref="Plans.EnforcedPlan.StartsUnder"/>); under the same, the next one waits
/// until <paramref name="RetryAt"/>.
/// </param>
/// <param name="RetryAt">Milliseconds on the manager's clock.</param>
public sealed record CompartmentState(
    string Word, ImmutableArray<string> Refusals, int Failures, string? RetryUnder, long RetryAt)
{
    private const int StopSeconds = 20;
    private const int LongestPauseSeconds = 60;

    /// <summary>Nothing is known yet.</summary>
    public static CompartmentState Unknown { get; } = new("unknown", [], 0, null, 0);

    /// <summary>The state after something was seen or tried.</summary>
    /// <param name="word">What.</param>
    /// <param name="refusals">Why not, if so.</param>
    /// <param name="under">What a start that was tried rested on; null when none was.</param>
    /// <param name="now">Milliseconds on the manager's clock.</param>
    public CompartmentState Next(string word, ImmutableArray<string> refusals, string? under, long now)
    {
        if (under is null || refusals.IsEmpty)
        {
            return new CompartmentState(word, refusals, 0, null, 0);
        }

        int pauseSeconds = Math.Min(LongestPauseSeconds, 2 << Math.Min(Failures, 5));
        return new CompartmentState(
            word, refusals, Failures + 1, under, now + (pauseSeconds * 1000L));
    }

    /// <summary>It was asked to end; after <see cref="RetryAt"/> it is ended.</summary>
    public static CompartmentState Stopping(long now) =>
        new("stopping", [], 0, null, now + (StopSeconds * 1000L));
}
