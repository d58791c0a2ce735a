using System.Buffers.Binary;
using System.Text;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// One look into a disk file, with a purse: when that is empty nothing more is read, and <see cref="Spent"/> says so.
/// </summary>
internal sealed class DiskReads
{
    private readonly DiskBytes _file;
    private int _bytes = DiskLimits.InspectionBytes, _reads = DiskLimits.InspectionReads;

    public DiskReads(DiskBytes file)
    {
        _file = file;
        Head = At(0, DiskLimits.HeadBytes);
        Tail = At(Math.Max(0, Length - DiskLimits.TailBytes), DiskLimits.TailBytes);
    }

    public long Length => _file.Length;

    /// <summary>The first bytes of the file.</summary>
    public byte[] Head { get; }

    /// <summary>The last bytes of the file.</summary>
    public byte[] Tail { get; }

    /// <summary>Whether something was not read because it would have cost too much.</summary>
    public bool Spent { get; private set; }

    /// <summary>The bytes at an offset, as many of them as there are; a claimed offset may be any number.</summary>
    public byte[] At(ulong offset, int count) => offset > long.MaxValue ? [] : At((long)offset, count);

    /// <summary>The bytes at an offset, as many of them as there are.</summary>
    public byte[] At(long offset, int count)
    {
        if (offset < 0 || offset >= Length || count <= 0)
        {
            return [];
        }

        int most = (int)Math.Min(count, Length - offset);
        if (_reads == 0 || _bytes < most)
        {
            Spent = true;
            return [];
        }

        _reads--;
        _bytes -= most;
        byte[] into = new byte[most];
        return _file.Read(offset, into).Length is var got && got == most ? into : into[..got];
    }
}

/// <summary>Fixed places in a header that may be shorter: what is not there is zero.</summary>
internal static class HeaderFields
{
    public static uint Big32(this ReadOnlySpan<byte> header, int at) =>
        Fits(header, at, 4) ? BinaryPrimitives.ReadUInt32BigEndian(header[at..]) : 0;

    public static ulong Big64(this ReadOnlySpan<byte> header, int at) =>
        Fits(header, at, 8) ? BinaryPrimitives.ReadUInt64BigEndian(header[at..]) : 0;

    public static ushort Little16(this ReadOnlySpan<byte> header, int at) =>
        Fits(header, at, 2) ? BinaryPrimitives.ReadUInt16LittleEndian(header[at..]) : (ushort)0;

    public static uint Little32(this ReadOnlySpan<byte> header, int at) =>
        Fits(header, at, 4) ? BinaryPrimitives.ReadUInt32LittleEndian(header[at..]) : 0;

    public static ulong Little64(this ReadOnlySpan<byte> header, int at) =>
        Fits(header, at, 8) ? BinaryPrimitives.ReadUInt64LittleEndian(header[at..]) : 0;

    /// <summary>The bytes of a range, as many of them as there are.</summary>
    public static ReadOnlySpan<byte> Part(this ReadOnlySpan<byte> header, int at, int count) =>
        at < 0 || at >= header.Length || count <= 0 ? default : header[at..(at + Math.Min(count, header.Length - at))];

    /// <summary>Text that anybody may be shown: printable ASCII, everything else as a dot, of bounded length.</summary>
    public static string Shown(ReadOnlySpan<byte> text)
    {
        var shown = new StringBuilder();
        foreach (byte one in text[..Math.Min(text.Length, DiskLimits.NameLength)])
        {
            shown.Append(one is >= 0x20 and < 0x7f ? (char)one : '.');
        }

        return shown.ToString();
    }

    private static bool Fits(ReadOnlySpan<byte> header, int at, int count) => at >= 0 && at <= header.Length - count;
}
