using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Known;

/// <summary>
/// What a verifier holds of one boot of one host after it judged logs: what the boot proves, where the runtime log was,
/// and under which demands all of it held. The next quote is judged from here on. Immutable, and bounded: the boot log,
/// one register, and a report of each set of demands.
/// </summary>
public sealed class KnownBoot
{
    /// <summary>The longest boot log that is held, in bytes; a host with a longer one shows its logs whole.</summary>
    public const int MostBootLogBytes = 512 * 1024;

    /// <summary>The most different sets of demands that are held.</summary>
    public const int MostDemands = 256;

    private readonly ImmutableArray<AppraisalReport> _reports;

    private KnownBoot(
        LogsPosition position, BootFacts? boot, RuntimeLogState? runtime, ImmutableArray<AppraisalReport> reports)
    {
        Position = position;
        Boot = boot;
        Runtime = runtime;
        _reports = reports;
    }

    /// <summary>What the host is told of it.</summary>
    public LogsPosition Position { get; }

    internal BootFacts? Boot { get; }

    internal RuntimeLogState? Runtime { get; }

    /// <summary>
    /// Takes what was judged; null when there is too much of it, or a demand was not met: what was not accepted is
    /// never gone on from.
    /// </summary>
    public static KnownBoot? After(LogsReading.Explained logs)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ImmutableArray<AppraisalReport> reports = logs.Reports;
        ReadOnlySpan<byte> log = logs.Boot is { } boot ? boot.Boot.Log.Bytes : [];
        if (log.Length > MostBootLogBytes || reports.Length > MostDemands || reports.Any(report => !report.Holds))
        {
            return null;
        }

        RuntimeLogState? runtime = logs.Runtime?.After;
        TpmClockInfo clock = logs.Moment.Clock;
        return new KnownBoot(
            new LogsPosition(
                logs.Moment.Boot, logs.BootLogDigest ?? Digest32.FromBytes(SHA256.HashData(log)),
                runtime?.Count.Entries ?? 0,
                Digest32.FromBytes(runtime is null ? new byte[Digest32.Length] : runtime.Pcr10(TpmHash.Sha256)),
                clock.ResetCount, clock.RestartCount),
            logs.Boot, runtime, reports);
    }

    /// <summary>
    /// Whether a tail is enough for these demands: each of them held until here, to the letter. Where nothing is
    /// demanded of the logs, nothing had to.
    /// </summary>
    public bool Covers(IEnumerable<IReadOnlyList<Predicate>> demands) =>
        demands.All(one => one.Count == 0 || ReportOf(one) is not null);

    internal AppraisalReport? ReportOf(IReadOnlyList<Predicate> demands) => Find(_reports, demands);

    /// <summary>The report on exactly these demands; they are nearly always the same objects.</summary>
    internal static AppraisalReport? Find(
        ImmutableArray<AppraisalReport> reports, IReadOnlyList<Predicate> demands)
    {
        foreach (AppraisalReport report in reports)
        {
            if (report.IsOn(demands))
            {
                return report;
            }
        }

        return null;
    }
}
