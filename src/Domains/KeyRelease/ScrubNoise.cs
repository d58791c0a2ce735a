using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What is written over erased bytes, and where it is read back: AES-128 in counter mode under a key that the order's
/// seed gives, so that a run which was interrupted goes on with the same bytes, and no storage can leave them out as
/// zeros or as something it has already. The seed hides nothing; the bytes beneath were noise before.
/// </summary>
public sealed class ScrubNoise : IDisposable
{
    /// <summary>The size of a block that is read back, in bytes.</summary>
    public const int BlockBytes = 4096;

    /// <summary>The most places that are read back of one file.</summary>
    public const int Places = 64;

    private const int CipherBytes = 16;
    private readonly Digest32 _seed;
    private readonly Aes _aes = Aes.Create();

    /// <summary>The noise of a seed.</summary>
    public ScrubNoise(Digest32 seed)
    {
        ArgumentNullException.ThrowIfNull(seed);
        _seed = seed;
        _aes.Key = Derived("noise", 0)[..CipherBytes];
    }

    /// <summary>Fills with the noise that belongs at an offset.</summary>
    /// <param name="offset">In bytes, a multiple of 16.</param>
    /// <param name="into">Any length.</param>
    public void Fill(long offset, Span<byte> into)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(offset % CipherBytes, 0);
        byte[] counters = new byte[(into.Length + CipherBytes - 1) / CipherBytes * CipherBytes];
        for (int i = 0; i < counters.Length; i += CipherBytes)
        {
            BinaryPrimitives.WriteInt64BigEndian(counters.AsSpan(i + 8), (offset + i) / CipherBytes);
        }

        _aes.EncryptEcb(counters, counters, PaddingMode.None);
        counters.AsSpan(0, into.Length).CopyTo(into);
    }

    /// <summary>Where a file of this length is read back: offsets of whole blocks, the first and the last among them.
    /// </summary>
    public ImmutableArray<long> Sample(long length)
    {
        long blocks = length / BlockBytes;
        if (blocks == 0)
        {
            return [];
        }

        SortedSet<long> places = [0, blocks - 1];
        for (int i = 0; i < Places - 2; i++)
        {
            places.Add((long)(BinaryPrimitives.ReadUInt64BigEndian(Derived("sample", i)) % (ulong)blocks));
        }

        return [.. places.Select(place => place * BlockBytes)];
    }

    /// <inheritdoc/>
    public void Dispose() => _aes.Dispose();

    private byte[] Derived(string label, int index)
    {
        byte[] input = [.. Encoding.ASCII.GetBytes($"bailiwick scrub {label} v1\0"), .. _seed.Bytes, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(^4..), index);
        return SHA256.HashData(input);
    }
}
