using System.Net.Sockets;

namespace Bailiwick.HostTests.Tpm;

/// <summary>Sits between a program and its TPM and keeps every byte of both directions.</summary>
public sealed class WireTap : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly MemoryStream _seen = new();
    private readonly Lock _gate = new();
    private readonly string _target;

    public WireTap(string path, string target)
    {
        _target = target;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(1);
        _ = Task.Run(Serve);
    }

    public bool Saw(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            return _seen.ToArray().AsSpan().IndexOf(bytes) >= 0;
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _seen.Dispose();
    }

    private async Task Serve()
    {
        using var program = await _listener.AcceptAsync();
        using var tpm = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await tpm.ConnectAsync(new UnixDomainSocketEndPoint(_target));
        await Task.WhenAny(Relay(program, tpm), Relay(tpm, program));
    }

    private async Task Relay(Socket from, Socket to)
    {
        var buffer = new byte[8192];
        for (int read; (read = await from.ReceiveAsync(buffer)) > 0;)
        {
            lock (_gate)
            {
                _seen.Write(buffer.AsSpan(0, read));
            }

            await to.SendAsync(buffer.AsMemory(0, read));
        }
    }
}
