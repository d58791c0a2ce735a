using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Provisioning;

/// <summary>
/// Fills a volume with the disk of an image: makes its LUKS file under a name that no machine uses, writes the content
/// through QEMU's own driver, and reads all of it back from the disk. The digest that the tenant signed is compared
/// with what was read from the image's file while it was written, and with what came back: the operator's copy of the
/// image is believed in nothing. Nothing of the content is ever in the pool in clear, and the key in no file.
/// </summary>
/// <param name="server">Opens the file that is filled.</param>
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
    /// <param name="disk">The volume; it begins with content.</param>
    /// <param name="key">Its key.</param>
    /// <param name="directory">A private directory for the socket.</param>
    /// <param name="progress">Told, from time to time, how many bytes were written and read back.</param>
    /// <param name="stop">Gives up; what was written stays for the next time.</param>
    /// <returns>The digest of the header of the filled file, which still has its other name.</returns>
    /// <exception cref="WorldException">
    /// The image's file is not what its owner states, or the disk or a program refused.
    /// </exception>
    public async Task<Digest32> FillAsync(
        DiskPlan disk, SecretBytes key, string directory, Action<long> progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ContentPlan content = disk.Content
            ?? throw new ArgumentException($"{disk.Volume} begins with nothing.", nameof(disk));
        using FileStream source = Open(disk, content);
        (Digest32 header, long from) = Begin(disk, content, key);
        VolumeUse use = new(disk, files.FillingOf(disk), key, directory, (long)content.SizeMib << 20);
        Filling filling = new(disk, content, header, source, progress);
        string written = await server.UseAsync(
            use with { Writes = true }, (export, until) => WriteAsync(filling, export, from, until), stop)
            .ConfigureAwait(false);
        Demand(filling, written, $"The image's file {content.Sha256}");

        string kept = await server.UseAsync(
            use,
            (export, until) => VolumeReader.DigestAsync(
                export, filling.Bytes, bytes => progress(filling.Bytes + bytes), until),
            stop).ConfigureAwait(false);
        Demand(filling, kept, "What came back from the pool");
        if (files.InspectFilling(disk) is { Refusals.IsEmpty: true } now && now.Header == header)
        {
            return header;
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
    private (Digest32 Header, long From) Begin(DiskPlan disk, ContentPlan content, SecretBytes key)
    {
        string volume = disk.Volume.ToString();
        VolumeState there = files.InspectFilling(disk);
        if (marks.Find(volume) is { } mark && mark.Sha256 == content.Sha256 && there.Refusals.IsEmpty
            && there.Header is { } earlier && mark.Header == earlier.Hex
            && mark.Bytes <= (long)content.SizeMib << 20)
        {
            return (earlier, mark.Bytes);
        }

        Drop(disk);
        files.CreateFilling(disk, key);
        Digest32 header = files.InspectFilling(disk) is { Refusals.IsEmpty: true, Header: { } made }
            ? made
            : throw Failed(disk, "the file that was just made is not what was made");
        marks.Note(new FillMark(volume, header.Hex, content.Sha256, 0));
        return (header, 0);
    }

    /// <summary>Writes what is missing; the digest of all that was read from the image's file.</summary>
    private async Task<string> WriteAsync(Filling filling, NbdExport export, long from, CancellationToken stop)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkBytes], there = new byte[ChunkBytes];
        bool holds = true;
        for (long at = 0; at < filling.Bytes; at += ChunkBytes)
        {
            await filling.Source.ReadExactlyAsync(chunk, stop).ConfigureAwait(false);
            hash.AppendData(chunk);
            if (at == from - ChunkBytes)
            {
                // The end of what was written: the position was noted after it, but of the disk nothing is believed.
                await export.ReadAsync(at, there, stop).ConfigureAwait(false);
                holds = chunk.AsSpan().SequenceEqual(there);
            }

            if (at >= from)
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

    private void Demand(Filling filling, string digest, string what)
    {
        if (digest != filling.Content.Sha256)
        {
            Drop(filling.Disk);
            throw Failed(
                filling.Disk,
                $"{what} has the digest {digest}, and its owner states {filling.Content.Sha256}: put the approved file "
                + "there. [content-differs]");
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

    private sealed record Filling(
        DiskPlan Disk, ContentPlan Content, Digest32 Header, FileStream Source, Action<long> Progress)
    {
        public long Bytes => (long)Content.SizeMib << 20;

        public FillMark MarkAt(long bytes) => new(Disk.Volume.ToString(), Header.Hex, Content.Sha256, bytes);
    }
}
