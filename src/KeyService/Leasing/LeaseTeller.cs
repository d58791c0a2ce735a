using System.Collections.Immutable;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.KeyService.Releasing;

namespace Bailiwick.KeyService.Leasing;

/// <summary>
/// Tells the Master how hosts stand and who holds which key, so that it can propose other places. Nothing here waits
/// for the Master, and nothing depends on what it makes of it.
/// </summary>
public sealed class LeaseTeller(LeaseDesk leases, ReleaseDesk releases, IBoard board, TimeProvider time)
{
    /// <summary>Between two reports, in seconds.</summary>
    public const int PeriodSeconds = 5;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Tells until cancelled: every few seconds, and at once when a standing changed.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        LeaseReport before = new([], [], []);
        long told = time.GetTimestamp();
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                bool due = time.GetElapsedTime(told) >= TimeSpan.FromSeconds(PeriodSeconds);
                if (Report() is { } report && (due || !IsSame(report, before)))
                {
                    await board.ReportLeases(report, cancel);
                    (before, told) = (report, time.GetTimestamp());
                }
            }
            catch (BoardException)
            {
                // It is told again.
            }

            await Task.Delay(Look, time, cancel);
        }
    }

    private LeaseReport? Report()
    {
        ImmutableArray<LeaseRow> rows = leases.Rows();
        return releases.Status(rows) is RouteAnswer<KeyServiceStatus>.Ok { Value: var status }
            ? new LeaseReport(
                [.. rows.Select(row => new ReportedLease(row.Host, row.Domain, row.Standing, row.Because))],
                [
                    .. status.Volumes.SelectMany(volume => volume.Holders.Select(holder =>
                        new ReportedHolder(volume.Volume, holder.Host, holder.Compartment))),
                ],
                [
                    .. status.Restarts.GroupBy(row => (row.Compartment, row.Host)).Select(same =>
                        new ReportedRestart(same.Key.Compartment, same.Key.Host, same.Max(row => row.Until))),
                ])
            : null;
    }

    private static bool IsSame(LeaseReport one, LeaseReport other) =>
        one.Leases.SequenceEqual(other.Leases) && one.Holders.SequenceEqual(other.Holders)
        && one.Restarts.SequenceEqual(other.Restarts);
}
