using Bailiwick.Channel.Secrets;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;

namespace Bailiwick.KeyService.Custody;

/// <summary>The file of the key encryption key: 32 raw bytes, mode 0600 or tighter, in a private directory.</summary>
public static class KeyFile
{
    /// <summary>Reads the key straight into locked memory.</summary>
    /// <exception cref="DurableException">The file is missing, loose, a link, or another's.</exception>
    /// <exception cref="CustodyException">It has not 32 bytes.</exception>
    public static SecretBytes Read(IDisk disk, string path)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentException.ThrowIfNullOrEmpty(path);
        using PrivateDirectory directory = PrivateDirectory.Open(disk, Path.GetDirectoryName(path) ?? "/");
        using PrivateFile file = directory.OpenFile(Path.GetFileName(path), DiskOpen.Read)
            ?? throw new CustodyException(
                $"The key encryption key '{path}' is missing. Without it no volume opens: restore it; "
                + "make a new one only for a new key service.");
        return file.Length == KeyWrap.KeyLength
            ? SecretBytes.Create(KeyWrap.KeyLength, bytes => file.ReadExactly(0, bytes))
            : throw new CustodyException(
                $"The key encryption key '{path}' has {file.Length} bytes; not {KeyWrap.KeyLength}. Restore it.");
    }
}
