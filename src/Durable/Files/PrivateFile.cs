namespace Bailiwick.Durable.Files;

/// <summary>
/// An open regular file of a <see cref="PrivateDirectory"/>: owned by us, of mode 0600 or tighter, with one name.
/// Not safe for use from two threads at once. Every failure is a <see cref="DurableException"/>.
/// </summary>
public sealed class PrivateFile : IDisposable
{
    private const int PrivateMode = 0x180;
    private readonly IDisk _disk;
    private int _descriptor;
    private bool _locked;

    internal PrivateFile(IDisk disk, int descriptor, string path, bool created)
    {
        _disk = disk;
        _descriptor = descriptor;
        Path = path;
        try
        {
            if (created)
            {
                Done("fchmod", disk.ChangeMode(descriptor, PrivateMode));
            }

            CheckStatus();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The path, for messages only: the file is held by its descriptor.</summary>
    public string Path { get; }

    /// <summary>The present length in bytes.</summary>
    public long Length
    {
        get
        {
            Done("statx", _disk.Status(_descriptor, out DiskStatus status));
            return status.Length;
        }
    }

    /// <summary>Reads exactly this many bytes at an offset; a shorter file is an error.</summary>
    public void ReadExactly(long offset, Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = Done("pread", _disk.ReadAt(_descriptor, offset, bytes));
            if (count == 0)
            {
                throw new DurableException("pread", Path, $"the file ends at byte {offset}, before what was asked");
            }

            offset += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes all bytes at an offset. They are durable only after <see cref="Sync"/>.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = Done("pwrite", _disk.WriteAt(_descriptor, offset, bytes));
            if (count == 0)
            {
                throw new DurableException("pwrite", Path, "the disk took no byte");
            }

            offset += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes all bytes in one call, or throws when the disk takes only a part.</summary>
    public void WriteAtOnce(long offset, ReadOnlySpan<byte> bytes)
    {
        int count = Done("pwrite", _disk.WriteAt(_descriptor, offset, bytes));
        if (count != bytes.Length)
        {
            throw new DurableException(
                "pwrite", Path, $"the disk took {count} of {bytes.Length} bytes; it is full, or a quota is");
        }
    }

    /// <summary>Sets the length. It is durable only after <see cref="Sync"/>.</summary>
    public void Truncate(long length) => Done("ftruncate", _disk.Truncate(_descriptor, length));

    /// <summary>
    /// fsync(2), checked. When it throws, what was written since the last success may be lost although later reads
    /// show it: the caller must not go on as if it were there.
    /// </summary>
    public void Sync() => Done("fsync", _disk.Sync(_descriptor));

    /// <summary>Takes the exclusive lock; throws when another opener has it. Closing the file frees it.</summary>
    public void Lock()
    {
        int result = _disk.Lock(_descriptor);
        if (result == -Errno.WouldBlock)
        {
            throw new DurableException(
                "flock", Path, "another process has it open; stop that process first", Errno.WouldBlock);
        }

        Done("flock", result);
        _locked = true;
    }

    /// <summary>Closes the file; unsynchronised writes may be lost.</summary>
    public void Dispose()
    {
        if (_descriptor >= 0)
        {
            if (_locked)
            {
                _ = _disk.Unlock(_descriptor);
            }

            _ = _disk.Close(_descriptor);
            _descriptor = -1;
        }
    }

    private void CheckStatus()
    {
        Done("statx", _disk.Status(_descriptor, out DiskStatus status));
        string? fault = status switch
        {
            { Kind: not DiskKind.File } => "it is not a regular file",
            { Links: not 1 } => $"it has {status.Links} names (hard links); a private file has one",
            _ when status.Owner != _disk.EffectiveUser =>
                $"it belongs to user {status.Owner}, not to us ({_disk.EffectiveUser})",
            _ when (status.Mode & 0x3F) != 0 =>
                $"its mode is {Convert.ToString(status.Mode, 8)}; others may use it. " +
                "Set it to 600 after finding out why",
            _ => null,
        };
        if (fault is not null)
        {
            throw new DurableException("open", Path, fault);
        }
    }

    private int Done(string operation, int result) => result >= 0
        ? result
        : throw new DurableException(operation, Path, Errno.Text(-result), -result);
}
