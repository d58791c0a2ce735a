using System.Buffers;
using System.Buffers.Binary;

namespace Bailiwick.Tpm.Tss;

/// <summary>Writes structures as TPM 2.0 part 2 does: big-endian numbers, sized buffers.</summary>
internal sealed class WireWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public WireWriter U8(byte value)
    {
        _bytes.Write([value]);
        return this;
    }

    public WireWriter U16(int value)
    {
        Span<byte> two = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(two, checked((ushort)value));
        _bytes.Write(two);
        return this;
    }

    public WireWriter U32(uint value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(four, value);
        _bytes.Write(four);
        return this;
    }

    public WireWriter Raw(ReadOnlySpan<byte> value)
    {
        _bytes.Write(value);
        return this;
    }

    /// <summary>A buffer behind its size.</summary>
    public WireWriter Sized(ReadOnlySpan<byte> value) => U16(value.Length).Raw(value);

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
