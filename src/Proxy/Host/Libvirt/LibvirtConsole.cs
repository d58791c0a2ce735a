using System.IO.Pipelines;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>
/// A machine's console as a stream. libvirt's stream blocks, so a thread of its own receives into a bounded pipe;
/// sending blocks the caller. It ends when the machine ends or another user takes the console over.
/// </summary>
internal sealed class LibvirtConsole : Stream
{
    private const int BufferBytes = 16 * 1024;
    private static readonly TimeSpan EndGrace = TimeSpan.FromSeconds(5);
    private readonly StreamHandle _stream;
    private readonly string _machine;
    private readonly Pipe _pipe = new();
    private readonly Stream _received;
    private readonly Thread _receiver;
    private int _ended;

    public LibvirtConsole(StreamHandle stream, string machine)
    {
        _stream = stream;
        _machine = machine;
        _received = _pipe.Reader.AsStream();
        _receiver = new Thread(Receive) { IsBackground = true, Name = $"console of {machine}" };
        _receiver.Start();
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => _received.Read(buffer, offset, count);

    public override int Read(Span<byte> buffer) => _received.Read(buffer);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        _received.ReadAsync(buffer, offset, count, cancellationToken);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _received.ReadAsync(buffer, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _ended) != 0, this);
        while (!buffer.IsEmpty)
        {
            int sent = NativeLibvirt.virStreamSend(_stream, buffer, (nuint)buffer.Length);
            if (sent <= 0)
            {
                throw new IOException(
                    "the console takes no input", LibvirtException.Last("virStreamSend", _machine));
            }

            buffer = buffer[sent..];
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _ended, 1) == 0)
        {
            // Frees a receiver that waits for a slow reader, then the one that waits for the machine.
            _pipe.Reader.CancelPendingRead();
            _received.Dispose();
            _ = NativeLibvirt.virStreamAbort(_stream);
            NativeLibvirt.virResetLastError();
            _receiver.Join(EndGrace);
            _stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Receive()
    {
        byte[] buffer = new byte[BufferBytes];
        Exception? failed = null;
        try
        {
            while (Volatile.Read(ref _ended) == 0)
            {
                int count = NativeLibvirt.virStreamRecv(_stream, buffer, (nuint)buffer.Length);
                if (count < 0 && Volatile.Read(ref _ended) == 0)
                {
                    failed = new IOException(
                        "the console ended", LibvirtException.Last("virStreamRecv", _machine));
                }

                if (count <= 0 || _pipe.Writer.WriteAsync(buffer.AsMemory(0, count)).AsTask().Result.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed by us between two receives.
        }

        _pipe.Writer.Complete(failed);
    }
}
