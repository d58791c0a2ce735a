using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Domains.Volumes;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Custody.Images;

/// <summary>What came of an import. Closed.</summary>
public abstract record ImportOutcome
{
    private ImportOutcome()
    {
    }

    /// <summary>There is a raw file now.</summary>
    /// <param name="File">The file.</param>
    /// <param name="Sha256">The digest of all of it, lower hex: what an Image statement states.</param>
    /// <param name="SizeMib">Its length in MiB.</param>
    /// <param name="Format">What it was read as; null for raw.</param>
    /// <param name="Padding">How many zeros were added at its end, in bytes, to make whole MiB.</param>
    public sealed record Imported(string File, string Sha256, int SizeMib, DiskFormat? Format, int Padding)
        : ImportOutcome;

    /// <summary>Nothing was made, and no tool has seen the file.</summary>
    /// <param name="Reasons">Every reason.</param>
    public sealed record Refused(ImmutableArray<DiskRefusal> Reasons) : ImportOutcome;
}

/// <summary>
/// Takes a disk file in that somebody made, and makes a raw file of whole MiB of it. It is copied first, into a
/// directory of its own beside the result: what was looked at is what is converted, whoever changes the original
/// meanwhile. The directory goes when the import ends; what a killed import left goes with the next one.
/// </summary>
/// <param name="converter">Converts what is not raw.</param>
public sealed class ImageImport(IImageConverter converter)
{
    /// <summary>How a directory of an import in progress begins.</summary>
    public const string StagePrefix = ".bailiwick-import-";

    private const int ChunkBytes = 1 << 20, MibBytes = 1 << 20;
    private const string LockName = "lock";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Imports a file.</summary>
    /// <param name="file">The file; only read.</param>
    /// <param name="directory">Where the result goes; its file system needs room for the file and for the disk.</param>
    /// <param name="largestBytes">The largest disk that is acceptable.</param>
    /// <param name="progress">Told what is being done and how much of it is, from 0 to 1.</param>
    /// <param name="stop">Gives up; nothing stays.</param>
    /// <exception cref="CustodyException">It cannot be read, or there is a result of that name already.</exception>
    /// <exception cref="IOException">The disk refused.</exception>
    public ImportOutcome Run(
        string file, string directory, long largestBytes, Action<string, double> progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(progress);
        string result = Path.Combine(directory, Path.GetFileNameWithoutExtension(file) + ".raw");
        if (File.Exists(result))
        {
            throw new CustodyException($"{result} exists already; name another directory with --out, or remove it.");
        }

        using FileStream input = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
        if (!input.CanSeek)
        {
            throw new CustodyException($"{file} is no regular file.");
        }

        if (Judge(input.SafeFileHandle, largestBytes) is { IsAccepted: false } refused)
        {
            return new ImportOutcome.Refused(refused.Refusals);
        }

        Sweep(directory);
        string stage = Path.Combine(directory, StagePrefix + Path.GetRandomFileName());
        Directory.CreateDirectory(stage, Private | UnixFileMode.UserExecute);
        try
        {
            using FileStream held = Lock(stage) ?? throw new IOException($"{stage} is in use by another import.");
            return InStage(input, stage, result, largestBytes, progress, stop);
        }
        finally
        {
            Directory.Delete(stage, recursive: true);
        }
    }

    private ImportOutcome InStage(
        FileStream input, string stage, string result, long largestBytes, Action<string, double> progress,
        CancellationToken stop)
    {
        string copy = Path.Combine(stage, "input");
        using (SafeFileHandle target = Create(copy))
        {
            Copy(input.SafeFileHandle, target, part => progress("copy", part), stop);
        }

        DiskImport decision;
        using (SafeFileHandle copied = File.OpenHandle(copy))
        {
            decision = Judge(copied, largestBytes);
        }

        if (!decision.IsAccepted)
        {
            return new ImportOutcome.Refused(decision.Refusals);
        }

        string raw = copy;
        if (decision.Format is { } format)
        {
            raw = Path.Combine(stage, "output");
            using (SafeFileHandle made = Create(raw))
            {
                RandomAccess.SetLength(made, decision.VirtualBytes);
            }

            ConversionOrder order = new(format, copy, raw, decision.VirtualBytes);
            converter.Convert(order, part => progress("convert", part), stop);
        }

        return Finish(raw, result, decision, progress, stop);
    }

    private static ImportOutcome.Imported Finish(
        string raw, string result, DiskImport decision, Action<string, double> progress, CancellationToken stop)
    {
        int padding = (int)((MibBytes - (decision.VirtualBytes % MibBytes)) % MibBytes);
        string digest;
        using (FileStream made = new(raw, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1))
        {
            if (made.Length != decision.VirtualBytes)
            {
                throw new CustodyException(
                    $"The converter left {made.Length} bytes, and the disk has {decision.VirtualBytes}.");
            }

            made.SetLength(decision.VirtualBytes + padding);
            digest = Digest(made.SafeFileHandle, part => progress("digest", part), stop);
            made.Flush(flushToDisk: true);
        }

        File.Move(raw, result, overwrite: false);
        return new ImportOutcome.Imported(
            result, digest, (int)((decision.VirtualBytes + padding) / MibBytes), decision.Format, padding);
    }

    private static DiskImport Judge(SafeFileHandle file, long largestBytes) => DiskImport.Judge(
        new DiskBytes(RandomAccess.GetLength(file), (offset, into) => RandomAccess.Read(file, into, offset)),
        largestBytes);

    private static SafeFileHandle Create(string file)
    {
        SafeFileHandle made = File.OpenHandle(file, FileMode.CreateNew, FileAccess.ReadWrite);
        File.SetUnixFileMode(made, Private);
        return made;
    }

    /// <summary>Zeros are left out: what is not written of a file is zero, and takes no room.</summary>
    private static void Copy(
        SafeFileHandle source, SafeFileHandle target, Action<double> progress, CancellationToken stop)
    {
        byte[] chunk = new byte[ChunkBytes];
        long length = RandomAccess.GetLength(source), at = 0;
        RandomAccess.SetLength(target, length);
        while (at < length && RandomAccess.Read(source, chunk, at) is var count and > 0)
        {
            stop.ThrowIfCancellationRequested();
            count = (int)Math.Min(count, length - at);
            ReadOnlySpan<byte> part = chunk.AsSpan(0, count);
            if (part.ContainsAnyExcept((byte)0))
            {
                RandomAccess.Write(target, part, at);
            }

            at += count;
            progress((double)at / length);
        }
    }

    private static string Digest(SafeFileHandle file, Action<double> progress, CancellationToken stop)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkBytes];
        long length = RandomAccess.GetLength(file), at = 0;
        while (RandomAccess.Read(file, chunk, at) is var count and > 0)
        {
            stop.ThrowIfCancellationRequested();
            hash.AppendData(chunk, 0, count);
            at += count;
            progress((double)at / length);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What imports left that were killed: nobody holds their lock.</summary>
    private static void Sweep(string directory)
    {
        foreach (string stage in Directory.EnumerateDirectories(directory, StagePrefix + "*"))
        {
            using FileStream? held = Lock(stage);
            if (held is not null)
            {
                Directory.Delete(stage, recursive: true);
            }
        }
    }

    private static FileStream? Lock(string stage)
    {
        try
        {
            return new FileStream(
                Path.Combine(stage, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
