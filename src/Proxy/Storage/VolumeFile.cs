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
    /// <summary>
    /// How large the disk in the file is, in MiB, where that is what an earlier revision of its statement said and less
    /// than the newest; null when it is as planned, or refused.
    /// </summary>
    public int? FormerMib { get; init; }

    /// <summary>There is nothing yet: it will be made.</summary>
    public static VolumeState Missing { get; } = new(false, [], null);
}

/// <summary>What a volume's file is to be.</summary>
/// <param name="Encrypted">Under LUKS; else its content is nobody's but the machine's.</param>
/// <param name="DataBytes">The size of the disk that the plan states.</param>
/// <param name="FormerBytes">The sizes that earlier revisions of the volume's statement stated.</param>
internal sealed record VolumeShape(bool Encrypted, long DataBytes, ImmutableArray<long> FormerBytes);

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

    /// <summary>Looks at what lies under a path.</summary>
    /// <param name="disk">The system calls.</param>
    /// <param name="path">An absolute path.</param>
    /// <param name="shape">What is to be there.</param>
    /// <exception cref="WorldException">The disk refused.</exception>
    public static VolumeState Inspect(IDisk disk, string path, VolumeShape shape)
    {
        int descriptor = Open(disk, path, DiskOpen.Read);
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
        return file.Look(shape);
    }

    /// <summary>
    /// Makes a file longer that is as long as an earlier revision said, while nobody else has it open. Nothing is
    /// written: what lies in the new end is what ciphertext of zeros deciphers to, as in a volume that was just made.
    /// It has the one length or the other at every moment, also across a crash.
    /// </summary>
    /// <returns>Whether it is as long as planned now; false while another program has it open.</returns>
    /// <exception cref="WorldException">It is not what was looked at before, or the disk refused.</exception>
    public static bool TryGrow(IDisk disk, string path, VolumeShape shape)
    {
        int descriptor = Open(disk, path, DiskOpen.ReadWrite);
        if (descriptor < 0)
        {
            throw Failed("open", path, descriptor);
        }

        using VolumeFile file = new(disk, path, descriptor);
        if (!ImageLock.TryAgainstAll(descriptor))
        {
            return false;
        }

        VolumeState now = file.Look(shape);
        if (!now.Refusals.IsEmpty)
        {
            throw new WorldException(["grow", path], -1, string.Join(" ", now.Refusals));
        }

        if (now.FormerMib is { } former)
        {
            long length = file._status.Length + shape.DataBytes - ((long)former << 20);
            int result = disk.Truncate(descriptor, length);
            result = result < 0 ? result : disk.Sync(descriptor);
            if (result < 0)
            {
                throw Failed("grow", path, result);
            }
        }

        return true;
    }

    public void Dispose() => _disk.Close(_descriptor);

    private VolumeState Look(VolumeShape shape)
    {
        ImmutableArray<string> form = Form();
        if (_status.Kind != DiskKind.File)
        {
            return new VolumeState(true, form, null);
        }

        if (shape.Encrypted)
        {
            VolumeContent content = VolumeContent.Check(
                new DiskBytes(_status.Length, Read), shape.DataBytes, [.. shape.FormerBytes]);
            return new VolumeState(true, [.. form, .. content.Refusals], content.HeaderDigest)
            {
                FormerMib = Mib(content.FormerBytes),
            };
        }

        bool isFormer = _status.Length < shape.DataBytes && shape.FormerBytes.Contains(_status.Length);
        if (_status.Length != shape.DataBytes && !isFormer)
        {
            form = form.Add(
                $"The file has {_status.Length} bytes and not {shape.DataBytes}. [volume-length]");
        }

        return new VolumeState(true, form, null)
        {
            FormerMib = isFormer ? Mib(_status.Length) : null,
        };
    }

    private static int? Mib(long? bytes) => (int?)(bytes >> 20);

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
    private static int Open(IDisk disk, string path, DiskOpen how)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        int at = disk.OpenRoot();
        for (int i = 0; i < parts.Length && at >= 0; i++)
        {
            int next = i == parts.Length - 1
                ? disk.OpenFile(at, parts[i], how)
                : disk.OpenDirectory(at, parts[i]);
            disk.Close(at);
            at = next;
        }

        return at;
    }

    private static WorldException Failed(string what, string path, int result) =>
        new([what, path], -result, Errno.Text(-result));
}
