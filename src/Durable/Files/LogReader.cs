namespace Bailiwick.Durable.Files;

/// <summary>
/// Reads a log from its first byte and decides, at the first record that does not verify, between a torn tail and
/// damage. A tail is torn only if it can be what a crash leaves of the last, never acknowledged batch:
/// it is no longer than a batch, it ends early or has a 512-byte sector that was never written (all zero), and no
/// later batch follows, for a batch is begun only after the one before it was acknowledged. All else is damage.
/// </summary>
internal sealed class LogReader
{
    private const int SectorBytes = 512;
    private const long MaxHashedBytes = 1L << 30;
    private readonly PrivateFile _file;
    private readonly byte[] _id;
    private readonly long _length;
    private long _hashedBytes;

    public LogReader(PrivateFile file)
    {
        _file = file;
        _length = file.Length;
        byte[] header = new byte[LogFrame.FileHeaderBytes];
        if (_length < header.Length)
        {
            throw new LogCorruptException(file.Path, 0, 0, "cannot be read: the file is shorter than its header");
        }

        file.ReadExactly(0, header);
        if (!header.AsSpan(0, LogFrame.Magic.Length).SequenceEqual(LogFrame.Magic))
        {
            throw new LogCorruptException(file.Path, 0, 0, "cannot be read: the file is no log of this version");
        }

        _id = header[LogFrame.Magic.Length..];
        Chain = System.Security.Cryptography.SHA256.HashData(header);
        End = LogFrame.FileHeaderBytes;
    }

    public ReadOnlySpan<byte> Id => _id;

    public byte[] Chain { get; private set; }

    public long End { get; private set; }

    public long Count { get; private set; }

    /// <summary>The next record; null at the end or at a torn tail, which then begins at End.</summary>
    public LogRecord? Next()
    {
        if (End == _length)
        {
            return null;
        }

        byte[]? record = ReadAt(End);
        if (record is null)
        {
            RequireTorn(record);
            return null;
        }

        uint word = LogFrame.ReadWord(record);
        byte[] payload = record[LogFrame.RecordHeaderBytes..];
        byte[] chain = LogFrame.Chain(_id, End, Chain, word, payload);
        // The first record of all is always the first of its batch.
        if (!chain.AsSpan().SequenceEqual(record.AsSpan(4, LogFrame.HashBytes))
            || (Count == 0 && !LogFrame.IsFirst(word)))
        {
            RequireTorn(record);
            return null;
        }

        LogRecord next = new(Count, End, payload, chain);
        Chain = chain;
        Count++;
        End += record.Length;
        return next;
    }

    // The bytes of the record at an offset; null when it is cut short or its length is not one we write.
    private byte[]? ReadAt(long offset)
    {
        long left = _length - offset;
        if (left < LogFrame.RecordHeaderBytes)
        {
            return null;
        }

        byte[] header = new byte[LogFrame.RecordHeaderBytes];
        _file.ReadExactly(offset, header);
        int length = LogFrame.Length(LogFrame.ReadWord(header));
        if (length is < 1 or > AppendLog.MaxRecordBytes || length > left - LogFrame.RecordHeaderBytes)
        {
            return null;
        }

        byte[] record = new byte[LogFrame.RecordHeaderBytes + length];
        _file.ReadExactly(offset, record);
        return record;
    }

    private void RequireTorn(byte[]? record)
    {
        long left = _length - End;
        if (left > AppendLog.MaxBatchBytes)
        {
            throw new LogCorruptException(
                _file.Path, Count, End, $"does not verify, and {left} bytes follow, more than one batch");
        }

        byte[] tail = new byte[left];
        _file.ReadExactly(End, tail);
        if (record is not null && !HasBlankSector(End, record))
        {
            throw new LogCorruptException(_file.Path, Count, End, "is complete but its chain hash is wrong");
        }

        if (record is null && left >= 4 && LengthIsImpossible(tail) && !HasBlankSector(End, tail))
        {
            throw new LogCorruptException(_file.Path, Count, End, "has a length that is never written");
        }

        if (FindLaterBatch(tail) is { } later)
        {
            throw new LogCorruptException(
                _file.Path, Count, End, $"does not verify, yet an acknowledged batch follows at byte {later}");
        }
    }

    private static bool LengthIsImpossible(ReadOnlySpan<byte> tail) =>
        LogFrame.Length(LogFrame.ReadWord(tail)) is < 1 or > AppendLog.MaxRecordBytes;

    // Sectors are counted from the start of the file; the first and the last may be covered in part.
    private static bool HasBlankSector(long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int here = (int)Math.Min(bytes.Length, SectorBytes - (offset % SectorBytes));
            if (bytes[..here].IndexOfAnyExcept((byte)0) < 0)
            {
                return true;
            }

            offset += here;
            bytes = bytes[here..];
        }

        return false;
    }

    // An intact record that begins a batch, after the bad one. Its predecessor's hash is taken from the bad record as
    // stored, or computed anew (when only the stored hash is damaged), or from a record in between.
    private long? FindLaterBatch(ReadOnlySpan<byte> tail)
    {
        if (tail.Length < LogFrame.RecordHeaderBytes)
        {
            return null;
        }

        byte[] stored = tail.Slice(4, LogFrame.HashBytes).ToArray();
        uint badWord = LogFrame.ReadWord(tail);
        int badLength = LogFrame.Length(badWord);
        byte[]? computed = badLength <= tail.Length - LogFrame.RecordHeaderBytes
            ? LogFrame.Chain(_id, End, Chain, badWord, tail.Slice(LogFrame.RecordHeaderBytes, badLength))
            : null;
        for (int at = 1; at <= tail.Length - LogFrame.RecordHeaderBytes; at++)
        {
            if (!Fits(tail, at))
            {
                continue;
            }

            bool first = LogFrame.IsFirst(LogFrame.ReadWord(tail[at..]));
            if (first && (Verifies(tail, at, stored) || (computed is not null && Verifies(tail, at, computed))))
            {
                return End + at;
            }

            int then = at + LogFrame.RecordHeaderBytes + LogFrame.Length(LogFrame.ReadWord(tail[at..]));
            if (Fits(tail, then) && (first || LogFrame.IsFirst(LogFrame.ReadWord(tail[then..])))
                && Verifies(tail, then, tail.Slice(at + 4, LogFrame.HashBytes)))
            {
                return End + at;
            }
        }

        return null;
    }

    private static bool Fits(ReadOnlySpan<byte> tail, int at)
    {
        if (at > tail.Length - LogFrame.RecordHeaderBytes)
        {
            return false;
        }

        int length = LogFrame.Length(LogFrame.ReadWord(tail[at..]));
        return length is >= 1 and <= AppendLog.MaxRecordBytes
            && length <= tail.Length - at - LogFrame.RecordHeaderBytes;
    }

    private bool Verifies(ReadOnlySpan<byte> tail, int at, ReadOnlySpan<byte> before)
    {
        uint word = LogFrame.ReadWord(tail[at..]);
        int length = LogFrame.Length(word);
        _hashedBytes += length;
        if (_hashedBytes > MaxHashedBytes)
        {
            throw new LogCorruptException(
                _file.Path, Count, End,
                "does not verify, and whether a batch follows it cannot be told in bounded work");
        }

        byte[] chain = LogFrame.Chain(
            _id, End + at, before, word, tail.Slice(at + LogFrame.RecordHeaderBytes, length));
        return chain.AsSpan().SequenceEqual(tail.Slice(at + 4, LogFrame.HashBytes));
    }
}
