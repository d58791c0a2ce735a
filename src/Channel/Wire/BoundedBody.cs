using System.Buffers;

namespace Bailiwick.Channel.Wire;

/// <summary>Reads a stream into memory up to a limit.</summary>
internal static class BoundedBody
{
    private const int FirstBytes = 4096;

    /// <summary>All bytes of the stream, or null if there are more than the limit.</summary>
    public static async Task<ReadOnlyMemory<byte>?> Read(Stream stream, int maxBytes, CancellationToken cancel)
    {
        var body = new ArrayBufferWriter<byte>(FirstBytes);
        while (true)
        {
            // What is claimed allocates nothing; the buffer grows with what came.
            var count = await stream.ReadAsync(body.GetMemory(FirstBytes), cancel);
            if (count == 0)
            {
                return body.WrittenMemory;
            }

            body.Advance(count);
            if (body.WrittenCount > maxBytes)
            {
                return null;
            }
        }
    }
}
