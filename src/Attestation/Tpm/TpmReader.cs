using System.Buffers.Binary;

namespace Bailiwick.Attestation.Tpm;

/// <summary>
/// Reads the big-endian structures of TPM 2.0 Part 2 from bytes that may be hostile. A read that cannot succeed sets
/// <see cref="Fault"/>, consumes nothing and gives zero; so does every read after it. Nothing is allocated here, and
/// no size is believed before it was compared with what is left.
/// </summary>
public ref struct TpmReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Begins to read.</summary>
    public TpmReader(ReadOnlySpan<byte> input)
    {
        _rest = input;
        Fault = input.Length > TpmLimits.StructureBytes ? TpmFault.TooLarge : null;
    }

    /// <summary>The first fault met, or null.</summary>
    public TpmFault? Fault { get; private set; }

    /// <summary>How many bytes are left.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Records a fault that the caller found; the first one stays.</summary>
    public void Fail(TpmFault fault) => Fault ??= fault;

    /// <summary>The bytes of a given number.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (Fault is null && (uint)count > (uint)_rest.Length)
        {
            Fault = TpmFault.Truncated;
        }

        if (Fault is not null)
        {
            return default;
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    /// <summary>A BYTE.</summary>
    public byte U8() => Bytes(sizeof(byte)) is [var value] ? value : (byte)0;

    /// <summary>A UINT16.</summary>
    public ushort U16() =>
        Bytes(sizeof(ushort)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    /// <summary>A UINT32.</summary>
    public uint U32() =>
        Bytes(sizeof(uint)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    /// <summary>A UINT64.</summary>
    public ulong U64() =>
        Bytes(sizeof(ulong)) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;

    /// <summary>A TPM2B: a UINT16 and that many bytes, at most <paramref name="limit"/>.</summary>
    public ReadOnlySpan<byte> Sized(int limit)
    {
        int size = U16();
        if (size > limit)
        {
            Fail(TpmFault.TooLarge);
        }

        return Bytes(size);
    }

    /// <summary>A TPMI_YES_NO.</summary>
    public bool YesNo()
    {
        byte value = U8();
        if (value > 1)
        {
            Fail(TpmFault.NotBoolean);
        }

        return value == 1;
    }

    /// <summary>A TPMI_ALG_HASH; SHA-256 in place of one that is not read, with the fault set.</summary>
    public TpmHash Hash()
    {
        if (TpmHashes.FromAlgorithm(U16()) is { } hash)
        {
            return hash;
        }

        Fail(TpmFault.UnknownHash);
        return TpmHash.Sha256;
    }

    /// <summary>True if nothing failed and nothing is left; bytes that are left become a fault.</summary>
    public bool Ends()
    {
        if (_rest.Length > 0)
        {
            Fail(TpmFault.TrailingBytes);
        }

        return Fault is null;
    }
}
