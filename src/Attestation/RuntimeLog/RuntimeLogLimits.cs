namespace Bailiwick.Attestation.RuntimeLog;

/// <summary>What a runtime log may cost its reader.</summary>
public static class RuntimeLogLimits
{
    /// <summary>Largest piece that is read at once, in bytes; a longer log comes in several.</summary>
    public const int Bytes = 256 * 1024 * 1024;

    /// <summary>Longest name of a template, in bytes (TCG_EVENT_NAME_LEN_MAX of Linux).</summary>
    public const int TemplateNameBytes = 255;

    /// <summary>Largest template data of one entry, in bytes: a path of 4,096 and the largest signature or key.
    /// </summary>
    public const int TemplateDataBytes = 1024 * 1024;

    /// <summary>The longest file name that the oldest template hashes, in bytes, padded with zeros to this length.
    /// </summary>
    internal const int OldNameBytes = 256;

    /// <summary>Length of the digest each entry carries, in bytes: always SHA-1.</summary>
    internal const int DigestBytes = 20;

    /// <summary>The PCR that IMA extends unless its policy says otherwise.</summary>
    public const int Pcr = 10;
}
