using System.Runtime.InteropServices;

namespace Bailiwick.Durable.Files;

/// <summary>
/// The real table of system calls. It calls the C library itself because the runtime's <c>FileStream.Flush(true)</c>
/// and <c>RandomAccess.FlushToDisk</c> can report success although fsync(2) failed, and because they offer neither
/// openat(2) with <c>O_NOFOLLOW</c> nor a synchronised directory. Every return code is handed to the caller.
/// </summary>
public sealed partial class LinuxDisk : IDisk
{
    private const int AtEmptyPath = 0x1000;
    private const uint StatxBasic = 0x7ff;
    private const int StatxSize = 256;
    private const int ReadOnly = 0;
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int Exclusive = 0x80;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private const int LockRelease = 8;
    private const int InterruptRetries = 1000;

    // Two open(2) flags have different values on Arm (asm/fcntl.h).
    private static readonly bool Arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64;
    private static readonly int DirectoryOnly = Arm ? 0x4000 : 0x10000;
    private static readonly int NoFollow = Arm ? 0x8000 : 0x20000;

    /// <summary>The only instance; it has no state.</summary>
    public static LinuxDisk Instance { get; } = new();

    private LinuxDisk()
    {
    }

    /// <inheritdoc/>
    public uint EffectiveUser => geteuid();

    /// <inheritdoc/>
    public int OpenRoot() => Checked(() => openat(-100, "/", ReadOnly | DirectoryOnly | CloseOnExec, 0));

    /// <inheritdoc/>
    public int OpenDirectory(int directory, string name) =>
        Checked(() => openat(directory, name, ReadOnly | DirectoryOnly | NoFollow | CloseOnExec, 0));

    /// <inheritdoc/>
    public int MakeDirectory(int directory, string name) => Checked(() => mkdirat(directory, name, 0x1C0));

    /// <inheritdoc/>
    public int OpenFile(int directory, string name, DiskOpen how)
    {
        // O_NONBLOCK: a FIFO placed under our name must not stop us before its kind is looked at.
        int flags = NoFollow | CloseOnExec | NonBlocking | how switch
        {
            DiskOpen.Read => ReadOnly,
            DiskOpen.ReadWrite => ReadWrite,
            DiskOpen.CreateNew => ReadWrite | Create | Exclusive,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        return Checked(() => openat(directory, name, flags, 0x180));
    }

    /// <inheritdoc/>
    public int Status(int descriptor, out DiskStatus status)
    {
        // struct statx has one layout on every architecture, unlike struct stat (statx(2)).
        byte[] raw = new byte[StatxSize];
        int result = Checked(() => statx(descriptor, "", AtEmptyPath, StatxBasic, raw));
        int mode = BitConverter.ToUInt16(raw, 28);
        DiskKind kind = (mode & 0xF000) switch
        {
            0x8000 => DiskKind.File,
            0x4000 => DiskKind.Directory,
            _ => DiskKind.Other,
        };
        status = new DiskStatus(
            kind, mode & 0xFFF, BitConverter.ToUInt32(raw, 20), BitConverter.ToUInt32(raw, 16),
            BitConverter.ToInt64(raw, 40))
        {
            Inode = BitConverter.ToUInt64(raw, 32),
        };
        return result;
    }

    /// <inheritdoc/>
    public int ChangeMode(int descriptor, int mode) => Checked(() => fchmod(descriptor, (uint)mode));

    /// <inheritdoc/>
    public int ReadAt(int descriptor, long offset, Span<byte> bytes)
    {
        for (int attempt = 0; attempt < InterruptRetries; attempt++)
        {
            nint count = pread(descriptor, bytes, (nuint)bytes.Length, offset);
            if (count >= 0)
            {
                return (int)count;
            }

            if (Marshal.GetLastPInvokeError() != Errno.Interrupted)
            {
                break;
            }
        }

        return -Marshal.GetLastPInvokeError();
    }

    /// <inheritdoc/>
    public int WriteAt(int descriptor, long offset, ReadOnlySpan<byte> bytes)
    {
        for (int attempt = 0; attempt < InterruptRetries; attempt++)
        {
            nint count = pwrite(descriptor, bytes, (nuint)bytes.Length, offset);
            if (count >= 0)
            {
                return (int)count;
            }

            if (Marshal.GetLastPInvokeError() != Errno.Interrupted)
            {
                break;
            }
        }

        return -Marshal.GetLastPInvokeError();
    }

    /// <inheritdoc/>
    public int Truncate(int descriptor, long length) => Checked(() => ftruncate(descriptor, length));

    /// <inheritdoc/>
    public int Sync(int descriptor)
    {
        // Not repeated on EINTR or EIO: after a failed fsync the kernel may have dropped the dirty pages, and a second
        // call would report success for data that is gone.
        return fsync(descriptor) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    /// <inheritdoc/>
    public int Rename(int directory, string from, string to) =>
        Checked(() => renameat(directory, from, directory, to));

    /// <inheritdoc/>
    public int Unlink(int directory, string name) => Checked(() => unlinkat(directory, name, 0));

    /// <inheritdoc/>
    public int Lock(int descriptor) => Checked(() => flock(descriptor, LockExclusive | LockNonBlocking));

    /// <inheritdoc/>
    public int Unlock(int descriptor) => Checked(() => flock(descriptor, LockRelease));

    /// <inheritdoc/>
    public int Close(int descriptor) => close(descriptor) == 0 ? 0 : -Marshal.GetLastPInvokeError();

    private static int Checked(Func<int> call)
    {
        for (int attempt = 0; attempt < InterruptRetries; attempt++)
        {
            int result = call();
            if (result >= 0)
            {
                return result;
            }

            if (Marshal.GetLastPInvokeError() != Errno.Interrupted)
            {
                break;
            }
        }

        return -Marshal.GetLastPInvokeError();
    }

    [LibraryImport("libc")]
    private static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(int directory, string name, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdirat(int directory, string name, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string name, int flags, uint mask, [Out] byte[] status);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchmod(int descriptor, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(int descriptor, Span<byte> bytes, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(int descriptor, ReadOnlySpan<byte> bytes, nuint count, long offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ftruncate(int descriptor, long length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat(int fromDirectory, string from, int toDirectory, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlinkat(int directory, string name, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int descriptor, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
