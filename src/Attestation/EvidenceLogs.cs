using System.Security.Cryptography;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation;

/// <summary>
/// The logs beside a quote. Nobody signs them: they are believed as far as they give the quoted registers, and what a
/// demand needs of a log that is not there does not hold.
/// </summary>
/// <param name="BootLog">The firmware's event log; empty when it is not shown, or left out.</param>
/// <param name="RuntimeLog">
/// The kernel's list of what it ran (IMA) since the boot, or since <see cref="After"/>; empty when it is not shown.
/// </param>
public sealed record EvidenceLogs(ReadOnlyMemory<byte> BootLog, ReadOnlyMemory<byte> RuntimeLog)
{
    /// <summary>
    /// The part of the host's integrity log that is for this verifier: an <see cref="IntegrityLog.IntegrityTail"/> as
    /// canonical JSON; empty when it is not shown. Its head is stated in the evidence.
    /// </summary>
    public ReadOnlyMemory<byte> IntegrityLog { get; init; }

    /// <summary>
    /// Where they go on from, as the host says: the boot log and the beginning of the runtime log are left out then,
    /// for a verifier that holds them. Null where they are whole.
    /// </summary>
    public LogsPosition? After { get; init; }

    /// <summary>
    /// Leaves out, on the host's side, what a verifier says that it holds, where that can be of this boot; everything
    /// is shown otherwise. Whether what it holds is true is for the verifier to find out: it goes on by the quote.
    /// </summary>
    /// <param name="held">What the verifier says it holds; null for nothing.</param>
    /// <param name="boot">The host's boot.</param>
    /// <param name="clock">The TPM's counters in the quote; null without one.</param>
    public EvidenceLogs Beyond(LogsPosition? held, Guid boot, TpmClockInfo? clock) =>
        held is not null && held.Boot == boot && clock is not null && held.Resets == clock.ResetCount
        && held.Restarts == clock.RestartCount && held.BootLog == Digest32.FromBytes(SHA256.HashData(BootLog.Span))
        && AfterEntries(held.Entries) is { } rest
            ? this with { BootLog = default, RuntimeLog = rest, After = held }
            : this;

    private ReadOnlyMemory<byte>? AfterEntries(long entries)
    {
        RuntimeLogReader reader = new(RuntimeLog.Span);
        for (long number = 0; number < entries; number++)
        {
            if (!reader.TryRead(out _))
            {
                return null;
            }
        }

        return RuntimeLog[reader.Position..];
    }

    /// <summary>No logs.</summary>
    public static EvidenceLogs None { get; } = new(default, default);
}
