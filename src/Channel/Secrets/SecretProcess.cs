using System.Runtime.InteropServices;

namespace Bailiwick.Channel.Secrets;

/// <summary>What a process that holds secrets gives up at its start.</summary>
public static partial class SecretProcess
{
    private const int SetDumpable = 4;
    private const uint OthersNothing = 0x3f;

    /// <summary>No core dump, and no reading of this process's memory by others of its user (prctl(2)).</summary>
    /// <exception cref="SecretMemoryException">The kernel refused.</exception>
    public static void ForbidDumps()
    {
        if (prctl(SetDumpable, 0, 0, 0, 0) != 0)
        {
            throw new SecretMemoryException(
                $"prctl(PR_SET_DUMPABLE) failed: errno {Marshal.GetLastPInvokeError()}; secrets could be dumped.");
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
    private static partial int prctl(int option, nuint second, nuint third, nuint fourth, nuint fifth);
}
