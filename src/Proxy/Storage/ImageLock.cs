using System.Runtime.InteropServices;
using Bailiwick.Proxy.Host;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// QEMU's own lock on images (block/file-posix.c), spoken by us: whoever may write a file has byte 101 locked, whoever
/// bears no writer beside itself byte 201, and likewise for a change of its length with bytes 103 and 203 (fcntl(2),
/// F_OFD_SETLK: the lock is of the open file, and ends with it). It is the second line: who may have a volume at the
/// same time is its key service's to say.
/// </summary>
public static partial class ImageLock
{
    private const int LockBytes = 32;
    private const int OpenLockGet = 36, OpenLockSet = 37;
    private const short ReadLock = 0, WriteLock = 1, NoLock = 2;
    private const long Writing = 101, NoWriting = 201;
    private const long Resizing = 103, NoResizing = 203;

    /// <summary>Keeps programs from writing a file until this is disposed of: QEMU starts no machine that would.
    /// </summary>
    /// <exception cref="WorldException">One writes it now, or it cannot be opened.</exception>
    public static IDisposable AgainstWriters(string path)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["lock", path], -1, error.Message);
        }

        // As QEMU does: first what is ours, then the look at what is others', so that of two at once one gives way.
        int descriptor = (int)file.DangerousGetHandle();
        if (Lock(descriptor, ReadLock, NoWriting, 1) && Lock(descriptor, ReadLock, NoResizing, 1)
            && IsFree(descriptor, Writing) && IsFree(descriptor, Resizing))
        {
            return file;
        }

        file.Dispose();
        throw new WorldException(
            ["lock", path], -1,
            "a program here has it open to write, so no lock against writers can be had. [source-written]");
    }

    /// <summary>
    /// Locks the whole of a file that is open to write, without waiting: this fails while any QEMU has it, and no QEMU
    /// opens it until it is closed.
    /// </summary>
    public static bool TryAgainstAll(int descriptor) => Lock(descriptor, WriteLock, 0, 0);

    private static bool Lock(int descriptor, short kind, long start, long length) =>
        fcntl(descriptor, OpenLockSet, Range(kind, start, length)) >= 0;

    /// <summary>Whether nobody else has a byte locked; a byte that cannot be asked about is not free.</summary>
    private static bool IsFree(int descriptor, long at)
    {
        byte[] range = Range(WriteLock, at, 1);
        return fcntl(descriptor, OpenLockGet, range) >= 0 && BitConverter.ToInt16(range) == NoLock;
    }

    /// <summary>struct flock with 64-bit offsets: type, whence, start, length (0: all), pid (0 for open file locks).
    /// </summary>
    private static byte[] Range(short kind, long start, long length)
    {
        byte[] range = new byte[LockBytes];
        BitConverter.TryWriteBytes(range, kind);
        BitConverter.TryWriteBytes(range.AsSpan(8), start);
        BitConverter.TryWriteBytes(range.AsSpan(16), length);
        return range;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int descriptor, int command, [In, Out] byte[] value);
}
