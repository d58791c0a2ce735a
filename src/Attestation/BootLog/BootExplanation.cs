using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.BootLog;

/// <summary>Why a boot log explains a quote not. Closed.</summary>
public enum BootLogRefusalCode
{
    /// <summary>The log does not declare the bank that was quoted.</summary>
    BankNotInLog = 1,

    /// <summary>A PCR that must be explained was not quoted.</summary>
    NotQuoted,

    /// <summary>Nothing is measured into a PCR that must be explained: whoever runs later can choose its value.
    /// </summary>
    NothingMeasured,

    /// <summary>The log's events give another value than was quoted.</summary>
    Mismatch,
}

/// <summary>One reason against a boot log.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Pcr">The PCR, or null where it is about the whole log.</param>
/// <param name="Sentence">For people.</param>
public sealed record BootLogRefusal(BootLogRefusalCode Code, int? Pcr, string Sentence);

/// <summary>Compares a log with a quote.</summary>
public abstract class BootExplanation
{
    private static readonly ImmutableSortedSet<int> Firmware = [0, 1, 2, 3, 4, 5, 6, 7];

    private BootExplanation()
    {
    }

    /// <summary>The log gives the quoted value of every PCR that it must explain.</summary>
    public sealed class Explained : BootExplanation
    {
        internal Explained(ExplainedBoot boot) => Boot = boot;

        /// <summary>The proof.</summary>
        public ExplainedBoot Boot { get; }
    }

    /// <summary>It does not; every reason is given.</summary>
    public sealed class Refused : BootExplanation
    {
        internal Refused(ImmutableArray<BootLogRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, by PCR.</summary>
        public ImmutableArray<BootLogRefusal> Refusals { get; }
    }

    /// <summary>Judges a log by a quote.</summary>
    /// <param name="log">The log.</param>
    /// <param name="quoted">The values that a TPM signed.</param>
    /// <param name="required">The PCRs that the log must explain; the firmware's, 0 to 7, if null. Others may be
    /// extended by the running system, and are believed only if they match too.</param>
    public static BootExplanation Judge(MeasuredBoot log, QuotedPcrs quoted, IReadOnlySet<int>? required = null)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(quoted);
        if (!log.Declares(quoted.Bank))
        {
            return new Refused([new BootLogRefusal(BootLogRefusalCode.BankNotInLog, null,
                $"The quote is over the bank {quoted.Bank.Text()}; the log has "
                + $"{string.Join(", ", log.Banks.Select(b => b.Name))}.")]);
        }

        return Judge(log, BootReplay.Of(log, quoted.Bank), quoted, required ?? Firmware);
    }

    /// <summary>Judges a log that was explained before by another quote of the same bank, without hashing it again.
    /// </summary>
    internal static BootExplanation Again(ExplainedBoot before, QuotedPcrs quoted) =>
        before.Replay.Bank == quoted.Bank
            ? Judge(before.Log, before.Replay, quoted, Firmware)
            : Judge(before.Log, quoted);

    private static BootExplanation Judge(
        MeasuredBoot log, BootReplay replay, QuotedPcrs quoted, IReadOnlySet<int> required)
    {
        var refusals = ImmutableArray.CreateBuilder<BootLogRefusal>();
        foreach (int pcr in required.Order())
        {
            if (Against(pcr, replay, quoted) is { } code)
            {
                refusals.Add(new BootLogRefusal(code, pcr, Sentence(code, pcr)));
            }
        }

        return refusals.Count > 0
            ? new Refused(refusals.ToImmutable())
            : new Explained(ExplainedBoot.After(
                log, replay, quoted, [.. quoted.Numbers.Where(p => Matches(p, replay, quoted))]));
    }

    private static BootLogRefusalCode? Against(int pcr, BootReplay replay, QuotedPcrs quoted) =>
        quoted.Value(pcr).IsEmpty ? BootLogRefusalCode.NotQuoted
        : !replay.Touched.Contains(pcr) ? BootLogRefusalCode.NothingMeasured
        : !Matches(pcr, replay, quoted) ? BootLogRefusalCode.Mismatch
        : null;

    private static bool Matches(int pcr, BootReplay replay, QuotedPcrs quoted) =>
        quoted.Value(pcr).SequenceEqual(replay.Value(pcr));

    private static string Sentence(BootLogRefusalCode code, int pcr) => code switch
    {
        BootLogRefusalCode.NotQuoted => $"PCR {pcr} must be explained, and the quote does not cover it.",
        BootLogRefusalCode.NothingMeasured =>
            $"PCR {pcr} must be explained, and the log has no event in it: a bank that the firmware leaves alone "
            + "can be filled by whoever runs later.",
        BootLogRefusalCode.Mismatch => $"PCR {pcr} was quoted with another value than the log's events give.",
        BootLogRefusalCode.BankNotInLog => throw new UnreachableException(),
        _ => throw new UnreachableException(),
    };
}

/// <summary>
/// A boot log whose digests a quote vouches for. Only <see cref="BootExplanation"/> makes one. It vouches for digests
/// and their order within each PCR; not for types, nor for data that the digests do not cover, nor for the order of
/// events of different PCRs.
/// </summary>
public sealed class ExplainedBoot
{
    private ExplainedBoot(MeasuredBoot log, BootReplay replay, QuotedPcrs quoted, ImmutableSortedSet<int> pcrs)
    {
        Log = log;
        Replay = replay;
        Quoted = quoted;
        Pcrs = pcrs;
    }

    /// <summary>The log.</summary>
    public MeasuredBoot Log { get; }

    /// <summary>What was quoted.</summary>
    public QuotedPcrs Quoted { get; }

    /// <summary>What the log's events give.</summary>
    internal BootReplay Replay { get; }

    /// <summary>The PCRs whose quoted value the log gives; the events of all others prove nothing.</summary>
    public ImmutableSortedSet<int> Pcrs { get; }

    // Only BootExplanation calls this, after its last check.
    internal static ExplainedBoot After(
        MeasuredBoot log, BootReplay replay, QuotedPcrs quoted, ImmutableSortedSet<int> pcrs) =>
        new(log, replay, quoted, pcrs);
}
