using System.Collections.Concurrent;
using Bailiwick.Channel.Board;

namespace Bailiwick.Master.Placing;

/// <summary>A host's last report.</summary>
/// <param name="Report">What it said.</param>
/// <param name="At">When.</param>
public sealed record ReceivedReport(HostReport Report, DateTimeOffset At);

/// <summary>The last report of each host, in memory: a host reports again soon after the board has restarted.</summary>
public sealed class ReportDesk(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ReceivedReport> _last = new(StringComparer.Ordinal);

    /// <summary>Takes a report; the gate has checked that it is the host's own.</summary>
    public void Put(string host, HostReport report) => _last[host] = new ReceivedReport(report, time.GetUtcNow());

    /// <summary>The last report, or null if there was none since the start.</summary>
    public ReceivedReport? Find(string host) => _last.GetValueOrDefault(host);

    /// <summary>`silent`, `reporting` or `late`.</summary>
    public string StateOf(string host) => Find(host) switch
    {
        null => "silent",
        { } report when IsLate(report) => "late",
        _ => "reporting",
    };

    /// <summary>The last reports of the hosts that are not late.</summary>
    public IEnumerable<(string Host, HostReport Report)> Fresh() =>
        _last.Where(one => !IsLate(one.Value)).Select(one => (one.Key, one.Value.Report));

    private bool IsLate(ReceivedReport report) =>
        time.GetUtcNow() - report.At > TimeSpan.FromSeconds(MasterLimits.LateSeconds);
}
