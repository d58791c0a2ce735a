using System.Runtime.InteropServices;

namespace Bailiwick.Channel.Secrets;

/// <summary>
/// Whole pages of memory that are never swapped (mlock(2)), left out of core dumps and emptied in a child process
/// (madvise(2)). A page that cannot be had this way is not had at all.
/// </summary>
internal static partial class SecretMemory
{
    private const int ReadWrite = 0x3;
    private const int PrivateAnonymous = 0x22;
    private const int DoNotDump = 16;
    private const int WipeOnFork = 18;

    /// <summary>Maps zeroed pages for at least this many bytes.</summary>
    /// <exception cref="SecretMemoryException">A call failed; nothing stays mapped.</exception>
    public static nint Map(int bytes)
    {
        nint address = mmap(0, (nuint)bytes, ReadWrite, PrivateAnonymous, -1, 0);
        if (address == -1)
        {
            throw Failure("mmap");
        }

        string? failed = mlock(address, (nuint)bytes) != 0 ? "mlock"
            : madvise(address, (nuint)bytes, DoNotDump) != 0 ? "madvise(MADV_DONTDUMP)"
            : madvise(address, (nuint)bytes, WipeOnFork) != 0 ? "madvise(MADV_WIPEONFORK)"
            : null;
        if (failed is null)
        {
            return address;
        }

        SecretMemoryException failure = Failure(failed);
        Unmap(address, bytes);
        throw failure;
    }

    /// <summary>Gives the pages back. The caller has overwritten them.</summary>
    public static void Unmap(nint address, int bytes)
    {
        _ = munlock(address, (nuint)bytes);
        _ = munmap(address, (nuint)bytes);
    }

    private static SecretMemoryException Failure(string call)
    {
        int errno = Marshal.GetLastPInvokeError();
        return new SecretMemoryException(
            $"{call} for a secret failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno}). "
            + "Raise the limit of locked memory (LimitMEMLOCK=, ulimit -l); secrets never lie in ordinary memory.");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(
        nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mlock(nint address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munlock(nint address, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int madvise(nint address, nuint length, int advice);
}
