using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Volumes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Custody.Backups;

/// <summary>
/// A backup in a directory: the volume's ciphertext and the manifest beside it. The manifest comes last, so a directory
/// that has it has all; what came only in part is removed.
/// </summary>
public static class BackupFolder
{
    /// <summary>The ciphertext's name.</summary>
    public const string VolumeName = "volume.luks";

    /// <summary>The manifest's name.</summary>
    public const string ManifestName = "manifest.json";

    private const string PartSuffix = ".part";
    private const int ChunkBytes = 1 << 20;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // A volume of the largest size that can be stated, and its header.
    private const long MostBytes = (16_777_216L << 20) + (64 << 20);

    /// <summary>Receives a backup as a host sends it, and keeps it only if it is what the host's manifest says.
    /// </summary>
    /// <param name="from">What the host sends; see <see cref="VolumeBackup"/> for its form.</param>
    /// <param name="directory">An own directory; it must not have a backup.</param>
    /// <param name="host">The host's identity key.</param>
    /// <param name="progress">Told, from time to time, how many bytes came and how many will.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="CustodyException">It ended early, is not what the manifest says, or there is one already.
    /// </exception>
    /// <exception cref="IOException">The disk or the connection failed.</exception>
    public static async Task<VolumeBackup> ReceiveAsync(
        Stream from, string directory, PublicKey host, Action<long, long> progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(progress);
        string volume = Path.Combine(directory, VolumeName), part = volume + PartSuffix;
        string manifest = Path.Combine(directory, ManifestName), manifestPart = manifest + PartSuffix;
        if (File.Exists(volume) || File.Exists(manifest))
        {
            throw new CustodyException($"{directory} has a backup already; say another directory.");
        }

        // What a killed one left.
        File.Delete(part);
        File.Delete(manifestPart);
        try
        {
            Digest32 digest = await ReceiveVolumeAsync(from, part, progress, stop).ConfigureAwait(false);
            byte[] envelope = await ReceiveManifestAsync(from, stop).ConfigureAwait(false);
            VolumeBackup backup = VolumeBackup.Verify(envelope, host, out string fault)
                ?? throw new CustodyException($"What the host sent has no manifest of its. {fault}");
            Demand(Against(backup, part, digest));
            await using (FileStream file = Create(manifestPart))
            {
                await file.WriteAsync(envelope, stop).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            File.Move(part, volume);
            File.Move(manifestPart, manifest);
            return backup;
        }
        catch (EndOfStreamException)
        {
            throw new CustodyException(
                "The host ended before it had sent all: the volume's file was exchanged meanwhile, or the connection "
                + "broke. Ask again.");
        }
        finally
        {
            File.Delete(part);
            File.Delete(manifestPart);
        }
    }

    /// <summary>Verifies a backup without asking anybody.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="host">The identity key of the host that made it.</param>
    /// <returns>What its manifest says, and every reason why the file is not that.</returns>
    /// <exception cref="CustodyException">There is no manifest of that host.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static (VolumeBackup Backup, ImmutableArray<string> Against) Verify(string directory, PublicKey host)
    {
        byte[] envelope = new byte[VolumeBackup.MaxManifestBytes + 1];
        using (FileStream file = File.OpenRead(Path.Combine(directory, ManifestName)))
        {
            int length = file.ReadAtLeast(envelope, envelope.Length, throwOnEndOfStream: false);
            envelope = length <= VolumeBackup.MaxManifestBytes ? envelope[..length]
                : throw new CustodyException($"No manifest has more than {VolumeBackup.MaxManifestBytes} bytes.");
        }

        VolumeBackup backup = VolumeBackup.Verify(envelope, host, out string fault)
            ?? throw new CustodyException($"The manifest is none of that host. {fault}");
        string volume = Path.Combine(directory, VolumeName);
        using FileStream content = File.OpenRead(volume);
        return (backup, Against(backup, volume, Digest32.FromBytes(SHA256.HashData(content))));
    }

    private static ImmutableArray<string> Against(VolumeBackup backup, string path, Digest32 digest)
    {
        using FileStream file = File.OpenRead(path);
        return backup.Against(
            new DiskBytes(file.Length, (offset, into) => RandomAccess.Read(file.SafeFileHandle, into, offset)), digest);
    }

    private static void Demand(ImmutableArray<string> against)
    {
        if (!against.IsEmpty)
        {
            throw new CustodyException($"What the host sent is not what it signed. {string.Join(" ", against)}");
        }
    }

    private static async Task<Digest32> ReceiveVolumeAsync(
        Stream from, string path, Action<long, long> progress, CancellationToken stop)
    {
        byte[] number = new byte[sizeof(long)];
        await from.ReadExactlyAsync(number, stop).ConfigureAwait(false);
        long length = BinaryPrimitives.ReadInt64BigEndian(number);
        if (length is <= 0 or > MostBytes)
        {
            throw new CustodyException($"The host says that the volume has {length} bytes; no volume has.");
        }

        await using FileStream file = Create(path);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkBytes];
        for (long left = length; left > 0;)
        {
            Memory<byte> part = chunk.AsMemory(0, (int)Math.Min(left, chunk.Length));
            await from.ReadExactlyAsync(part, stop).ConfigureAwait(false);
            hash.AppendData(part.Span);
            await file.WriteAsync(part, stop).ConfigureAwait(false);
            left -= part.Length;
            progress(length - left, length);
        }

        file.Flush(flushToDisk: true);
        return Digest32.FromBytes(hash.GetHashAndReset());
    }

    private static async Task<byte[]> ReceiveManifestAsync(Stream from, CancellationToken stop)
    {
        byte[] number = new byte[sizeof(int)];
        await from.ReadExactlyAsync(number, stop).ConfigureAwait(false);
        int length = BinaryPrimitives.ReadInt32BigEndian(number);
        if (length is <= 0 or > VolumeBackup.MaxManifestBytes)
        {
            throw new CustodyException($"The host's manifest has {length} bytes; no manifest has.");
        }

        byte[] envelope = new byte[length];
        await from.ReadExactlyAsync(envelope, stop).ConfigureAwait(false);
        return envelope;
    }

    private static FileStream Create(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private,
    });
}
