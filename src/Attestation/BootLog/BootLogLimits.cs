namespace Bailiwick.Attestation.BootLog;

/// <summary>What a boot log may cost its reader. Logs of real machines have 200 events and 200 KB at most.</summary>
public static class BootLogLimits
{
    /// <summary>Largest log, in bytes.</summary>
    public const int Bytes = 8 * 1024 * 1024;

    /// <summary>Most events.</summary>
    public const int Events = 65_536;

    /// <summary>Most banks that a log may declare; a TPM has two to four.</summary>
    public const int Banks = 16;

    /// <summary>Largest digest, in bytes.</summary>
    public const int DigestBytes = 64;

    /// <summary>PCRs of a PC client (TCG PC Client Platform TPM Profile 1.05, section 4.6): 0 to 23.</summary>
    public const int Pcrs = 24;

    /// <summary>Longest name of an EFI variable, in characters.</summary>
    public const int VariableNameLength = 512;

    /// <summary>Most entries of one signature database that are read.</summary>
    public const int Signatures = 16_384;

    /// <summary>Longest text of an event that becomes a fact, in bytes.</summary>
    public const int TextBytes = 65_536;
}
