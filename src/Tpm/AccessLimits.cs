namespace Bailiwick.Tpm;

/// <summary>The bounds of what is sent to and taken from a TPM.</summary>
public static class AccessLimits
{
    /// <summary>The longest command and the longest response, in bytes (PC Client Platform TPM Profile 1.05, 5.6).
    /// </summary>
    public const int MessageBytes = 4096;

    /// <summary>The most that a quote carries of its caller's, in bytes: the largest digest.</summary>
    public const int ExtraDataBytes = 64;

    /// <summary>The most that one sealed object holds, in bytes (MAX_SYM_DATA, TPM 2.0 part 2, 11.1.14).</summary>
    public const int SealedBytes = 128;

    /// <summary>How many PCRs a bank has on a PC.</summary>
    public const int PcrCount = 24;

    /// <summary>The longest path of a unix socket, in bytes, without its final zero (unix(7)).</summary>
    public const int SocketPathBytes = 107;

    /// <summary>The longest certificate that is read from the TPM, in bytes.</summary>
    public const int CertificateBytes = 16 * 1024;

    /// <summary>How long one command may take if the opener does not say: a chip makes an RSA key in up to a minute.
    /// </summary>
    public static readonly TimeSpan CommandTime = TimeSpan.FromSeconds(90);

    /// <summary>How long the first answer may take, and how long a thread waits for another's commands.</summary>
    internal static readonly TimeSpan OpeningTime = TimeSpan.FromSeconds(10);

    internal static readonly TimeSpan QueueTime = TimeSpan.FromMinutes(5);

    /// <summary>How often a reading is taken again because a PCR changed meanwhile.</summary>
    internal const int ReadingAttempts = 8;
}
