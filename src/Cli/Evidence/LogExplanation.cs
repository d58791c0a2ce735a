using System.Diagnostics;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Cli.Evidence;

/// <summary>
/// What logs in files prove if a TPM quoted the registers that are given; where none are, the registers that the logs
/// themselves give stand for them, and then everything rests on whoever handed the logs over.
/// </summary>
internal sealed class LogExplanation
{
    private const int Registers = 16;
    private readonly List<string> _faults = [];

    private LogExplanation(bool isQuoted) => IsQuoted = isQuoted;

    /// <summary>Whether registers were given.</summary>
    internal bool IsQuoted { get; }

    /// <summary>What the boot proves; null when the log does not explain the registers.</summary>
    internal BootFacts? Boot { get; private set; }

    /// <summary>What the runtime log proves; null when there is none, or it does not explain the registers.</summary>
    internal ExplainedRuntime? Runtime { get; private set; }

    /// <summary>Why a log proves nothing, one sentence each.</summary>
    internal IReadOnlyList<string> Faults => _faults;

    /// <summary>On whose word it all rests, to be said with every answer.</summary>
    internal string Caution => IsQuoted
        ? "The registers are taken as the file has them: `bailiwick evidence quote` says whether a TPM signed them."
        : "Nobody vouches for this log: without a quote it is judged by the registers that it gives itself, and "
            + "whoever handed it over can have written it.";

    /// <summary>Judges logs.</summary>
    /// <param name="bootLog">The boot log; null when its wrapping is not as it must be.</param>
    /// <param name="runtimeLog">The runtime log, or null.</param>
    /// <param name="given">Registers, or null.</param>
    internal static LogExplanation Of(byte[]? bootLog, byte[]? runtimeLog, PcrValues? given)
    {
        var explanation = new LogExplanation(given is not null);
        MeasuredBoot? log = explanation.Read(bootLog);

        // The bank that a host's evidence is over, where there is a choice.
        TpmHash[] banks = [.. given?.All.Select(value => value.Bank).Distinct()
            ?? log?.Banks.Select(bank => bank.Bank).OfType<TpmHash>() ?? []];
        TpmHash bank = banks.OrderBy(one => one == TpmHash.Sha256 ? 0 : one == TpmHash.Sha1 ? 2 : 1)
            .FirstOrDefault(TpmHash.Sha256);
        RuntimeReplayed? replayed = runtimeLog is null
            ? null : RuntimeReplay.Of(RuntimeLogState.Start(bank), runtimeLog);
        QuotedPcrs quoted = given is not null
            ? QuotedPcrs.Of(bank, given.All.Where(v => v.Bank == bank && v.Register < BootLogLimits.Pcrs)
                .Select(v => KeyValuePair.Create(v.Register, v.Value)))
            : Own(bank, log, replayed?.State);
        explanation.Explain(log, quoted);
        if (runtimeLog is not null)
        {
            explanation.Explain(runtimeLog, given is null ? replayed?.Fault : null, quoted);
        }

        return explanation;
    }

    private MeasuredBoot? Read(byte[]? bytes)
    {
        BootLogReading? reading = bytes is null ? null : MeasuredBoot.Read(bytes);
        if (reading is BootLogReading.Understood { Log: var log })
        {
            return log;
        }

        _faults.Add("The boot log cannot be read: " + (reading is BootLogReading.Rejected rejected
            ? rejected.Fault.Sentence : "the file is neither a log nor base64 or JSON around one."));
        return null;
    }

    private void Explain(MeasuredBoot? log, QuotedPcrs quoted)
    {
        switch (log is null ? null : BootExplanation.Judge(log, quoted))
        {
            case null:
                break;
            case BootExplanation.Explained explained:
                Boot = BootFacts.Of(explained.Boot);
                break;
            case BootExplanation.Refused refused:
                _faults.AddRange(refused.Refusals.Select(refusal => refusal.Sentence));
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>A log that is judged by itself counts as a whole or not at all.</summary>
    private void Explain(byte[] runtimeLog, RuntimeLogFault? fault, QuotedPcrs quoted)
    {
        if (fault is not null)
        {
            _faults.Add($"The runtime log cannot be read to its end: {fault.Sentence}");
            return;
        }

        switch (RuntimeExplanation.Judge(RuntimeLogState.Start(quoted.Bank), runtimeLog, quoted))
        {
            case RuntimeExplanation.Explained explained:
                Runtime = explained.Runtime;
                break;
            case RuntimeExplanation.Refused refused:
                _faults.Add(refused.Sentence);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static QuotedPcrs Own(TpmHash bank, MeasuredBoot? log, RuntimeLogState? runtime)
    {
        BootReplay? replay = log is null ? null : BootReplay.Of(log, bank);
        return QuotedPcrs.Of(bank, Enumerable.Range(0, Registers).Select(pcr =>
        {
            ReadOnlySpan<byte> value = pcr == RuntimeLogLimits.Pcr && runtime is not null ? runtime.Pcr10(bank)
                : replay is null ? new byte[bank.Size()] : replay.Value(pcr);
            return KeyValuePair.Create(pcr, (ReadOnlyMemory<byte>)value.ToArray());
        }));
    }
}
