using System.Runtime.InteropServices;

namespace Bailiwick.Channel.Secrets;

/// <summary>What a process that holds secrets gives up at its start.</summary>
public static partial class SecretProcess
{
    private const int SetDumpable = 4;
    private const int CoreLimit = 4;
    private const uint OthersNothing = 0x3f;

    /// <summary>
    /// No core dump of this process, whatever its limit (prctl(2)), nor of those that it starts, which are handed keys
    /// too (setrlimit(2)); and no reading of this process's memory by others of its user.
    /// </summary>
    /// <exception cref="SecretMemoryException">The kernel refused.</exception>
    public static void ForbidDumps()
    {
        if (prctl(SetDumpable, 0, 0, 0, 0) != 0)
        {
            throw new SecretMemoryException(
                $"prctl(PR_SET_DUMPABLE) failed: errno {Marshal.GetLastPInvokeError()}; secrets could be dumped.");
        }

        ResourceLimit none = default;
        if (setrlimit(CoreLimit, in none) != 0)
        {
            throw new SecretMemoryException(
                $"setrlimit(RLIMIT_CORE) failed: errno {Marshal.GetLastPInvokeError()}; programs that are handed keys "
                + "could be dumped.");
        }
    }

    /// <summary>Forbids dumps, and makes every file and socket from now on its user's alone (umask(2)).</summary>
    /// <exception cref="SecretMemoryException">The kernel refused.</exception>
    public static void Begin()
    {
        ForbidDumps();
        _ = umask(OthersNothing);
    }

    [LibraryImport("libc")]
    private static partial uint umask(uint mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    /// <summary>struct rlimit: both zero, so nothing, and never again anything.</summary>
    private readonly record struct ResourceLimit(nuint Soft, nuint Hard);
}
