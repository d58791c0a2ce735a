using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Rendering;

/// <summary>Sends and receives whole frames at an interface of a namespace (packet(7)).</summary>
internal sealed partial class FramePort : IDisposable
{
    private const int Packet = 17;
    private const int Raw = 3;
    private const ushort AllProtocols = 0x0300;
    private const int DontWait = 0x40;
    private const int SocketLevel = 1;
    private const int ReceiveRoomForced = 33;
    private const int PacketLevel = 263;
    private const int Statistics = 6;

    /// <summary>Of memory of the kernel's, for what passes between two looks.</summary>
    private const int ReceiveBytes = 64 << 20;

    private const int MostFrames = 200_000;

    private readonly int _socket;
    private readonly List<byte[]> _frames = [];

    private FramePort(int socket) => _socket = socket;

    public static FramePort Open(NetSpace space, string device) => space.Inside(() =>
    {
        var made = socket(Packet, Raw, AllProtocols);
        _ = setsockopt(made, SocketLevel, ReceiveRoomForced, BitConverter.GetBytes(ReceiveBytes), sizeof(int));
        var index = (int)if_nametoindex(device);
        byte[] address = new byte[20];
        MemoryMarshal.Write(address, (ushort)Packet);
        MemoryMarshal.Write(address.AsSpan(2), AllProtocols);
        MemoryMarshal.Write(address.AsSpan(4), index);
        return made >= 0 && index > 0 && bind(made, address, address.Length) == 0
            ? new FramePort(made)
            : throw new Win32Exception(Marshal.GetLastPInvokeError(), device);
    });

    public void Send(byte[] frame)
    {
        if (send(_socket, frame, frame.Length, 0) != frame.Length)
        {
            throw new SocketException(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>
    /// True as soon as a frame with these bytes has passed since the port was opened or cleared; false after the time.
    /// Frames that passed while something else was waited for count too.
    /// </summary>
    public bool Sees(ReadOnlySpan<byte> canary, int milliseconds)
    {
        var clock = Stopwatch.StartNew();
        var searched = 0;
        while (true)
        {
            Collect();
            for (; searched < _frames.Count; searched++)
            {
                if (_frames[searched].AsSpan().IndexOf(canary) >= 0)
                {
                    return true;
                }
            }

            if (clock.ElapsedMilliseconds >= milliseconds)
            {
                return false;
            }

            Thread.Sleep(2);
        }
    }

    /// <summary>All frames that have passed since the port was opened or cleared.</summary>
    /// <exception cref="InvalidOperationException">Some were lost: what was not seen proves nothing.</exception>
    public IReadOnlyList<byte[]> All()
    {
        Collect();
        byte[] counts = new byte[8];
        var length = counts.Length;
        return getsockopt(_socket, PacketLevel, Statistics, counts, ref length) == 0
            && BitConverter.ToUInt32(counts, 4) == 0 && _frames.Count < MostFrames
            ? _frames
            : throw new InvalidOperationException("The capture has lost frames.");
    }

    /// <summary>All frames that have passed since then; they are forgotten.</summary>
    /// <exception cref="InvalidOperationException">Some were lost: what was not seen proves nothing.</exception>
    public IReadOnlyList<byte[]> Take()
    {
        byte[][] all = [.. All()];
        _frames.Clear();
        return all;
    }

    /// <summary>Forgets what has passed so far.</summary>
    public void Clear()
    {
        Collect();
        _frames.Clear();
    }

    private void Collect()
    {
        byte[] frame = new byte[65536];
        for (var length = recv(_socket, frame, frame.Length, DontWait);
            length > 0 && _frames.Count < MostFrames;
            length = recv(_socket, frame, frame.Length, DontWait))
        {
            _frames.Add(frame[..(int)length]);
        }
    }

    public void Dispose() => _ = close(_socket);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int socket, byte[] address, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int socket, int level, int name, byte[] value, int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int socket, int level, int name, byte[] value, ref int length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int socket, byte[] data, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int socket, byte[] data, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int socket);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint if_nametoindex(string name);
}
