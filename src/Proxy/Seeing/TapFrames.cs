using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Seeing;

/// <summary>The frames of one port.</summary>
public interface IFrames : IDisposable
{
    /// <summary>The next frame, cut to the buffer.</summary>
    /// <exception cref="IOException">The port is gone.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop);
}

/// <summary>
/// Reads the frames of one interface of this host, both ways (packet(7)). The socket hears nothing until it is bound to
/// that interface, so that no other port's frame is ever in it; what it does not read in time the kernel drops.
/// </summary>
public sealed partial class TapFrames : IFrames
{
    private const int Packet = 17;
    private const int Raw = 3;
    private const int CloseOnExec = 0x80000;
    private const ushort AllProtocols = 0x0300;
    private const int AddressBytes = 20;
    private const int ReceiveBuffer = 1 << 20;
    private readonly Socket _socket;

    private TapFrames(Socket socket) => _socket = socket;

    /// <summary>Opens an interface.</summary>
    /// <exception cref="WorldException">There is none of that name, or the kernel refused.</exception>
    public static TapFrames Open(string device)
    {
        // Protocol 0: nothing is received before the bind names both protocol and interface.
        int descriptor = socket(Packet, Raw | CloseOnExec, 0);
        if (descriptor < 0)
        {
            throw Refused(device);
        }

        Socket made = new(new SafeSocketHandle(descriptor, ownsHandle: true));
        int index = (int)if_nametoindex(device);
        byte[] address = new byte[AddressBytes];
        MemoryMarshal.Write(address, (ushort)Packet);
        MemoryMarshal.Write(address.AsSpan(2), AllProtocols);
        MemoryMarshal.Write(address.AsSpan(4), index);
        if (index <= 0 || bind(descriptor, address, address.Length) != 0)
        {
            WorldException error = Refused(device);
            made.Dispose();
            throw error;
        }

        made.ReceiveBufferSize = ReceiveBuffer;
        return new TapFrames(made);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, SocketFlags.None, stop).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            throw new IOException($"the port is gone: {error.Message}", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static WorldException Refused(string device) => new(
        ["listen at", device], -1, new Win32Exception(Marshal.GetLastPInvokeError()).Message);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int socket, byte[] address, int length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint if_nametoindex(string name);
}
