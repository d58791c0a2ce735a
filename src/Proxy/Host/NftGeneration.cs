using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host;

/// <summary>
/// Asks the kernel for the number of nftables' newest transaction (linux/netfilter/nf_tables.h, NFT_MSG_GETGEN): the
/// nft program has no command that tells it.
/// </summary>
internal static partial class NftGeneration
{
    private const int NetlinkFamily = 16;
    private const int RawCloseOnExec = 3 | 0x80000;
    private const int NetfilterProtocol = 12;
    private const int SocketLevel = 1;
    private const int ReceiveTimeout = 20;
    private const ushort GetGeneration = (10 << 8) | 16;
    private const ushort NewGeneration = (10 << 8) | 15;
    private const ushort Request = 1;
    private const ushort GenerationId = 1;
    private const int HeaderBytes = 20;
    private static readonly string[] Words = ["ask nftables' generation"];

    /// <summary>The number, in this process's network namespace.</summary>
    /// <exception cref="WorldException">The kernel does not answer, or not as it should.</exception>
    public static uint Read()
    {
        int socket = NewSocket(NetlinkFamily, RawCloseOnExec, NetfilterProtocol);
        if (socket < 0)
        {
            throw Failed("socket");
        }

        try
        {
            // One second, as struct timeval: the kernel answers within the call that asks.
            long[] limit = [1, 0];
            if (SetOption(socket, SocketLevel, ReceiveTimeout, limit, sizeof(long) * limit.Length) != 0)
            {
                throw Failed("setsockopt");
            }

            byte[] question = new byte[HeaderBytes];
            MemoryMarshal.Write(question, (uint)HeaderBytes);
            MemoryMarshal.Write(question.AsSpan(4), GetGeneration);
            MemoryMarshal.Write(question.AsSpan(6), Request);
            if (Send(socket, question, question.Length, 0) != question.Length)
            {
                throw Failed("send");
            }

            byte[] answer = new byte[4096];
            nint length = Receive(socket, answer, answer.Length, 0);
            return length < 0 ? throw Failed("recv") : Parse(answer.AsSpan(0, (int)length));
        }
        finally
        {
            _ = Close(socket);
        }
    }

    /// <summary>The attribute among those of the one message (netlink(7), alignment of 4).</summary>
    internal static uint Parse(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < HeaderBytes || MemoryMarshal.Read<ushort>(answer[4..]) != NewGeneration)
        {
            throw new WorldException(Words, -1, "the kernel's answer is not a generation");
        }

        for (var rest = answer[HeaderBytes..]; rest.Length >= 4;)
        {
            ushort length = MemoryMarshal.Read<ushort>(rest);
            if (length == 8 && rest.Length >= 8 && MemoryMarshal.Read<ushort>(rest[2..]) == GenerationId)
            {
                return BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
            }

            int step = Math.Max(4, (length + 3) & ~3);
            rest = step >= rest.Length ? [] : rest[step..];
        }

        throw new WorldException(Words, -1, "the kernel's answer has no generation");
    }

    private static WorldException Failed(string call) =>
        new(Words, -1, $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int NewSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int socket, int level, int name, long[] value, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int socket, byte[] bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int socket, byte[] bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int socket);
}
