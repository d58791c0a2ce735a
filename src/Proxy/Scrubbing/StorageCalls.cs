using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Scrubbing;

/// <summary>
/// The calls of Linux that erasing needs and durability does not. Each returns a value of at least 0, or a negated
/// errno.
/// </summary>
internal static partial class StorageCalls
{
    private const int DontNeed = 4;
    private const int StatFsBytes = 256;
    private const int CloseOnExec = 0x80000;
    private static readonly bool Arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64;
    private static readonly int Direct = Arm ? 0x10000 : 0x4000;

    /// <summary>Drops what of a file is in the page cache, after it was synchronised (posix_fadvise(2)).</summary>
    public static int DropCache(int descriptor) => -posix_fadvise(descriptor, 0, 0, DontNeed);

    /// <summary>Opens a file that is open already once more, past the page cache; where that is not possible, an
    /// errno.</summary>
    public static int OpenDirect(int descriptor)
    {
        int opened = open($"/proc/self/fd/{descriptor}", Direct | CloseOnExec);
        return opened >= 0 ? opened : -Marshal.GetLastPInvokeError();
    }

    /// <summary>The number of the file system that an open directory lies in (statfs(2)).</summary>
    public static long FileSystem(int descriptor)
    {
        byte[] raw = new byte[StatFsBytes];
        return fstatfs(descriptor, raw) >= 0 ? BitConverter.ToInt64(raw) : -Marshal.GetLastPInvokeError();
    }

    /// <summary>A buffer of this many bytes that reads past the page cache may go to, and where in it.</summary>
    public static (byte[] Buffer, int Start) Aligned(int bytes)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(bytes * 2, pinned: true);
        long address = Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
        return (buffer, (int)((bytes - (address % bytes)) % bytes));
    }

    [LibraryImport("libc")]
    private static partial int posix_fadvise(int descriptor, long offset, long length, int advice);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(int descriptor, [Out] byte[] status);
}
