using System.Buffers;

namespace Bailiwick.Channel.Wire;

/// <summary>Reads a stream into memory up to a limit.</summary>
internal static class BoundedBody
{
    private const int FirstBytes = 4096;
    private const int PartBytes = 64 * 1024;

    /// <summary>Most bytes that are held while a body of at most this many is read.</summary>
    public static long HeldBytes(int maxBytes) => maxBytes + FirstBytes + PartBytes;

    /// <summary>All bytes of the stream, or null if there are more than the limit.</summary>
    public static Task<ReadOnlyMemory<byte>?> Read(Stream stream, int maxBytes, CancellationToken cancel) =>
        Read(stream, maxBytes, _ => true, cancel);

    /// <summary>All bytes of the stream, or null if there are more than the limit or no room for them.</summary>
    /// <param name="stream">What is read.</param>
    /// <param name="maxBytes">The limit.</param>
    /// <param name="room">Asked before so many more bytes are held.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<ReadOnlyMemory<byte>?> Read(
        Stream stream, int maxBytes, Func<int, bool> room, CancellationToken cancel)
    {
        List<(byte[] Part, int Count)> parts = [];
        try
        {
            // What is claimed allocates nothing: parts are taken as bytes come, and none is copied as the body grows.
            for (int total = 0; ;)
            {
                byte[] part = ArrayPool<byte>.Shared.Rent(total == 0 ? FirstBytes : PartBytes);
                parts.Add((part, 0));
                if (!room(part.Length))
                {
                    return null;
                }

                int count = await stream.ReadAtLeastAsync(part, part.Length, throwOnEndOfStream: false, cancel);
                parts[^1] = (part, count);
                total += count;
                if (total > maxBytes)
                {
                    return null;
                }

                if (count < part.Length)
                {
                    return Join(parts, total);
                }
            }
        }
        finally
        {
            parts.ForEach(one => ArrayPool<byte>.Shared.Return(one.Part));
        }
    }

    private static ReadOnlyMemory<byte> Join(List<(byte[] Part, int Count)> parts, int total)
    {
        byte[] whole = GC.AllocateUninitializedArray<byte>(total);
        int at = 0;
        foreach ((byte[] part, int count) in parts)
        {
            part.AsSpan(0, count).CopyTo(whole.AsSpan(at));
            at += count;
        }

        return whole;
    }
}
