namespace Bailiwick.Master;

/// <summary>Every limit of the board that is not the channel's.</summary>
public static class MasterLimits
{
    /// <summary>Most statements in one batch.</summary>
    public const int BatchStatements = 1000;

    /// <summary>Largest batch, in bytes of JSON.</summary>
    public const int BatchBytes = 8 * 1024 * 1024;

    /// <summary>Most statements that one transaction of the store takes from several callers together.</summary>
    public const int CommitStatements = 2000;

    /// <summary>Most calls that wait for the store; more are refused.</summary>
    public const int WaitingCalls = 512;

    /// <summary>Most entries of one page.</summary>
    public const int PageEntries = 1000;

    /// <summary>Most statements of one key service at once: it tells of changes that people approve.</summary>
    public const int KeyChangesAtOnce = 64;

    /// <summary>Seconds until one more statement of a key service is taken, after the most at once.</summary>
    public const int KeyChangeSeconds = 30;

    /// <summary>Bytes of envelopes after which a page ends.</summary>
    public const int PageBytes = 4 * 1024 * 1024;

    /// <summary>Seconds between two heartbeats of a watch stream that has nothing else to say.</summary>
    public const int HeartbeatSeconds = 5;

    /// <summary>Seconds without a report after which a host is late.</summary>
    public const int LateSeconds = 30;

    /// <summary>Seconds after which what a key service said of hosts is no longer known.</summary>
    public const int LeaseReportSeconds = 60;

    /// <summary>Seconds for which a host without a lease is waited for to end a machine.</summary>
    public const int LeavingSeconds = 60;

    /// <summary>Seconds between two looks at the places while a host lacks a lease.</summary>
    public const int LeavingLookSeconds = 2;

    /// <summary>Largest report of a host or a key service, in bytes.</summary>
    public const int ReportBytes = 512 * 1024;

    /// <summary>Largest settings file, in bytes.</summary>
    public const int SettingsBytes = 64 * 1024;
}
