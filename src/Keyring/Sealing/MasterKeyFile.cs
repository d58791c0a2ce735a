using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Keyring.Sealing;

/// <summary>
/// The sealed file of a tenant's master key, mode 0600 in a private directory. While the key is being exchanged, the
/// next one lies sealed beside it: whoever keeps what is wrapped under them knows which of the two is in force, and
/// says
/// <see cref="Promote"/> or <see cref="Drop"/>. For one thread at a time.
/// </summary>
public sealed class MasterKeyFile : IDisposable
{
    /// <summary>What is appended to the name for the next key.</summary>
    public const string NextSuffix = ".next";

    private readonly PrivateDirectory _directory;
    private readonly string _name;
    private readonly MasterLock _lock;

    private MasterKeyFile(PrivateDirectory directory, string name, MasterLock by, MasterKey current, MasterKey? next)
    {
        _directory = directory;
        _name = name;
        _lock = by;
        Current = current;
        Next = next;
    }

    /// <summary>The key in force.</summary>
    public MasterKey Current { get; private set; }

    /// <summary>The key that is about to be in force; null mostly.</summary>
    public MasterKey? Next { get; private set; }

    /// <summary>Makes a tenant's first master key, or puts one that was restored.</summary>
    /// <param name="disk">The system calls.</param>
    /// <param name="path">An absolute path; there must be no file yet.</param>
    /// <param name="by">What seals it.</param>
    /// <param name="key">The key; stays the caller's.</param>
    /// <exception cref="KeyringException">There is a file already, or the lock does not seal.</exception>
    /// <exception cref="DurableException">The directory is not private, or the disk refused.</exception>
    public static void Create(IDisk disk, string path, MasterLock by, MasterKey key)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, Path.GetDirectoryName(path) ?? "/");
        string name = Path.GetFileName(path);
        if (DurableFile.Read(directory, name, SealedMasterKey.MostBytes) is not null)
        {
            throw new KeyringException(
                $"There is a sealed master key in '{path}' already. Whatever is under it opens with it alone: it is "
                + "not overwritten. Choose another place.");
        }

        DurableFile.Replace(directory, name, SealedMasterKey.Write(key, by));
    }

    /// <summary>Unlocks the key, and the next one if there is one.</summary>
    /// <param name="disk">The system calls.</param>
    /// <param name="path">An absolute path.</param>
    /// <param name="by">What it is sealed by; stays the caller's to dispose of, after this.</param>
    /// <param name="tenant">Whose it must be.</param>
    /// <exception cref="KeyringException">There is none, or it does not open.</exception>
    /// <exception cref="DurableException">The file is loose, a link, or another's.</exception>
    public static MasterKeyFile Open(IDisk disk, string path, MasterLock by, PartyId tenant)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        PrivateDirectory directory = PrivateDirectory.Open(disk, Path.GetDirectoryName(path) ?? "/");
        MasterKey? current = null;
        try
        {
            string name = Path.GetFileName(path);
            current = Read(directory, name, by, tenant) ?? throw new KeyringException(
                $"The sealed master key '{path}' is missing. Without it no volume opens: restore it from a copy, or "
                + "from shares with `bailiwick key restore`; `bailiwick key init` makes one for a new key service.");
            return new MasterKeyFile(
                directory, name, by, current, Read(directory, name + NextSuffix, by, tenant));
        }
        catch
        {
            current?.Dispose();
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Puts the next key beside the one in force, durably.</summary>
    /// <param name="next">A key of the same tenant and the next generation; from now on this one's to dispose
    /// of.</param>
    /// <exception cref="DurableException">The disk refused.</exception>
    public void Prepare(MasterKey next)
    {
        ArgumentNullException.ThrowIfNull(next);
        if (Next is not null || next.Tenant != Current.Tenant || next.Generation != Current.Generation + 1)
        {
            throw new InvalidOperationException("this is not the next master key, or one is there already");
        }

        Next = next;
        DurableFile.Replace(_directory, _name + NextSuffix, SealedMasterKey.Write(next, _lock));
    }

    /// <summary>Puts the next key in force; the present one is gone when it returns.</summary>
    public void Promote()
    {
        MasterKey next = Next ?? throw new InvalidOperationException("there is no next master key");
        _directory.Rename(_name + NextSuffix, _name);
        _directory.Sync();
        Current.Dispose();
        (Current, Next) = (next, null);
    }

    /// <summary>Removes the next key, under which nothing is.</summary>
    public void Drop()
    {
        DurableFile.Remove(_directory, _name + NextSuffix);
        Next?.Dispose();
        Next = null;
    }

    /// <summary>Forgets the keys.</summary>
    public void Dispose()
    {
        Current.Dispose();
        Next?.Dispose();
        _directory.Dispose();
    }

    private static MasterKey? Read(PrivateDirectory directory, string name, MasterLock by, PartyId tenant) =>
        DurableFile.Read(directory, name, SealedMasterKey.MostBytes) is { } document
            ? SealedMasterKey.Read(document, by, tenant, $"'{Path.Join(directory.Path, name)}'")
            : null;
}
