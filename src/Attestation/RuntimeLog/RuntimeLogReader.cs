using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;

namespace Bailiwick.Attestation.RuntimeLog;

/// <summary>Why a runtime log cannot be read on. Closed.</summary>
public enum RuntimeLogFaultCode
{
    /// <summary>The piece is larger than <see cref="RuntimeLogLimits.Bytes"/>.</summary>
    TooLarge = 1,

    /// <summary>An entry is not whole; the rest may come with the next piece.</summary>
    Truncated,

    /// <summary>A template's name is empty, too long or no ASCII: this is no such log.</summary>
    TemplateNameMalformed,

    /// <summary>Template data is larger than an entry can have.</summary>
    TemplateDataTooLarge,

    /// <summary>The digest in an entry is not that of its data (checked where the SHA-1 bank is replayed).</summary>
    DigestMismatch,
}

/// <summary>Why and where reading a runtime log ended.</summary>
/// <param name="Code">The reason.</param>
/// <param name="Entry">The number of the entry, from 0 at the log's beginning.</param>
/// <param name="Offset">Where the entry begins, in bytes from the beginning of the piece.</param>
public sealed record RuntimeLogFault(RuntimeLogFaultCode Code, long Entry, int Offset)
{
    /// <summary>The fault as a sentence.</summary>
    public string Sentence => string.Create(
        CultureInfo.InvariantCulture, $"Entry {Entry} at byte {Offset}: {Words}.");

    private string Words => Code switch
    {
        RuntimeLogFaultCode.TooLarge => $"the piece has more than {RuntimeLogLimits.Bytes} bytes",
        RuntimeLogFaultCode.Truncated => "it is not whole",
        RuntimeLogFaultCode.TemplateNameMalformed => "there is no template name",
        RuntimeLogFaultCode.TemplateDataTooLarge =>
            $"its template data has more than {RuntimeLogLimits.TemplateDataBytes} bytes",
        RuntimeLogFaultCode.DigestMismatch => "its digest is not that of its data",
        _ => throw new UnreachableException(),
    };
}

/// <summary>
/// Reads IMA's binary_runtime_measurements, little-endian, entry by entry and without allocating (Linux,
/// Documentation/security/IMA-templates.rst and ima_fs.c).
/// </summary>
public ref struct RuntimeLogReader
{
    private const int Fixed = sizeof(uint) + RuntimeLogLimits.DigestBytes + sizeof(uint);
    private readonly ReadOnlySpan<byte> _log;

    /// <summary>Begins at the first byte of an entry.</summary>
    public RuntimeLogReader(ReadOnlySpan<byte> log) => _log = log;

    /// <summary>Bytes read so far: whole entries only.</summary>
    public int Position { get; private set; }

    /// <summary>Why the last call of <see cref="TryRead"/> failed; null at the end of the log.</summary>
    public RuntimeLogFaultCode? Fault { get; private set; }

    /// <summary>Reads the next entry; false at the end, and at a fault, which consumes nothing.</summary>
    public bool TryRead(out RuntimeEntry entry)
    {
        entry = default;
        ReadOnlySpan<byte> rest = _log[Position..];
        if (rest.IsEmpty)
        {
            Fault = null;
            return false;
        }

        if (rest.Length < Fixed)
        {
            return Refuse(RuntimeLogFaultCode.Truncated);
        }

        uint nameLength = BinaryPrimitives.ReadUInt32LittleEndian(rest[(Fixed - sizeof(uint))..]);
        if (nameLength is 0 or > RuntimeLogLimits.TemplateNameBytes)
        {
            return Refuse(RuntimeLogFaultCode.TemplateNameMalformed);
        }

        if (nameLength > (uint)(rest.Length - Fixed))
        {
            return Refuse(RuntimeLogFaultCode.Truncated);
        }

        ReadOnlySpan<byte> name = rest.Slice(Fixed, (int)nameLength);
        if (name.IndexOfAnyExceptInRange((byte)'!', (byte)'~') >= 0)
        {
            return Refuse(RuntimeLogFaultCode.TemplateNameMalformed);
        }

        int at = Fixed + (int)nameLength;
        if (Extent(rest, name, ref at, out int length) is { } fault)
        {
            return Refuse(fault);
        }

        entry = new RuntimeEntry(
            BinaryPrimitives.ReadUInt32LittleEndian(rest), rest.Slice(sizeof(uint), RuntimeLogLimits.DigestBytes),
            name, rest.Slice(at, length));
        Position += at + length;
        return true;
    }

    /// <summary>Where template data lies; the oldest template has no length before it.</summary>
    private static RuntimeLogFaultCode? Extent(
        ReadOnlySpan<byte> rest, ReadOnlySpan<byte> name, ref int at, out int length)
    {
        length = 0;
        bool oldest = name.SequenceEqual("ima"u8);
        int lengthAt = oldest ? at + RuntimeLogLimits.DigestBytes : at;
        if (rest.Length - lengthAt < sizeof(uint))
        {
            return RuntimeLogFaultCode.Truncated;
        }

        uint claimed = BinaryPrimitives.ReadUInt32LittleEndian(rest[lengthAt..]);
        if (claimed > (oldest ? RuntimeLogLimits.OldNameBytes : RuntimeLogLimits.TemplateDataBytes))
        {
            return RuntimeLogFaultCode.TemplateDataTooLarge;
        }

        if (claimed > (uint)(rest.Length - lengthAt - sizeof(uint)))
        {
            return RuntimeLogFaultCode.Truncated;
        }

        at = oldest ? at : lengthAt + sizeof(uint);
        length = lengthAt + sizeof(uint) + (int)claimed - at;
        return null;
    }

    private bool Refuse(RuntimeLogFaultCode code)
    {
        Fault = code;
        return false;
    }
}
