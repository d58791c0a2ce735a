using System.Security.Cryptography;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// The two headers of LUKS2 (On-Disk Format 1.1.3, section 2): 4096 bytes and then the metadata as JSON, with a
/// checksum over both, and the whole once more behind it. Whoever opens a volume takes the newer one that is whole;
/// here both must be, and say the same.
/// </summary>
internal static class Luks2
{
    private const ulong LeastBytes = 16 * 1024;
    private const int BinaryBytes = 4096, ChecksumAt = 448, ChecksumField = 64;

    /// <summary>The parts of the binary header that both copies have alike.</summary>
    private static readonly Range[] Alike = [6..72, 72..104, 168..256];

    /// <summary>The parts in which there is nothing.</summary>
    private static readonly Range[] Empty = [264..448, (ChecksumAt + SHA256.HashSizeInBytes)..BinaryBytes];

    public static LuksHeader? Read(DiskReads file, LuksRefusals against)
    {
        ReadOnlySpan<byte> head = file.Head;
        ulong size = head.Big64(8);
        if (size is not (LeastBytes or 2 * LeastBytes or 4 * LeastBytes))
        {
            against.Add(LuksRefusalCode.HeaderSize, $"Its header is said to have {size} bytes.");
            return null;
        }

        byte[] first = file.At(0, (int)size), second = file.At(size, (int)size);
        if (first.Length < (int)size || second.Length < (int)size)
        {
            against.Add(LuksRefusalCode.Truncated, $"The file ends before two headers of {size} bytes do.");
            return null;
        }

        Check(first, 0, "first", against);
        if (second is not [(byte)'S', (byte)'K', (byte)'U', (byte)'L', 0xba, 0xbe, 0, 2, ..])
        {
            against.Add(LuksRefusalCode.CopiesDiffer, "The second header is not there.");
        }
        else
        {
            Check(second, size, "second", against);
            against.Unless(
                Array.TrueForAll(Alike, part => first.AsSpan(part).SequenceEqual(second.AsSpan(part)))
                    && first.AsSpan(BinaryBytes).SequenceEqual(second.AsSpan(BinaryBytes)),
                LuksRefusalCode.CopiesDiffer, "Its two headers do not say the same.");
        }

        against.Field(head[24..72], "label");
        against.Field(head[208..256], "subsystem");
        return Luks2Metadata.Read(first.AsMemory(BinaryBytes), against.Field(head[168..208], "UUID"), size, against);
    }

    private static void Check(byte[] header, ulong at, string which, LuksRefusals against)
    {
        ReadOnlySpan<byte> all = header;
        against.Unless(
            all.Big64(256) == at, LuksRefusalCode.HeaderSize,
            $"The {which} header says that it is at {all.Big64(256)}.");
        against.Unless(
            all[72..104].TrimEnd((byte)0).SequenceEqual("sha256"u8), LuksRefusalCode.Checksum,
            $"The checksum of the {which} header is not SHA-256.");
        foreach (Range part in Empty)
        {
            against.Unless(
                !all[part].ContainsAnyExcept((byte)0), LuksRefusalCode.Metadata,
                $"There is something in the {which} header where nothing is.");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(all[..ChecksumAt]);
        hash.AppendData(new byte[ChecksumField]);
        hash.AppendData(all[(ChecksumAt + ChecksumField)..]);
        against.Unless(
            hash.GetHashAndReset().AsSpan().SequenceEqual(all.Slice(ChecksumAt, SHA256.HashSizeInBytes)),
            LuksRefusalCode.Checksum, $"The checksum of the {which} header is wrong.");
    }
}
