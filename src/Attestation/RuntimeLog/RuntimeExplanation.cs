using System.Globalization;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.RuntimeLog;

/// <summary>
/// Looks for the prefix of a runtime log that gives the quoted PCR 10. The list grows while it is read, so it may go on
/// behind that prefix; that part is judged with the next quote.
/// </summary>
public abstract class RuntimeExplanation
{
    private RuntimeExplanation()
    {
    }

    /// <summary>A prefix gives the quoted value.</summary>
    public sealed class Explained : RuntimeExplanation
    {
        internal Explained(ExplainedRuntime runtime) => Runtime = runtime;

        /// <summary>The proof.</summary>
        public ExplainedRuntime Runtime { get; }
    }

    /// <summary>None does.</summary>
    public sealed class Refused : RuntimeExplanation
    {
        internal Refused(RuntimeLogFault? fault, string sentence)
        {
            Fault = fault;
            Sentence = sentence;
        }

        /// <summary>Why reading ended early, if it did.</summary>
        public RuntimeLogFault? Fault { get; }

        /// <summary>For people.</summary>
        public string Sentence { get; }
    }

    /// <summary>Judges a tail by a quote.</summary>
    /// <param name="from">What was read before, in this boot.</param>
    /// <param name="tail">Everything that came after.</param>
    /// <param name="quoted">The values that a TPM signed, PCR 10 among them.</param>
    public static RuntimeExplanation Judge(RuntimeLogState from, ReadOnlyMemory<byte> tail, QuotedPcrs quoted)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(quoted);
        ReadOnlySpan<byte> wanted = quoted.Value(RuntimeLogLimits.Pcr);
        if (wanted.IsEmpty || !from.Banks.Contains(quoted.Bank))
        {
            return new Refused(null, $"PCR 10 of the bank {quoted.Bank.Text()} was not quoted, or is not replayed.");
        }

        RuntimeReplayed replayed = RuntimeReplay.Until(from, tail.Span, quoted.Bank, wanted);
        if (replayed.State.Pcr10(quoted.Bank).SequenceEqual(wanted))
        {
            int length = (int)(replayed.State.Count.Bytes - from.Count.Bytes);
            return new Explained(ExplainedRuntime.Of(from, replayed.State, tail[..length].ToArray(), quoted.Bank));
        }

        return new Refused(replayed.Fault, replayed.Fault is { } fault
            ? $"No prefix of the runtime log gives the quoted PCR 10. {fault.Sentence}"
            : string.Create(CultureInfo.InvariantCulture,
                $"No prefix of the runtime log, {replayed.State.Count.Entries} entries, gives the quoted PCR 10."));
    }
}

/// <summary>
/// A piece of a runtime log that a quote vouches for. Only <see cref="RuntimeExplanation"/> makes one. Advance to
/// <see cref="After"/> only when what is in it was accepted; otherwise judge it again with the next quote.
/// </summary>
public sealed class ExplainedRuntime
{
    private readonly byte[] _log;

    private ExplainedRuntime(RuntimeLogState before, RuntimeLogState after, byte[] log, TpmHash bank)
    {
        Before = before;
        After = after;
        _log = log;
        Bank = bank;
    }

    /// <summary>What was accepted before.</summary>
    public RuntimeLogState Before { get; }

    /// <summary>The state to go on from.</summary>
    public RuntimeLogState After { get; }

    /// <summary>The bank that was quoted.</summary>
    public TpmHash Bank { get; }

    /// <summary>Reads the piece's entries; the first has the number <see cref="Before"/>.Count.Entries.</summary>
    public RuntimeLogReader Read() => new(_log);

    // Only RuntimeExplanation calls this, after its check.
    internal static ExplainedRuntime Of(
        RuntimeLogState before, RuntimeLogState after, byte[] log, TpmHash bank) => new(before, after, log, bank);
}
