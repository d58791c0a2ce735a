using System.Buffers.Binary;

namespace Bailiwick.Domains.Seeing;

/// <summary>
/// A capture file as libpcap has it (draft-ietf-opsawg-pcap): a header of 24 bytes, then each packet behind one of 16;
/// little endian, microseconds, link type Ethernet.
/// </summary>
public static class PcapFormat
{
    /// <summary>Bytes of the file's header.</summary>
    public const int HeaderBytes = 24;

    /// <summary>Bytes before each packet.</summary>
    public const int RecordBytes = 16;

    /// <summary>Most bytes of one frame that are kept.</summary>
    public const int SnapBytes = 65535;

    private const uint Magic = 0xa1b2c3d4;
    private const uint Ethernet = 1;

    /// <summary>The file's header.</summary>
    public static byte[] Header()
    {
        byte[] header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(6), 4);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), SnapBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(20), Ethernet);
        return header;
    }

    /// <summary>What stands before a packet.</summary>
    /// <param name="record">At least <see cref="RecordBytes"/>.</param>
    /// <param name="at">When it passed.</param>
    /// <param name="length">Its length, at most <see cref="SnapBytes"/>.</param>
    public static void Record(Span<byte> record, DateTimeOffset at, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, SnapBytes);
        long microseconds = (at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(microseconds / 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(microseconds % 1_000_000));
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)length);
    }

    /// <summary>Whether bytes begin as a file that <see cref="Header"/> made.</summary>
    public static bool IsHeader(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HeaderBytes && bytes[..HeaderBytes].SequenceEqual(Header());

    /// <summary>The length of the packet behind a record's header; null where it is none that we make.</summary>
    public static int? LengthOf(ReadOnlySpan<byte> record) =>
        record.Length >= RecordBytes && BinaryPrimitives.ReadUInt32LittleEndian(record[8..]) is var length
        && length <= SnapBytes && BinaryPrimitives.ReadUInt32LittleEndian(record[12..]) == length
            ? (int)length : null;
}
