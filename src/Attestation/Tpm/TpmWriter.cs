using System.Buffers;
using System.Buffers.Binary;

namespace Bailiwick.Attestation.Tpm;

/// <summary>Writes the big-endian structures of TPM 2.0 Part 2.</summary>
public sealed class TpmWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>What was written.</summary>
    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    /// <summary>A BYTE.</summary>
    public TpmWriter U8(byte value)
    {
        _buffer.Write([value]);
        return this;
    }

    /// <summary>A UINT16.</summary>
    public TpmWriter U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer.GetSpan(sizeof(ushort)), value);
        _buffer.Advance(sizeof(ushort));
        return this;
    }

    /// <summary>A UINT32.</summary>
    public TpmWriter U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.GetSpan(sizeof(uint)), value);
        _buffer.Advance(sizeof(uint));
        return this;
    }

    /// <summary>A UINT64.</summary>
    public TpmWriter U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_buffer.GetSpan(sizeof(ulong)), value);
        _buffer.Advance(sizeof(ulong));
        return this;
    }

    /// <summary>A TPMI_YES_NO.</summary>
    public TpmWriter YesNo(bool value) => U8(value ? (byte)1 : (byte)0);

    /// <summary>A TPMI_ALG_HASH.</summary>
    public TpmWriter Hash(TpmHash hash) => U16((ushort)hash);

    /// <summary>Bytes as they are.</summary>
    public TpmWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        _buffer.Write(bytes);
        return this;
    }

    /// <summary>A TPM2B: the size and the bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than 65,535 bytes.</exception>
    public TpmWriter Sized(ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, ushort.MaxValue, nameof(bytes));
        return U16((ushort)bytes.Length).Bytes(bytes);
    }
}
