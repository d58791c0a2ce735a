using System.Buffers.Binary;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// Reads what an NBD server offers under the empty name, one request after the other. Only what that needs is spoken:
/// fixed newstyle negotiation with <c>NBD_OPT_EXPORT_NAME</c> and simple replies (NetworkBlockDevice/nbd, proto.md).
/// The server is a program of ours on a private socket, but what it reads came from the pool: nothing that it claims
/// sizes a buffer.
/// </summary>
/// <param name="stream">The connection; the caller closes it.</param>
public sealed class NbdExport(Stream stream)
{
    /// <summary>The most bytes that are asked for at once; every server must serve so many.</summary>
    public const int MostBytes = 1 << 20;

    private const ulong ServerMagic = 0x4e42444d41474943;
    private const ulong OptionMagic = 0x49484156454f5054;
    private const uint RequestMagic = 0x25609513;
    private const uint ReplyMagic = 0x67446698;
    private const ushort FixedNewstyle = 1;
    private const ushort NoZeroes = 2;
    private const uint ExportName = 1;
    private const ushort ReadCommand = 0;
    private const ushort WriteCommand = 1;
    private const ushort FlushCommand = 3;
    private const ushort ReadOnlyFlag = 2;
    private const ushort FlushFlag = 4;
    private const ushort DisconnectCommand = 2;
    private const int RequestBytes = 28;
    private const int ReplyBytes = 16;
    private readonly byte[] _header = new byte[RequestBytes];
    private ulong _cookie;

    /// <summary>The size that the server claims, in bytes; known after <see cref="OpenAsync"/>.</summary>
    public long Size { get; private set; }

    /// <summary>
    /// Whether the server takes writes, and makes them durable when asked; known after <see cref="OpenAsync"/>.
    /// </summary>
    public bool IsWritable { get; private set; }

    /// <summary>Negotiates.</summary>
    /// <exception cref="InvalidDataException">The server speaks otherwise.</exception>
    /// <exception cref="IOException">The connection ended, as it does when there is no such export.</exception>
    public async Task OpenAsync(CancellationToken stop)
    {
        Memory<byte> greeting = _header.AsMemory(0, 18);
        await stream.ReadExactlyAsync(greeting, stop).ConfigureAwait(false);
        Demand(BinaryPrimitives.ReadUInt64BigEndian(greeting.Span) == ServerMagic, "it is no NBD server");
        Demand(BinaryPrimitives.ReadUInt64BigEndian(greeting.Span[8..]) == OptionMagic, "it does not negotiate");
        const ushort both = FixedNewstyle | NoZeroes;
        Demand((BinaryPrimitives.ReadUInt16BigEndian(greeting.Span[16..]) & both) == both, "it negotiates otherwise");

        Memory<byte> choice = _header.AsMemory(0, 20);
        BinaryPrimitives.WriteUInt32BigEndian(choice.Span, both);
        BinaryPrimitives.WriteUInt64BigEndian(choice.Span[4..], OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(choice.Span[12..], ExportName);
        BinaryPrimitives.WriteUInt32BigEndian(choice.Span[16..], 0);
        await stream.WriteAsync(choice, stop).ConfigureAwait(false);

        Memory<byte> offered = _header.AsMemory(0, 10);
        await stream.ReadExactlyAsync(offered, stop).ConfigureAwait(false);
        ulong size = BinaryPrimitives.ReadUInt64BigEndian(offered.Span);
        Demand(size <= long.MaxValue, "its size is no size");
        Size = (long)size;
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(offered.Span[8..]);
        IsWritable = (flags & (ReadOnlyFlag | FlushFlag)) == FlushFlag;
    }

    /// <summary>Fills a buffer of at most <see cref="MostBytes"/> from an offset within the export.</summary>
    /// <exception cref="InvalidDataException">The server answered another request, or that it cannot read.</exception>
    /// <exception cref="IOException">The connection ended.</exception>
    public async Task ReadAsync(long offset, Memory<byte> into, CancellationToken stop)
    {
        Within(offset, into.Length);
        await SendAsync(ReadCommand, offset, into.Length, stop).ConfigureAwait(false);
        await AnsweredAsync($"read at {offset}", stop).ConfigureAwait(false);
        await stream.ReadExactlyAsync(into, stop).ConfigureAwait(false);
    }

    /// <summary>Writes at most <see cref="MostBytes"/> at an offset within the export; not yet durable.</summary>
    /// <exception cref="InvalidDataException">The server answered another request, or that it cannot write.</exception>
    /// <exception cref="IOException">The connection ended.</exception>
    public async Task WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        Within(offset, bytes.Length);
        Demand(IsWritable, "it takes no writes");
        await SendAsync(WriteCommand, offset, bytes.Length, stop).ConfigureAwait(false);
        await stream.WriteAsync(bytes, stop).ConfigureAwait(false);
        await AnsweredAsync($"write at {offset}", stop).ConfigureAwait(false);
    }

    /// <summary>Makes durable what was written.</summary>
    /// <exception cref="InvalidDataException">The server answered another request, or that it cannot.</exception>
    /// <exception cref="IOException">The connection ended.</exception>
    public async Task FlushAsync(CancellationToken stop)
    {
        Demand(IsWritable, "it takes no writes");
        await SendAsync(FlushCommand, 0, 0, stop).ConfigureAwait(false);
        await AnsweredAsync("make its writes durable", stop).ConfigureAwait(false);
    }

    /// <summary>Says goodbye; a server for one connection ends then.</summary>
    /// <exception cref="IOException">The connection ended already.</exception>
    public Task CloseAsync(CancellationToken stop) => SendAsync(DisconnectCommand, 0, 0, stop);

    private void Within(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MostBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Size - length);
    }

    private async Task AnsweredAsync(string what, CancellationToken stop)
    {
        Memory<byte> reply = _header.AsMemory(0, ReplyBytes);
        await stream.ReadExactlyAsync(reply, stop).ConfigureAwait(false);
        Demand(BinaryPrimitives.ReadUInt32BigEndian(reply.Span) == ReplyMagic, "its reply is none");
        uint error = BinaryPrimitives.ReadUInt32BigEndian(reply.Span[4..]);
        Demand(error == 0, $"it cannot {what}: error {error}");
        Demand(BinaryPrimitives.ReadUInt64BigEndian(reply.Span[8..]) == _cookie, "it answers another request");
    }

    private async Task SendAsync(ushort command, long offset, int length, CancellationToken stop)
    {
        _cookie++;
        Memory<byte> request = _header.AsMemory(0, RequestBytes);
        BinaryPrimitives.WriteUInt32BigEndian(request.Span, RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(request.Span[4..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(request.Span[6..], command);
        BinaryPrimitives.WriteUInt64BigEndian(request.Span[8..], _cookie);
        BinaryPrimitives.WriteInt64BigEndian(request.Span[16..], offset);
        BinaryPrimitives.WriteInt32BigEndian(request.Span[24..], length);
        await stream.WriteAsync(request, stop).ConfigureAwait(false);
    }

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidDataException($"The NBD server cannot be used: {otherwise}.");
        }
    }
}
