using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Bailiwick.Tests.Fakes;

/// <summary>
/// What qemu-nbd does for the Proxy: one connection on a socket, one export, reads and writes. It ends with its
/// connection, and waits before each answer while the test holds it.
/// </summary>
internal sealed class FakeNbdServer
{
    private const int HeaderBytes = 28;

    /// <summary>What a volume holds.</summary>
    public byte[] Content { get; set; } = [];

    /// <summary>What volumes hold where they are not all alike, by their files.</summary>
    public ConcurrentDictionary<string, byte[]> Contents { get; } = new(StringComparer.Ordinal);

    /// <summary>Closed, it answers nothing.</summary>
    public ManualResetEventSlim Gate { get; } = new(true);

    /// <summary>How often a volume was opened.</summary>
    public int Opened { get; private set; }

    /// <summary>How often somebody connected.</summary>
    public int Accepted { get; private set; }

    /// <summary>How many bytes were written.</summary>
    public long Written { get; private set; }

    /// <summary>Called before a volume is opened; told whether for reading only.</summary>
    public Action<bool> Opening { get; set; } = _ => { };

    /// <summary>How many are open now.</summary>
    public int Open => Volatile.Read(ref _open);

    private int _open;

    /// <summary>Serves one connection, to its end.</summary>
    public void Serve(string path, bool readOnly, string file)
    {
        Opening(readOnly);
        Opened++;
        Interlocked.Increment(ref _open);
        try
        {
            using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            using Socket peer = listener.Accept();
            Accepted++;
            using NetworkStream stream = new(peer);
            Serve(stream, readOnly, Contents.GetValueOrDefault(file, Content));
        }
        catch (IOException)
        {
            // Who asked has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private void Serve(NetworkStream stream, bool readOnly, byte[] content)
    {
        stream.Write([.. "NBDMAGICIHAVEOPT"u8, 0, 3]);
        stream.ReadExactly(new byte[20]);
        byte[] offered = new byte[10];
        BinaryPrimitives.WriteInt64BigEndian(offered, content.Length);
        offered[9] = (byte)(readOnly ? 7 : 5);
        stream.Write(offered);
        byte[] request = new byte[HeaderBytes];
        while (true)
        {
            stream.ReadExactly(request);
            int command = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(6));
            if (command is not (0 or 1 or 3))
            {
                return;
            }

            int offset = (int)BinaryPrimitives.ReadInt64BigEndian(request.AsSpan(16));
            int length = BinaryPrimitives.ReadInt32BigEndian(request.AsSpan(24));
            byte[] sent = new byte[command == 1 ? length : 0];
            stream.ReadExactly(sent);
            while (!Gate.Wait(50))
            {
                if (stream.Socket.Poll(0, SelectMode.SelectRead) && stream.Socket.Available == 0)
                {
                    return;
                }
            }

            sent.CopyTo(content, offset);
            Written += sent.Length;
            stream.Write([0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0, .. request.AsSpan(8, 8)]);
            if (command == 0)
            {
                stream.Write(content.AsSpan(offset, length));
            }
        }
    }
}
