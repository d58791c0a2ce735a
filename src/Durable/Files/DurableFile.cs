namespace Bailiwick.Durable.Files;

/// <summary>
/// A small file that is always whole: it is replaced by writing a temporary file, fsync, rename, fsync of the
/// directory. After a crash at any of these the old or the new content is there, and once <see cref="Replace"/> has
/// returned it is the new one. One writer at a time: the caller's lock sees to that.
/// </summary>
public static class DurableFile
{
    /// <summary>What is appended to the name while a new content is written.</summary>
    public const string TemporarySuffix = ".new";

    /// <summary>Replaces, or creates, a file atomically and durably, mode 0600.</summary>
    /// <param name="directory">The directory it is in.</param>
    /// <param name="name">Its plain name.</param>
    /// <param name="content">The whole new content.</param>
    /// <exception cref="DurableException">
    /// A call failed, or what has the name is not a private regular file. When the last step (fsync of the directory)
    /// failed, either content may be found after a crash.
    /// </exception>
    public static void Replace(PrivateDirectory directory, string name, ReadOnlySpan<byte> content)
    {
        ArgumentNullException.ThrowIfNull(directory);
        // Opening checks that nothing strange sits where the file belongs: rename would replace a link without a word.
        directory.OpenFile(name, DiskOpen.Read)?.Dispose();
        string temporary = name + TemporarySuffix;
        directory.Remove(temporary);
        using (PrivateFile file = directory.CreateFile(temporary))
        {
            file.Write(0, content);
            file.Sync();
        }

        directory.Rename(temporary, name);
        directory.Sync();
    }

    /// <summary>The whole content, or null when there is no such file.</summary>
    /// <param name="directory">The directory it is in.</param>
    /// <param name="name">Its plain name.</param>
    /// <param name="maximumBytes">The longest content that is believed; a longer file is an error.</param>
    public static byte[]? Read(PrivateDirectory directory, string name, int maximumBytes)
    {
        ArgumentNullException.ThrowIfNull(directory);
        using PrivateFile? file = directory.OpenFile(name, DiskOpen.Read);
        if (file is null)
        {
            return null;
        }

        long length = file.Length;
        if (length > maximumBytes)
        {
            throw new DurableException("read", file.Path, $"it has {length} bytes; at most {maximumBytes} are read");
        }

        byte[] content = new byte[length];
        file.ReadExactly(0, content);
        return content;
    }

    /// <summary>Removes a file durably; false when there was none.</summary>
    public static bool Remove(PrivateDirectory directory, string name)
    {
        ArgumentNullException.ThrowIfNull(directory);
        bool removed = directory.Remove(name);
        directory.Sync();
        return removed;
    }
}
