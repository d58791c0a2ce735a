namespace Bailiwick.Domains.Volumes;

/// <summary>Reads bytes of a disk file.</summary>
/// <param name="offset">From which byte on.</param>
/// <param name="into">Where to; nothing else of it is believed than what the answer says was read.</param>
/// <returns>How many bytes were read: fewer than asked only where the file ends.</returns>
public delegate int ReadDiskRange(long offset, Span<byte> into);

/// <summary>
/// The bytes of a disk file, or the first of them, read piecewise where they lie: a disk is never in memory as a whole.
/// What the reader throws goes through.
/// </summary>
public sealed class DiskBytes
{
    /// <summary>A sector, in bytes.</summary>
    public const int SectorBytes = 512;

    private readonly ReadDiskRange _read;

    /// <summary>A file.</summary>
    /// <param name="length">Its length in bytes, at least 0.</param>
    /// <param name="read">Reads it.</param>
    public DiskBytes(long length, ReadDiskRange read)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentNullException.ThrowIfNull(read);
        Length = length;
        _read = read;
    }

    /// <summary>The length in bytes.</summary>
    public long Length { get; }

    /// <summary>As if the file ended after so many bytes; the whole of it if it is not that long.</summary>
    public DiskBytes First(long length) => new(Math.Min(length, Length), _read);

    /// <summary>Reads what lies in the file of a range that need not; the bytes read, from the first one on.</summary>
    internal ReadOnlySpan<byte> Read(long offset, Span<byte> into)
    {
        if (offset < 0 || offset >= Length)
        {
            return default;
        }

        int most = (int)Math.Min(into.Length, Length - offset), have = 0;
        while (have < most)
        {
            int count = _read(offset + have, into[have..most]);
            if (count <= 0 || count > most - have)
            {
                break;
            }

            have += count;
        }

        return into[..have];
    }
}
