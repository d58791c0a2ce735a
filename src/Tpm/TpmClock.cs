namespace Bailiwick.Tpm;

/// <summary>The TPM's own time (TPMS_CLOCK_INFO, TPM 2.0 part 2, 10.11.1).</summary>
/// <param name="Milliseconds">How long the TPM has been on, ever; it never goes back by itself.</param>
/// <param name="ResetCount">How often the TPM was reset: a host that rebooted has another.</param>
/// <param name="RestartCount">How often it came back without a reset, since the last reset.</param>
/// <param name="IsSafe">Whether no greater time was ever shown before.</param>
public sealed record TpmClock(ulong Milliseconds, uint ResetCount, uint RestartCount, bool IsSafe);
