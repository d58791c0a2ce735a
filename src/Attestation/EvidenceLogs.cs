namespace Bailiwick.Attestation;

/// <summary>
/// The logs beside a quote. Nobody signs them: they are believed as far as they give the quoted registers, and what a
/// demand needs of a log that is not there does not hold.
/// </summary>
/// <param name="BootLog">The firmware's event log; empty when it is not shown.</param>
/// <param name="RuntimeLog">The kernel's list of what it ran (IMA) since the boot; empty when it is not shown.</param>
public sealed record EvidenceLogs(ReadOnlyMemory<byte> BootLog, ReadOnlyMemory<byte> RuntimeLog)
{
    /// <summary>
    /// The part of the host's integrity log that is for this verifier: an <see cref="IntegrityLog.IntegrityTail"/> as
    /// canonical JSON; empty when it is not shown. Its head is stated in the evidence.
    /// </summary>
    public ReadOnlyMemory<byte> IntegrityLog { get; init; }

    /// <summary>No logs.</summary>
    public static EvidenceLogs None { get; } = new(default, default);
}
