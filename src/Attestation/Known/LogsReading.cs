using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Known;

/// <summary>
/// What a verifier makes of the logs beside a quote: <see cref="Explained"/> or <see cref="Refused"/>. They are shown
/// whole, or go on from what the verifier knows of the same boot; both are judged by the same quote.
/// </summary>
public abstract class LogsReading
{
    private LogsReading()
    {
    }

    /// <summary>Judges logs; never throws for what they contain.</summary>
    /// <param name="shown">What the host shows.</param>
    /// <param name="moment">The boot that the host states, and what its TPM quoted.</param>
    /// <param name="known">What the verifier knows of the host; null when nothing.</param>
    public static LogsReading Judge(EvidenceLogs shown, QuotedMoment moment, KnownBoot? known)
    {
        ArgumentNullException.ThrowIfNull(shown);
        ArgumentNullException.ThrowIfNull(moment);
        KnownBoot? since = shown.After is null ? null : known;
        if (Gap(shown, moment, since) is { } gap)
        {
            return new Refused([new EvidenceRefusal(EvidenceRefusalCode.LogsPosition, gap)]);
        }

        var refusals = ImmutableArray.CreateBuilder<EvidenceRefusal>();
        BootFacts? boot = since is null
            ? ReadBoot(shown.BootLog.Span, moment.Quoted, refusals)
            : since.Boot is { } before ? Again(before, moment.Quoted, refusals) : null;
        ExplainedRuntime? runtime = ReadRuntime(shown.RuntimeLog, moment.Quoted, since?.Runtime, refusals);
        return refusals.Count > 0
            ? new Refused(refusals.ToImmutable())
            : new Explained(moment, boot, runtime, since);
    }

    /// <summary>Why what is shown does not go on from what is known; null where it does, or is whole.</summary>
    private static string? Gap(EvidenceLogs shown, QuotedMoment moment, KnownBoot? since) =>
        shown.After is not { } after ? null
        : since is null || since.Position != after
            ? "The host leaves out what this verifier does not hold: it must show its logs whole."
        : moment.Boot != after.Boot || moment.Clock.ResetCount != after.Resets
            || moment.Clock.RestartCount != after.Restarts
            ? $"The logs go on from the boot {after.Boot:D}, {after.Resets} resets and {after.Restarts} restarts; the "
                + $"evidence is of the boot {moment.Boot:D}, {moment.Clock.ResetCount} and "
                + $"{moment.Clock.RestartCount}."
        : !shown.BootLog.IsEmpty ? "A boot log is shown to a verifier that the host says has it."
        : null;

    private static BootFacts? ReadBoot(
        ReadOnlySpan<byte> log, QuotedPcrs quoted, ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        if (log.IsEmpty)
        {
            return null;
        }

        switch (MeasuredBoot.Read(log))
        {
            case BootLogReading.Rejected rejected:
                refusals.Add(new EvidenceRefusal(
                    EvidenceRefusalCode.BootLogMalformed,
                    $"The boot log cannot be read: {rejected.Fault.Sentence}"));
                return null;
            case BootLogReading.Understood understood:
                return Accept(BootExplanation.Judge(understood.Log, quoted), refusals) is { } explained
                    ? BootFacts.Of(explained) : null;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// The known log by another quote: which registers it explains may be others now. Its events are read again only
    /// then.
    /// </summary>
    private static BootFacts? Again(
        BootFacts before, QuotedPcrs quoted, ImmutableArray<EvidenceRefusal>.Builder refusals) =>
        Accept(BootExplanation.Again(before.Boot, quoted), refusals) is { } explained
            ? before.Over(explained) ?? BootFacts.Of(explained)
            : null;

    private static ExplainedBoot? Accept(
        BootExplanation explanation, ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        switch (explanation)
        {
            case BootExplanation.Explained explained:
                return explained.Boot;
            case BootExplanation.Refused refused:
                refusals.AddRange(refused.Refusals.Select(
                    one => new EvidenceRefusal(EvidenceRefusalCode.BootLogMismatch, one.Sentence)));
                return null;
            default:
                throw new UnreachableException();
        }
    }

    private static ExplainedRuntime? ReadRuntime(
        ReadOnlyMemory<byte> log, QuotedPcrs quoted, RuntimeLogState? since,
        ImmutableArray<EvidenceRefusal>.Builder refusals)
    {
        if (log.IsEmpty && since is null)
        {
            return null;
        }

        switch (RuntimeExplanation.Judge(since ?? RuntimeLogState.Start(TpmHash.Sha256), log, quoted))
        {
            case RuntimeExplanation.Explained explained:
                return explained.Runtime;
            case RuntimeExplanation.Refused refused:
                refusals.Add(new EvidenceRefusal(EvidenceRefusalCode.RuntimeLogMismatch, refused.Sentence));
                return null;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// The logs give the quoted registers. Only <see cref="LogsReading"/> makes one. Safe for use from several threads.
    /// </summary>
    public sealed class Explained : LogsReading
    {
        private readonly Lock _gate = new();
        private readonly KnownBoot? _since;
        private ImmutableArray<AppraisalReport> _reports = [];

        internal Explained(QuotedMoment moment, BootFacts? boot, ExplainedRuntime? runtime, KnownBoot? since)
        {
            Moment = moment;
            Boot = boot;
            Runtime = runtime;
            _since = since;
        }

        /// <summary>The quote that vouches for it.</summary>
        public QuotedMoment Moment { get; }

        /// <summary>What the boot proves; null without a boot log.</summary>
        public BootFacts? Boot { get; }

        /// <summary>What was run since the boot, or since what was known; null without a runtime log.</summary>
        public ExplainedRuntime? Runtime { get; }

        /// <summary>The digest of the boot log where it is known already.</summary>
        internal Digest32? BootLogDigest => _since?.Position.BootLog;

        /// <summary>Every report that was asked for.</summary>
        internal ImmutableArray<AppraisalReport> Reports
        {
            get
            {
                lock (_gate)
                {
                    return _reports;
                }
            }
        }

        /// <summary>
        /// Judges a domain's demands. What goes on from what is known holds only if the same demands held until there.
        /// </summary>
        public AppraisalReport Appraise(IReadOnlyList<Predicate> demands)
        {
            ArgumentNullException.ThrowIfNull(demands);
            lock (_gate)
            {
                AppraisalReport? made = KnownBoot.Find(_reports, demands);
                if (made is null)
                {
                    made = Appraisal.Judge(demands, Boot, Runtime, _since?.ReportOf(demands));
                    _reports = _reports.Add(made);
                }

                return made;
            }
        }
    }

    /// <summary>They do not; every reason is given.</summary>
    public sealed class Refused : LogsReading
    {
        internal Refused(ImmutableArray<EvidenceRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason.</summary>
        public ImmutableArray<EvidenceRefusal> Refusals { get; }
    }
}

/// <summary>What a verified quote says of the moment it was made in. Whoever makes one vouches for the quote.</summary>
/// <param name="Boot">The boot that the host states in what the quote is over.</param>
/// <param name="Clock">The TPM's clock and counters.</param>
/// <param name="Quoted">The values of the registers, SHA-256.</param>
public sealed record QuotedMoment(Guid Boot, TpmClockInfo Clock, QuotedPcrs Quoted);
