namespace Bailiwick.Durable.Files;

/// <summary>What an opened name turned out to be.</summary>
public enum DiskKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A FIFO, a socket, a device or a symbolic link: never something we read or write.</summary>
    Other,
}

/// <summary>How a file inside a directory is opened. Symbolic links are never followed.</summary>
public enum DiskOpen
{
    /// <summary>An existing file, for reading.</summary>
    Read,

    /// <summary>An existing file, for reading and writing.</summary>
    ReadWrite,

    /// <summary>A file that must not exist yet, for reading and writing, mode 0600.</summary>
    CreateNew,
}

/// <summary>The facts of an open descriptor that safety depends on (statx(2)).</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">The permission bits, including the sticky bit (07777).</param>
/// <param name="Owner">The owning user id.</param>
/// <param name="Links">The number of names; a private file has one.</param>
/// <param name="Length">The length in bytes.</param>
public readonly record struct DiskStatus(DiskKind Kind, int Mode, uint Owner, uint Links, long Length)
{
    /// <summary>The number of the file in its file system, whatever its name.</summary>
    public ulong Inode { get; init; }
}

/// <summary>
/// The table of system calls on which durability rests: the one seam at which a test makes the k-th call fail or the
/// machine die. Every call returns a value of at least 0, or a negated errno; none throws. The real table is
/// <see cref="LinuxDisk"/>.
/// </summary>
public interface IDisk
{
    /// <summary>The effective user id of this process.</summary>
    uint EffectiveUser { get; }

    /// <summary>Opens the root directory <c>/</c>. Returns a descriptor.</summary>
    int OpenRoot();

    /// <summary>Opens a directory by name below an open one, without following a link. Returns a descriptor.</summary>
    int OpenDirectory(int directory, string name);

    /// <summary>Makes a directory of mode 0700 below an open one.</summary>
    int MakeDirectory(int directory, string name);

    /// <summary>Opens a file by name below an open directory, without following a link or blocking.</summary>
    int OpenFile(int directory, string name, DiskOpen how);

    /// <summary>The facts of an open descriptor.</summary>
    int Status(int descriptor, out DiskStatus status);

    /// <summary>Sets the permission bits of an open descriptor (fchmod(2)), whatever the umask said.</summary>
    int ChangeMode(int descriptor, int mode);

    /// <summary>Reads at an offset. Returns the number of bytes, 0 at the end of the file.</summary>
    int ReadAt(int descriptor, long offset, Span<byte> bytes);

    /// <summary>Writes at an offset. Returns the number of bytes written, which may be fewer than asked.</summary>
    int WriteAt(int descriptor, long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Sets the length of a file.</summary>
    int Truncate(int descriptor, long length);

    /// <summary>fsync(2): returns 0 only when the content and the length are on stable storage.</summary>
    int Sync(int descriptor);

    /// <summary>Renames within one directory, replacing the target atomically.</summary>
    int Rename(int directory, string from, string to);

    /// <summary>Removes the name of a file.</summary>
    int Unlink(int directory, string name);

    /// <summary>Takes the exclusive lock of an open file without waiting (flock(2)); EWOULDBLOCK when held.</summary>
    int Lock(int descriptor);

    /// <summary>
    /// Frees the lock (flock(2), LOCK_UN), whoever else holds a copy of the descriptor: closing alone would leave it to
    /// a program that was started a moment ago and has not closed what it inherited.
    /// </summary>
    int Unlock(int descriptor);

    /// <summary>Closes a descriptor.</summary>
    int Close(int descriptor);
}
