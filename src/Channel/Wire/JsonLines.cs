using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Bailiwick.Channel.Wire;

/// <summary>A stream of JSON values, one a line, ended by a line feed each (NDJSON).</summary>
public static class JsonLines
{
    /// <summary>The lines of a stream as they come. A last line that is not ended is dropped.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="maxLineBytes">The longest line, in bytes.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="IOException">A line is too long, or the stream broke off.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> Read(
        Stream stream, int maxLineBytes, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(cancel);
                var buffer = result.Buffer;
                while (TakeLine(ref buffer) is { } line)
                {
                    yield return line;
                }

                if (buffer.Length > maxLineBytes)
                {
                    throw new IOException($"A line is longer than {maxLineBytes} bytes.");
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted)
                {
                    yield break;
                }
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    /// <summary>Writes one value and its line feed, and flushes.</summary>
    public static async Task Write<T>(Stream stream, T value, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(stream);
        await stream.WriteAsync((byte[])[.. StrictJson.Write(value), (byte)'\n'], cancel);
        await stream.FlushAsync(cancel);
    }

    private static ReadOnlyMemory<byte>? TakeLine(ref ReadOnlySequence<byte> buffer)
    {
        if (buffer.PositionOf((byte)'\n') is not { } end)
        {
            return null;
        }

        var line = buffer.Slice(0, end).ToArray();
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return line;
    }
}
