using System.Security.Cryptography;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Provisioning;

/// <summary>
/// Fills a volume with the disk of an image, or as a copy of another volume: makes its LUKS file under a name that no
/// machine uses, writes the content through QEMU's own driver, and reads all of it back from the disk. What was read
/// while it was written, and what came back, must have one digest; of an image's disk it is the one that the tenant
/// signed: the operator's copy of the image is believed in nothing. Nothing of the content is ever in the pool in
/// clear, and the keys in no file. What is copied is bytes, whatever a machine wrote there.
/// </summary>
/// <param name="server">Opens the file that is filled, and the one that is copied, for reading only.</param>
/// <param name="files">Where volumes are.</param>
/// <param name="marks">How far earlier fillings came.</param>
/// <param name="images">The operator's directory of images: <c>&lt;sha256&gt;</c> is a file's name.</param>
public sealed class VolumeFiller(VolumeServer server, VolumeFiles files, FillMarks marks, string images)
{
    /// <summary>After so many bytes the position is made durable.</summary>
    public const long StepBytes = 32L << 20;

    private const int ChunkBytes = NbdExport.MostBytes;

    /// <summary>Where the content of a volume is taken from.</summary>
    public string SourceOf(ContentPlan content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return Path.Combine(images, content.Sha256);
    }

    /// <summary>Fills it, going on where an earlier filling of the same file with the same content ended.</summary>
    /// <param name="order">What is filled with what; its keys stay the caller's.</param>
    /// <param name="directory">A private directory for the sockets.</param>
    /// <param name="progress">Told, from time to time, how many bytes were written and read back.</param>
    /// <param name="stop">Gives up; what was written stays for the next time.</param>
    /// <returns>The digest of the header of the filled file, which still has its other name.</returns>
    /// <exception cref="WorldException">
    /// What it is to begin with is not what its owner states, or the disk or a program refused.
    /// </exception>
    public async Task<Digest32> FillAsync(
        FillOrder order, string directory, Action<long> progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(order);
        DiskPlan disk = order.Disk;
        string written;
        Filling filling;
        if (disk.Content is { } content)
        {
            using FileStream source = Open(disk, content);
            filling = Begin(order, directory, progress);
            written = await ServeAndWriteAsync(
                filling, (_, chunk, until) => source.ReadExactlyAsync(chunk, until).AsTask(), stop)
                .ConfigureAwait(false);
            Demand(filling, written, content.Sha256, $"The image's file {content.Sha256}");
        }
        else if (disk.CopyOf is { } copied && order.Source is { } opened)
        {
            filling = Begin(order, directory, progress);
            using IDisposable unwritten = ImageLock.AgainstWriters(files.PathOf(copied));
            written = await server.UseAsync(
                new VolumeUse(copied, files.PathOf(copied), opened.Key, directory, order.Bytes),
                (source, until) => ServeAndWriteAsync(filling, source.ReadAsync, until), stop).ConfigureAwait(false);
            DemandSource(filling, copied, opened.Header);
        }
        else
        {
            throw new ArgumentException($"{disk.Volume} begins with nothing that is open.", nameof(order));
        }

        string kept = await server.UseAsync(
            filling.Use,
            (export, until) => VolumeReader.DigestAsync(
                export, order.Bytes, bytes => progress(order.Bytes + bytes), until),
            stop).ConfigureAwait(false);
        Demand(filling, kept, written, "What came back from the pool");
        if (files.InspectFilling(disk) is { Refusals.IsEmpty: true } now && now.Header == filling.Header)
        {
            return filling.Header;
        }

        Drop(disk);
        throw Failed(disk, "the file that was filled was exchanged meanwhile");
    }

