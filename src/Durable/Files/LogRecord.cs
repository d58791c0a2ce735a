namespace Bailiwick.Durable.Files;

/// <summary>One acknowledged record of an <see cref="AppendLog"/>.</summary>
/// <param name="Index">Its number, from 0.</param>
/// <param name="Offset">Where it begins in the file, in bytes.</param>
/// <param name="Payload">What was appended.</param>
/// <param name="Chain">The SHA-256 chain hash over it and everything before it.</param>
public sealed record LogRecord(
    long Index, long Offset, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Chain);

/// <summary>What opening a log had to repair. The owner records it: a cut is never silent.</summary>
/// <param name="Records">The number of whole records kept.</param>
/// <param name="CutAt">The offset at which the torn tail was cut, in bytes.</param>
/// <param name="CutBytes">How many bytes were cut; 0 when the log was whole.</param>
public sealed record LogRecovery(long Records, long CutAt, long CutBytes)
{
    /// <summary>Whether an append that was never acknowledged was cut away.</summary>
    public bool WasTorn => CutBytes > 0;
}

/// <summary>A record that had been acknowledged is damaged. The log is not opened, changed or made anew.</summary>
public sealed class LogCorruptException : DurableException
{
    /// <summary>Names the record.</summary>
    /// <param name="path">The log.</param>
    /// <param name="index">The number of the damaged record, from 0.</param>
    /// <param name="offset">Where it begins, in bytes.</param>
    /// <param name="fault">What is wrong with it.</param>
    public LogCorruptException(string path, long index, long offset, string fault)
        : base(
            "verify", path,
            $"record {index} at byte {offset} {fault}; the log is left as it is. Restore the file from a copy")
    {
        Index = index;
        Offset = offset;
    }

    /// <summary>The number of the damaged record, from 0.</summary>
    public long Index { get; }

    /// <summary>Where it begins, in bytes.</summary>
    public long Offset { get; }
}
