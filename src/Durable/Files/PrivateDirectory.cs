using System.Text;

namespace Bailiwick.Durable.Files;

/// <summary>
/// An open directory that only we can change: owned by us, mode 0700, reached from <c>/</c> without any symbolic link
/// and through ancestors that nobody but root and us can rename (each owned by root or us and not writable by others,
/// or sticky). Files are then opened by plain name relative to the descriptor, so a path swapped later has no effect.
/// </summary>
public sealed class PrivateDirectory : IDisposable
{
    private const int OthersWrite = 0x12;
    private const int Sticky = 0x200;
    private const int MaxNameBytes = 255;
    private const int MaxDepth = 64;
    private int _descriptor;

    private PrivateDirectory(IDisk disk, int descriptor, string path)
    {
        Disk = disk;
        _descriptor = descriptor;
        Path = path;
    }

    /// <summary>The path it was opened by, for messages and for libraries that insist on a path.</summary>
    public string Path { get; }

    /// <summary>The table of system calls it was opened with.</summary>
    public IDisk Disk { get; }

    /// <summary>Opens an existing directory; refuses a loose or foreign one with the reason.</summary>
    /// <param name="disk">The system calls.</param>
    /// <param name="path">An absolute, normal path (no empty, <c>.</c> or <c>..</c> part).</param>
    public static PrivateDirectory Open(IDisk disk, string path) => Walk(disk, path, create: false);

    /// <summary>As <see cref="Open"/>, but makes what is missing with mode 0700, durably.</summary>
    /// <param name="disk">The system calls.</param>
    /// <param name="path">An absolute, normal path (no empty, <c>.</c> or <c>..</c> part).</param>
    public static PrivateDirectory OpenOrCreate(IDisk disk, string path) => Walk(disk, path, create: true);

    /// <summary>Opens, or makes, a private directory by plain name below this one.</summary>
    public PrivateDirectory OpenOrCreateChild(string name)
    {
        CheckName(name);
        string path = System.IO.Path.Join(Path, name);
        int child = Step(Disk, _descriptor, name, path, create: true);
        return Finish(Disk, child, path);
    }

    /// <summary>Opens a file by plain name; null when there is none and none was to be created.</summary>
    /// <param name="name">A plain file name: 1 to 255 bytes, no slash or NUL, not <c>.</c> or <c>..</c>.</param>
    /// <param name="how">How to open it.</param>
    /// <exception cref="DurableException">A link, FIFO, directory, foreign or loose file is in its place.</exception>
    public PrivateFile? OpenFile(string name, DiskOpen how)
    {
        CheckName(name);
        string path = System.IO.Path.Join(Path, name);
        int descriptor = Disk.OpenFile(_descriptor, name, how);
        if (descriptor == -Errno.NoEntry && how != DiskOpen.CreateNew)
        {
            return null;
        }

        return new PrivateFile(Disk, Done("open", path, descriptor), path, how == DiskOpen.CreateNew);
    }

    /// <summary>Makes a file that must not exist yet, mode 0600.</summary>
    public PrivateFile CreateFile(string name) =>
        OpenFile(name, DiskOpen.CreateNew) ?? throw new System.Diagnostics.UnreachableException();

    /// <summary>Renames a file here, replacing the target atomically. Durable only after <see cref="Sync"/>.</summary>
    public void Rename(string from, string to)
    {
        CheckName(from);
        CheckName(to);
        Done("rename", System.IO.Path.Join(Path, to), Disk.Rename(_descriptor, from, to));
    }

    /// <summary>Removes a file; false when there was none. Durable only after <see cref="Sync"/>.</summary>
    public bool Remove(string name)
    {
        CheckName(name);
        int result = Disk.Unlink(_descriptor, name);
        return result != -Errno.NoEntry && Done("unlink", System.IO.Path.Join(Path, name), result) >= 0;
    }

    /// <summary>fsync(2) of the directory, checked: makes names durable.</summary>
    public void Sync() => Done("fsync", Path, Disk.Sync(_descriptor));

