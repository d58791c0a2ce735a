using System.Buffers.Binary;
using System.Text;

namespace Bailiwick.Proxy.Hooks;

/// <summary>
/// What libvirt's <c>qemu</c> hook tells (libvirt.org/hooks.html): the operation, its part, the machine's name and, for
/// most operations, the machine's XML. On the socket: four texts, each a big-endian length of four bytes and UTF-8.
/// </summary>
/// <param name="Operation"><c>prepare</c>, <c>start</c>, <c>started</c>, <c>stopped</c>, <c>release</c>...</param>
/// <param name="Part"><c>begin</c>, <c>end</c> or <c>-</c>.</param>
/// <param name="Machine">libvirt's name of the machine.</param>
/// <param name="Xml">The machine's description; empty when libvirt gives none.</param>
public sealed record HookRequest(string Operation, string Part, string Machine, string Xml)
{
    /// <summary>The longest single text, in bytes: far above any machine description of a plan.</summary>
    public const int MaxTextBytes = 1 << 20;

    /// <summary>Writes the request to a stream.</summary>
    public async Task WriteAsync(Stream stream, CancellationToken stop)
    {
        foreach (string text in new[] { Operation, Part, Machine, Xml })
        {
            await WriteTextAsync(stream, text, stop).ConfigureAwait(false);
        }

        await stream.FlushAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Reads one request.</summary>
    /// <exception cref="InvalidDataException">A length is beyond <see cref="MaxTextBytes"/>, or not UTF-8.</exception>
    /// <exception cref="EndOfStreamException">The stream ended early.</exception>
    public static async Task<HookRequest> ReadAsync(Stream stream, CancellationToken stop)
    {
        string operation = await ReadTextAsync(stream, stop).ConfigureAwait(false);
        string part = await ReadTextAsync(stream, stop).ConfigureAwait(false);
        string machine = await ReadTextAsync(stream, stop).ConfigureAwait(false);
        string xml = await ReadTextAsync(stream, stop).ConfigureAwait(false);
        return new HookRequest(operation, part, machine, xml);
    }

    internal static async Task WriteTextAsync(Stream stream, string text, CancellationToken stop)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        await stream.WriteAsync(length, stop).ConfigureAwait(false);
        await stream.WriteAsync(bytes, stop).ConfigureAwait(false);
    }

    internal static async Task<string> ReadTextAsync(Stream stream, CancellationToken stop)
    {
        byte[] length = new byte[4];
        await stream.ReadExactlyAsync(length, stop).ConfigureAwait(false);
        int count = BinaryPrimitives.ReadInt32BigEndian(length);
        if (count is < 0 or > MaxTextBytes)
        {
            throw new InvalidDataException($"A text of {count} bytes was announced; at most {MaxTextBytes} are read.");
        }

        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, stop).ConfigureAwait(false);
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException("A text of the hook is not UTF-8.", error);
        }
    }
}
