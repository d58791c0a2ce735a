using System.Buffers.Binary;
using System.Security.Cryptography;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// The digest by which a volume's header is known again:
/// <c>SHA-256("bailiwick volume header v1" 00 || version || payload offset || all bytes before the payload)</c>, the
/// version as one byte, the offset in bytes as 64 bits, big-endian.
/// <para>
/// The bytes before the payload are all that decides how data is decrypted (cipher, mode, hash, key length, salts,
/// iterations, digest, both headers of LUKS2) and the key material of every slot, in use or not, with the gaps between
/// them. So a header that was exchanged, an older one that was put back, a key that was added and key material that was
/// swapped all give another digest; what a machine writes changes none of these bytes (<see cref="LuksReader"/> has
/// what QEMU writes). It says nothing of the data.
/// </para>
/// </summary>
public static class HeaderDigest
{
    private const int Chunk = 64 * 1024;

    /// <summary>The digest of the header that was accepted, read from its file.</summary>
    /// <returns>The digest; null when the file has become shorter than its header says.</returns>
    public static Digest32? Of(DiskBytes file, LuksHeader accepted)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(accepted);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(accepted.Payload.Offset, (ulong)DiskLimits.LuksPayloadOffset);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("bailiwick volume header v1\0"u8);
        Span<byte> facts = stackalloc byte[9];
        facts[0] = (byte)accepted.Version;
        BinaryPrimitives.WriteUInt64BigEndian(facts[1..], accepted.Payload.Offset);
        hash.AppendData(facts);
        byte[] chunk = new byte[Chunk];
        for (long at = 0; at < (long)accepted.Payload.Offset; at += Chunk)
        {
            int count = (int)Math.Min(Chunk, (long)accepted.Payload.Offset - at);
            ReadOnlySpan<byte> read = file.Read(at, chunk.AsSpan(0, count));
            if (read.Length != count)
            {
                return null;
            }

            hash.AppendData(read);
        }

        return Digest32.FromBytes(hash.GetHashAndReset());
    }
}
