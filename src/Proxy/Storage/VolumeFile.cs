using System.Collections.Immutable;
using Bailiwick.Domains.Volumes;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>What a volume's file is before it is handed to QEMU.</summary>
/// <param name="Exists">Whether there is anything under the volume's name.</param>
/// <param name="Refusals">Every reason against handing it over, each a sentence and a code in brackets.</param>
/// <param name="Header">The digest of its LUKS header (<see cref="HeaderDigest"/>); null without one.</param>
public sealed record VolumeState(bool Exists, ImmutableArray<string> Refusals, Digest32? Header)
{
    /// <summary>There is nothing yet: it will be made.</summary>
    public static VolumeState Missing { get; } = new(false, [], null);
}

/// <summary>
/// A volume's file in the pool, held open by its descriptor while it is looked at: reached without any symbolic link,
/// and whatever lies there, a FIFO or a device, stops nobody. The pool is believed in nothing; but looking and opening
/// are two moments, and whoever writes to the pool can exchange a file between them. What they gain is what QEMU itself
/// takes as LUKS1 under the volume's own key, for that is the only format that it is told.
/// </summary>
internal sealed class VolumeFile : IDisposable
{
    private const int OthersWrite = 0x12;
    private readonly IDisk _disk;
    private readonly string _path;
    private readonly int _descriptor;
    private readonly DiskStatus _status;

    private VolumeFile(IDisk disk, string path, int descriptor)
    {
        _disk = disk;
        _path = path;
        _descriptor = descriptor;
        if (disk.Status(descriptor, out _status) is var result and < 0)
        {
            disk.Close(descriptor);
            throw Failed("look at", path, result);
        }
    }

    /// <summary>Looks at what lies under a name, and at what is in it when it is to be encrypted.</summary>
    /// <param name="disk">The system calls.</param>
    /// <param name="path">An absolute path.</param>
    /// <param name="encrypted">Whether it is to be under LUKS; else its content is nobody's but the machine's.</param>
    /// <param name="dataBytes">The size of the disk that the plan states.</param>
    /// <exception cref="WorldException">The disk refused.</exception>
    public static VolumeState Inspect(IDisk disk, string path, bool encrypted, long dataBytes)
    {
        int descriptor = Open(disk, path);
        if (descriptor == -Errno.NoEntry)
        {
            return VolumeState.Missing;
        }

        if (descriptor == -Errno.Loop)
        {
            return new VolumeState(true, ["A symbolic link lies in its place. [volume-link]"], null);
        }

        if (descriptor < 0)
        {
            throw Failed("open", path, descriptor);
        }

        using VolumeFile file = new(disk, path, descriptor);
        ImmutableArray<string> form = file.Form();
        if (file._status.Kind != DiskKind.File)
        {
            return new VolumeState(true, form, null);
        }

        if (encrypted)
        {
            VolumeContent content = VolumeContent.Check(new DiskBytes(file._status.Length, file.Read), dataBytes);
            return new VolumeState(true, [.. form, .. content.Refusals], content.HeaderDigest);
        }

        if (file._status.Length != dataBytes)
        {
            form = form.Add($"The file has {file._status.Length} bytes and not {dataBytes}. [volume-length]");
        }

        return new VolumeState(true, form, null);
    }

    public void Dispose() => _disk.Close(_descriptor);

    private ImmutableArray<string> Form()
    {
        if (_status.Kind != DiskKind.File)
        {
            return ["What lies in its place is no regular file. [volume-kind]"];
        }

        ImmutableArray<string>.Builder refusals = ImmutableArray.CreateBuilder<string>();
        if (_status.Links != 1)
        {
            refusals.Add($"The file has {_status.Links} names: another one is that of something else. [volume-links]");
        }

        if (_status.Owner != _disk.EffectiveUser)
        {
            refusals.Add(
                $"The file belongs to the user {_status.Owner} and not to {_disk.EffectiveUser}. [volume-owner]");
        }

        if ((_status.Mode & OthersWrite) != 0)
        {
            refusals.Add("Others may write to the file: chmod 600. [volume-mode]");
        }

        return refusals.ToImmutable();
    }

    private int Read(long offset, Span<byte> into)
    {
        int count = _disk.ReadAt(_descriptor, offset, into);
        return count >= 0 ? count : throw Failed("read", _path, count);
    }

    /// <summary>Every step without following a link; the descriptor, or a negated errno.</summary>
    private static int Open(IDisk disk, string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        int at = disk.OpenRoot();
        for (int i = 0; i < parts.Length && at >= 0; i++)
        {
            int next = i == parts.Length - 1
                ? disk.OpenFile(at, parts[i], DiskOpen.Read)
                : disk.OpenDirectory(at, parts[i]);
            disk.Close(at);
            at = next;
        }

        return at;
    }

    private static WorldException Failed(string what, string path, int result) =>
        new([what, path], -result, Errno.Text(-result));
}