    /// <summary>Forgets all that was written of a volume that is not filled.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void Drop(DiskPlan disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        marks.Forget(disk.Volume.ToString());
        files.DropFilling(disk);
    }

    /// <summary>Gives the volume its name, after its header was bound: it is one like any other now.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void Complete(DiskPlan disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        files.CompleteFilling(disk);
        marks.Forget(disk.Volume.ToString());
    }

    /// <summary>Goes on with the file that is there, when it is the one of the mark; else makes a new one.</summary>
    private Filling Begin(FillOrder order, string directory, Action<long> progress)
    {
        DiskPlan disk = order.Disk;
        VolumeUse use = new(disk, files.FillingOf(disk), order.Key, directory, order.Bytes);
        string volume = disk.Volume.ToString();
        VolumeState there = files.InspectFilling(disk);
        if (marks.Find(volume) is { } mark && mark.Sha256 == order.Identity && there.Refusals.IsEmpty
            && there is { FormerMib: null, Header: { } earlier } && mark.Header == earlier.Hex
            && mark.Bytes <= order.Bytes)
        {
            return new Filling(order, use, earlier, mark.Bytes, progress);
        }

        Drop(disk);
        files.CreateFilling(disk, order.Key);
        Digest32 header = files.InspectFilling(disk) is { Refusals.IsEmpty: true, Header: { } made }
            ? made
            : throw Failed(disk, "the file that was just made is not what was made");
        Filling filling = new(order, use, header, 0, progress);
        marks.Note(filling.MarkAt(0));
        return filling;
    }

    private Task<string> ServeAndWriteAsync(Filling filling, ReadChunk read, CancellationToken stop) => server.UseAsync(
        filling.Use with { Writes = true }, (export, until) => WriteAsync(filling, read, export, until), stop);

    /// <summary>Writes what is missing; the digest of all that was read.</summary>
    private async Task<string> WriteAsync(
        Filling filling, ReadChunk read, NbdExport export, CancellationToken stop)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkBytes], there = new byte[ChunkBytes];
        bool holds = true;
        for (long at = 0; at < filling.Bytes; at += ChunkBytes)
        {
            await read(at, chunk, stop).ConfigureAwait(false);
            hash.AppendData(chunk);
            if (at == filling.From - ChunkBytes)
            {
                // The end of what was written: the position was noted after it, but of the disk nothing is believed.
                await export.ReadAsync(at, there, stop).ConfigureAwait(false);
                holds = chunk.AsSpan().SequenceEqual(there);
            }

            if (at >= filling.From)
            {
                await export.WriteAsync(at, chunk, stop).ConfigureAwait(false);
                if ((at + ChunkBytes) % StepBytes == 0 || at + ChunkBytes == filling.Bytes)
                {
                    await export.FlushAsync(stop).ConfigureAwait(false);
                    marks.Note(filling.MarkAt(at + ChunkBytes));
                }
            }

            filling.Progress(at + ChunkBytes);
        }

        CryptographicOperations.ZeroMemory(chunk);
        CryptographicOperations.ZeroMemory(there);
        if (!holds)
        {
            Drop(filling.Disk);
            throw Failed(filling.Disk, "what was written before is not on the disk any more; it is begun anew");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private void Demand(Filling filling, string digest, string wanted, string what)
    {
        if (digest != wanted)
        {
            Drop(filling.Disk);
            throw Failed(
                filling.Disk,
                $"{what} has the digest {digest}, and "
                + (filling.Disk.Content is null
                    ? $"what was read of {filling.Disk.CopyOf?.Volume} has {wanted}: one of the two was written since. "
                        + "It is begun anew. [content-differs]"
                    : $"its owner states {wanted}: put the approved file there. [content-differs]"));
        }
    }

    /// <summary>Looking is not holding: what was read is of the header that its key was released for, or nothing.
    /// </summary>
    private void DemandSource(Filling filling, DiskPlan copied, Digest32 header)
    {
        if (files.Inspect(copied) is not { Refusals.IsEmpty: true } now || now.Header != header)
        {
            Drop(filling.Disk);
            throw Failed(
                filling.Disk,
                $"the file of {copied.Volume}, which is copied, was exchanged meanwhile. [header-exchanged]");
        }
    }

    private FileStream Open(DiskPlan disk, ContentPlan content)
    {
        try
        {
            FileStream source = new(SourceOf(content), FileMode.Open, FileAccess.Read, FileShare.Read, ChunkBytes);
            if (source.Length == (long)content.SizeMib << 20)
            {
                return source;
            }

            long length = source.Length;
            source.Dispose();
            throw Failed(
                disk, $"the image's file {content.Sha256} has {length} bytes and not {content.SizeMib} MiB. "
                + "[content-differs]");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Failed(disk, $"the image's file cannot be read: {error.Message} [content-missing]");
        }
    }

    private static WorldException Failed(DiskPlan disk, string why) =>
        new(["fill", $"the volume {disk.Volume}"], -1, why);

    /// <summary>Reads the next chunk of what is written, at its place.</summary>
    private delegate Task ReadChunk(long at, Memory<byte> into, CancellationToken stop);

    private sealed record Filling(
        FillOrder Order, VolumeUse Use, Digest32 Header, long From, Action<long> Progress)
    {
        public DiskPlan Disk => Order.Disk;

        public long Bytes => Order.Bytes;

        public FillMark MarkAt(long bytes) => new(Disk.Volume.ToString(), Header.Hex, Order.Identity, bytes);
    }
}
