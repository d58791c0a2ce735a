using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Tpm.Transport;

/// <summary>
/// One command out, one response back, over the kernel's device or swtpm's socket, each wait bounded: tpm2-tss's own
/// transports wait for ever when the TPM does not answer. After a failure nothing more is sent, because the next
/// response could be the answer to an older command.
/// </summary>
internal sealed partial class TpmTransport : IDisposable
{
    private const int HeaderBytes = 10;
    private const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;

    // The kernel then carries a command out beside us: write(2) returns at once, and poll(2) tells the end.
    private const int DoNotBlock = 0x800;
    private const short PollIn = 1;
    private const short PollOut = 4;
    private const int Interrupted = 4;
    private const int NotYet = 11;

    private readonly TpmAddress _address;
    private readonly SafeHandle _file;
    private readonly Socket? _socket;
    private TpmException? _failure;

    private TpmTransport(TpmAddress address, SafeHandle file, Socket? socket)
    {
        _address = address;
        _file = file;
        _socket = socket;
    }

    /// <summary>Why nothing more can be sent, or null.</summary>
    public TpmException? Failure => _failure;

    /// <exception cref="TpmException">Absent, denied or busy.</exception>
    public static TpmTransport Open(TpmAddress address) => address switch
    {
        TpmAddress.DeviceAddress => OpenDevice(address),
        TpmAddress.SwtpmAddress => OpenSocket(address),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Sends a command. A device takes it in one write (tpm(4)); so does a socket that is empty.</summary>
    public void Send(ReadOnlySpan<byte> command, string operation, TimeSpan limit)
    {
        ThrowIfFailed(operation);
        Await(PollOut, operation, Environment.TickCount64 + (long)limit.TotalMilliseconds);
        var written = Write(_file, command, (nuint)command.Length);
        if (written != command.Length)
        {
            throw Fail(AccessFault.Lost, operation, written < 0 ? Errno() : "the command was taken only in part");
        }
    }

    /// <summary>Receives the response to the command just sent; how many bytes of the buffer it fills.</summary>
    public int Receive(Span<byte> response, string operation, TimeSpan limit)
    {
        ThrowIfFailed(operation);
        var end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        var have = 0;
        while (have < HeaderBytes || have < Announced(response))
        {
            Await(PollIn, operation, end);
            var read = Read(_file, response[have..], (nuint)(response.Length - have));
            if (read < 0 && Marshal.GetLastPInvokeError() is Interrupted or NotYet)
            {
                continue;
            }

            if (read <= 0)
            {
                throw Fail(AccessFault.Lost, operation, read < 0 ? Errno() : "the other side ended");
            }

            have += (int)read;
            if (have >= HeaderBytes && (Announced(response) > response.Length || Announced(response) < have))
            {
                throw Fail(AccessFault.Lost, operation, $"a response of {Announced(response)} bytes where {have} came");
            }
        }

        return have;
    }

    /// <exception cref="TpmException">A command failed before in a way that ended the connection.</exception>
    public void ThrowIfFailed(string operation)
    {
        if (_failure is not null)
        {
            throw new TpmException(
                _failure.Fault, $"{operation}, {_address}", $"the connection ended before ({_failure.Cause})");
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _socket?.Dispose();
    }

    private static TpmTransport OpenDevice(TpmAddress address)
    {
        var file = Open(address.Path, ReadWrite | CloseOnExec | DoNotBlock);
        if (!file.IsInvalid)
        {
            return new TpmTransport(address, file, null);
        }

        var errno = Marshal.GetLastPInvokeError();
        file.Dispose();
        var fault = errno switch
        {
            1 or 13 => AccessFault.Denied,
            16 => AccessFault.Busy,
            _ => AccessFault.Absent,
        };
        throw new TpmException(fault, $"open {address}", Marshal.GetPInvokeErrorMessage(errno));
    }

    private static TpmTransport OpenSocket(TpmAddress address)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // A full queue of a unix socket would let connect(2) wait; SO_SNDTIMEO bounds that as well.
            socket.SendTimeout = (int)AccessLimits.OpeningTime.TotalMilliseconds;
            socket.Connect(new UnixDomainSocketEndPoint(address.Path));
            return new TpmTransport(address, socket.SafeHandle, socket);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            var fault = failure.SocketErrorCode switch
            {
                SocketError.AccessDenied => AccessFault.Denied,
                SocketError.TimedOut or SocketError.WouldBlock => AccessFault.Busy,
                _ => AccessFault.Absent,
            };
            throw new TpmException(fault, $"connect to {address}", failure.Message);
        }
    }

    private static int Announced(ReadOnlySpan<byte> response) =>
        (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(response[2..]), int.MaxValue);

    private static string Errno() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());

    private void Await(short wanted, string operation, long end)
    {
        while (true)
        {
            var left = Math.Max(0, end - Environment.TickCount64);
            var one = new PollEntry { File = (int)_file.DangerousGetHandle(), Wanted = wanted };
            var ready = Poll(ref one, 1, (int)Math.Min(left, int.MaxValue));
            if (ready > 0)
            {
                return;
            }

            if (ready < 0 && Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw Fail(AccessFault.Lost, operation, Errno());
            }

            if (left == 0)
            {
                throw Fail(AccessFault.Silent, operation, "no answer in time");
            }
        }
    }

    private TpmException Fail(AccessFault fault, string operation, string cause) =>
        _failure = new TpmException(fault, $"{operation}, {_address}", cause);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeHandle file, Span<byte> buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(SafeHandle file, ReadOnlySpan<byte> buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollEntry entries, nuint count, int milliseconds);

    /// <summary>struct pollfd, poll(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int File;
        public short Wanted;
        public short Got;
    }
}
