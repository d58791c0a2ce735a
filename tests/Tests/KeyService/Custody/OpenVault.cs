using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;

namespace Bailiwick.Tests.KeyService.Custody;

/// <summary>A vault over real files, with the master key that lies beside them.</summary>
internal sealed class OpenVault : IDisposable
{
    private readonly PrivateDirectory _directory;

    public OpenVault(string path, PartyId tenant, Action<CustodyStep>? trace = null)
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, path);
        Master = Masters.In(path, tenant);
        try
        {
            Keys = KeyVault.Open(_directory, Master, TimeProvider.System, trace);
        }
        catch
        {
            Master.Dispose();
            _directory.Dispose();
            throw;
        }
    }

    public MasterKeyFile Master { get; }

    public KeyVault Keys { get; }

    public void Dispose()
    {
        Keys.Dispose();
        Master.Dispose();
        _directory.Dispose();
    }
}

/// <summary>The files of a vault, as somebody finds them who has no key.</summary>
internal static class VaultFiles
{
    public static bool Holds(string path, byte[] bytes) => Directory.EnumerateFiles(path)
        .Any(file => Read(file).AsSpan().IndexOf(bytes) >= 0);

    /// <summary>What a killed process leaves: all files as they are now.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (string file in Directory.EnumerateFiles(from))
        {
            string copy = Path.Combine(to, Path.GetFileName(file));
            File.WriteAllBytes(copy, Read(file));
            File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    private static byte[] Read(string path)
    {
        // Without a lock, which .NET's own reading takes: the vault has one.
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, Path.GetDirectoryName(path) ?? "");
        return DurableFile.Read(directory, Path.GetFileName(path), int.MaxValue) ?? [];
    }
}
