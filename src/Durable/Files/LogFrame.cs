using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Bailiwick.Durable.Files;

/// <summary>
/// The bytes of an <see cref="AppendLog"/>. File: 8 magic bytes, 32 random bytes (the log's id), then records.
/// Record: u32 little-endian length, whose top bit says "first of its batch"; 32 bytes of chain hash; the payload.
/// Chain hash = SHA-256(log id, u64 offset of the record, chain hash before it, the u32, payload); before the first
/// record stands SHA-256(file header). The random id keeps a payload's author
/// from writing bytes that look like records.
/// </summary>
internal static class LogFrame
{
    public const int IdBytes = 32;
    public const int FileHeaderBytes = 40;
    public const int HashBytes = 32;
    public const int RecordHeaderBytes = 4 + HashBytes;
    private const uint FirstOfBatch = 0x8000_0000;

    public static ReadOnlySpan<byte> Magic => "BWLOG01\n"u8;

    public static uint Word(int length, bool first) => (uint)length | (first ? FirstOfBatch : 0);

    public static int Length(uint word) => (int)(word & ~FirstOfBatch);

    public static bool IsFirst(uint word) => (word & FirstOfBatch) != 0;

    public static uint ReadWord(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadUInt32LittleEndian(header);

    public static byte[] Chain(
        ReadOnlySpan<byte> id, long offset, ReadOnlySpan<byte> before, uint word, ReadOnlySpan<byte> payload)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[8];
        hash.AppendData(id);
        BinaryPrimitives.WriteInt64LittleEndian(number, offset);
        hash.AppendData(number);
        hash.AppendData(before);
        BinaryPrimitives.WriteUInt32LittleEndian(number, word);
        hash.AppendData(number[..4]);
        hash.AppendData(payload);
        return hash.GetHashAndReset();
    }

    public static void Write(Span<byte> target, uint word, ReadOnlySpan<byte> chain, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, word);
        chain.CopyTo(target[4..]);
        payload.CopyTo(target[RecordHeaderBytes..]);
    }
}
