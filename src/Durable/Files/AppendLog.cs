using System.Security.Cryptography;

namespace Bailiwick.Durable.Files;

/// <summary>
/// An append-only file of records chained by SHA-256. What an append has returned for is on stable storage
/// and is found again; nothing is ever found by half. Opening cuts what a crash left of an append that was never
/// acknowledged and reports it; a damaged record that had been acknowledged is an error. (A cut of whole batches from
/// the end cannot be told from never having written them: whoever needs that keeps <see cref="Head"/> elsewhere.)
/// After a failed fsync the log is poisoned: nothing is appended until it is opened again. One opener at a time, by
/// flock; safe for use from several threads.
/// </summary>
public sealed class AppendLog : IDisposable
{
    /// <summary>The longest payload, in bytes.</summary>
    public const int MaxRecordBytes = 1 << 20;

    /// <summary>The most bytes one batch takes in the file.</summary>
    public const int MaxBatchBytes = 16 << 20;

    private readonly Lock _gate = new();
    private readonly PrivateFile _file;
    private readonly byte[] _id;
    private byte[] _chain;
    private long _end;
    private string? _poison;

    private AppendLog(PrivateFile file, LogReader reader, LogRecovery recovery)
    {
        _file = file;
        _id = reader.Id.ToArray();
        _chain = reader.Chain;
        _end = reader.End;
        Count = reader.Count;
        Recovery = recovery;
    }

    /// <summary>What opening found and cut.</summary>
    public LogRecovery Recovery { get; }

    /// <summary>The number of acknowledged records.</summary>
    public long Count { get; private set; }

    /// <summary>The chain hash over everything acknowledged; 32 bytes.</summary>
    public ReadOnlyMemory<byte> Head => _chain;

    /// <summary>Opens a log, or creates an empty one, and hands each record to <paramref name="replay"/>.</summary>
    /// <param name="directory">Where it lies.</param>
    /// <param name="name">Its plain name.</param>
    /// <param name="replay">Called with each acknowledged record in order; null to only verify.</param>
    /// <exception cref="LogCorruptException">An acknowledged record is damaged.</exception>
    /// <exception cref="DurableException">A call failed, or another opener has it.</exception>
    public static AppendLog Open(PrivateDirectory directory, string name, Action<LogRecord>? replay = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        PrivateFile file = directory.OpenFile(name, DiskOpen.ReadWrite) ?? Create(directory, name);
        try
        {
            file.Lock();
            // A name found after a crash may not have been durable yet; from here on it is.
            directory.Sync();
            LogReader reader = new(file);
            while (reader.Next() is { } record)
            {
                replay?.Invoke(record);
            }

            LogRecovery recovery = new(reader.Count, reader.End, file.Length - reader.End);
            if (recovery.WasTorn)
            {
                file.Truncate(reader.End);
            }

            // What was read may still be only in memory, left by a process that died before its fsync.
            file.Sync();
            return new AppendLog(file, reader, recovery);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Appends one record; returns its index once it is durable.</summary>
    /// <param name="payload">1 to <see cref="MaxRecordBytes"/> bytes.</param>
    public long Append(ReadOnlyMemory<byte> payload) => Append([payload]);

    /// <summary>
    /// Appends a batch with one fsync; returns the index of its first record once all are durable. After a crash
    /// before that, a prefix of the batch may be found, never a record by half.
    /// </summary>
    /// <param name="payloads">At least one payload of 1 to <see cref="MaxRecordBytes"/> bytes.</param>
    /// <exception cref="DurableException">Nothing was acknowledged; a failed fsync poisons the log.</exception>
    public long Append(IReadOnlyList<ReadOnlyMemory<byte>> payloads)
    {
        ArgumentNullException.ThrowIfNull(payloads);
        lock (_gate)
        {
            if (_poison is not null)
            {
                throw new DurableException("append", _file.Path, _poison);
            }

            byte[] batch = Frame(payloads, out byte[] chain);
            Write(batch);
            long first = Count;
            _end += batch.Length;
            _chain = chain;
            Count += payloads.Count;
            return first;
        }
    }

    /// <summary>Closes the log and frees its lock.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _poison ??= "the log is closed";
            _file.Dispose();
        }
    }

    private static PrivateFile Create(PrivateDirectory directory, string name)
    {
        byte[] header = new byte[LogFrame.FileHeaderBytes];
        LogFrame.Magic.CopyTo(header);
        RandomNumberGenerator.Fill(header.AsSpan(LogFrame.Magic.Length));
        DurableFile.Replace(directory, name, header);
        return directory.OpenFile(name, DiskOpen.ReadWrite)
            ?? throw new DurableException("open", name, "it vanished after it was created");
    }

    private byte[] Frame(IReadOnlyList<ReadOnlyMemory<byte>> payloads, out byte[] chain)
    {
        long size = 0;
        for (int i = 0; i < payloads.Count; i++)
        {
            ArgumentOutOfRangeException.ThrowIfZero(payloads[i].Length, nameof(payloads));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(payloads[i].Length, MaxRecordBytes, nameof(payloads));
            size += LogFrame.RecordHeaderBytes + payloads[i].Length;
        }

        ArgumentOutOfRangeException.ThrowIfZero(size, nameof(payloads));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MaxBatchBytes, nameof(payloads));
        byte[] batch = new byte[size];
        int at = 0;
        chain = _chain;
        for (int i = 0; i < payloads.Count; i++)
        {
            uint word = LogFrame.Word(payloads[i].Length, first: i == 0);
            chain = LogFrame.Chain(_id, _end + at, chain, word, payloads[i].Span);
            LogFrame.Write(batch.AsSpan(at), word, chain, payloads[i].Span);
            at += LogFrame.RecordHeaderBytes + payloads[i].Length;
        }

        return batch;
    }

    private void Write(byte[] batch)
    {
        try
        {
            // One write: with two, a crash could leave a sector of the first without the second's part of it, and the
            // reader's mark of a torn record (a sector that was never written) would not hold.
            _file.WriteAtOnce(_end, batch);
        }
        catch (DurableException failed)
        {
            Undo(failed);
            throw;
        }

        try
        {
            _file.Sync();
        }
        catch (DurableException failed)
        {
            // The kernel may have dropped the pages and forgotten the error: no later success could be believed.
            _poison = $"an earlier fsync failed ({failed.Cause}); open the log again to see what is there";
            throw;
        }
    }

    // A full disk is survivable: the half-written batch is cut off. If that fails too, nothing more is appended.
    private void Undo(DurableException failed)
    {
        try
        {
            _file.Truncate(_end);
            _file.Sync();
        }
        catch (DurableException)
        {
            _poison = $"a write failed ({failed.Cause}) and could not be undone; open the log again";
        }
    }
}