    /// <summary>Closes the directory; files opened through it stay open.</summary>
    public void Dispose()
    {
        if (_descriptor >= 0)
        {
            _ = Disk.Close(_descriptor);
            _descriptor = -1;
        }
    }

    private static PrivateDirectory Walk(IDisk disk, string path, bool create)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentException.ThrowIfNullOrEmpty(path);
        string[] parts = path.Split('/');
        if (parts[0].Length != 0 || parts.Length < 2 || parts.Length > MaxDepth)
        {
            throw new ArgumentException(
                $"'{path}' is not an absolute path of fewer than {MaxDepth} parts", nameof(path));
        }

        int current = Done("open", "/", disk.OpenRoot());
        string walked = "";
        for (int i = 1; i < parts.Length; i++)
        {
            int next;
            try
            {
                CheckName(parts[i]);
                CheckAncestor(disk, current, walked.Length == 0 ? "/" : walked);
                walked += "/" + parts[i];
                next = Step(disk, current, parts[i], walked, create);
            }
            finally
            {
                _ = disk.Close(current);
            }

            current = next;
        }

        return Finish(disk, current, path);
    }

    private static int Step(IDisk disk, int parent, string name, string path, bool create)
    {
        int opened = disk.OpenDirectory(parent, name);
        if (opened == -Errno.NoEntry && create)
        {
            int made = disk.MakeDirectory(parent, name);
            if (made != -Errno.Exists)
            {
                Done("mkdir", path, made);
            }

            Done("fsync", path, disk.Sync(parent));
            opened = disk.OpenDirectory(parent, name);
            if (opened >= 0 && made >= 0)
            {
                SetMode(disk, opened, path);
            }
        }

        return opened switch
        {
            -Errno.Loop or -Errno.NotDirectory => throw new DurableException(
                "open", path, "it is a symbolic link or not a directory; give the real path", -opened),
            _ => Done("open", path, opened),
        };
    }

    private static void SetMode(IDisk disk, int descriptor, string path)
    {
        int result = disk.ChangeMode(descriptor, 0x1C0);
        if (result < 0)
        {
            _ = disk.Close(descriptor);
            Done("fchmod", path, result);
        }
    }

    private static PrivateDirectory Finish(IDisk disk, int descriptor, string path)
    {
        try
        {
            Done("statx", path, disk.Status(descriptor, out DiskStatus status));
            if (status.Owner != disk.EffectiveUser)
            {
                throw new DurableException(
                    "open", path, $"it belongs to user {status.Owner}, not to us ({disk.EffectiveUser})");
            }

            if ((status.Mode & 0x3F) != 0)
            {
                throw new DurableException(
                    "open", path,
                    $"its mode is {Convert.ToString(status.Mode, 8)}; only its owner may use it. " +
                    "Set it to 700 after finding out why");
            }

            return new PrivateDirectory(disk, descriptor, path);
        }
        catch
        {
            _ = disk.Close(descriptor);
            throw;
        }
    }

    private static void CheckAncestor(IDisk disk, int descriptor, string path)
    {
        Done("statx", path, disk.Status(descriptor, out DiskStatus status));
        if (status.Owner != 0 && status.Owner != disk.EffectiveUser)
        {
            throw new DurableException(
                "open", path, $"it belongs to user {status.Owner}, who could exchange what is below it");
        }

        if ((status.Mode & OthersWrite) != 0 && (status.Mode & Sticky) == 0)
        {
            throw new DurableException(
                "open", path,
                $"its mode is {Convert.ToString(status.Mode, 8)}: others could exchange what is below it");
        }
    }

    private static void CheckName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0 || name is "." or ".." || name.Contains('/', StringComparison.Ordinal)
            || name.Contains('\0', StringComparison.Ordinal) || Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
        {
            throw new ArgumentException(
                "a name has 1 to 255 bytes, no slash and no NUL, and is neither '.' nor '..'", nameof(name));
        }
    }

    private static int Done(string operation, string path, int result) => result >= 0
        ? result
        : throw new DurableException(operation, path, Errno.Text(-result), -result);
}
