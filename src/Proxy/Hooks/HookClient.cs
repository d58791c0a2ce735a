using System.Net.Sockets;
using System.Text;

namespace Bailiwick.Proxy.Hooks;

/// <summary>
/// The program libvirt runs as its <c>qemu</c> hook: it asks the Proxy and repeats its answer. Exit code 0 only on the
/// Proxy's yes; no socket, no answer in time, or an answer not understood is a no. What it writes to standard error
/// appears in the error of whoever tried to start the machine.
/// </summary>
public static class HookClient
{
    /// <summary>How long an answer may take, in seconds.</summary>
    public const int TimeoutSeconds = 20;

    private const string Usage =
        "usage: hook --socket SOCKET OPERATION PART MACHINE (the machine's XML on standard input)";

    /// <summary>Runs the hook.</summary>
    /// <param name="arguments">What follows the word <c>hook</c>.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="error">Standard error.</param>
    /// <returns>0 = yes, 1 = no.</returns>
    public static async Task<int> RunAsync(string[] arguments, Stream input, TextWriter error)
    {
        if (arguments is not ["--socket", string socket, string operation, string part, string machine])
        {
            await error.WriteLineAsync($"bailiwick: {Usage}").ConfigureAwait(false);
            return 1;
        }

        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(TimeoutSeconds));
        try
        {
            string xml = await ReadXmlAsync(input, limit.Token).ConfigureAwait(false);
            HookAnswer answer = await AskAsync(socket, new(operation, part, machine, xml), limit.Token)
                .ConfigureAwait(false);
            foreach (string reason in answer.Reasons)
            {
                await error.WriteLineAsync($"bailiwick: {reason}").ConfigureAwait(false);
            }

            return answer.Allowed ? 0 : 1;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync(
                $"bailiwick: the Proxy of this host did not answer within {TimeoutSeconds} s, so {machine} does not " +
                $"{operation}; look at the Proxy's log").ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or IOException or InvalidDataException)
        {
            await error.WriteLineAsync(
                $"bailiwick: the Proxy of this host cannot be asked at {socket} ({failure.Message}), so {machine} " +
                $"does not {operation}; start the Proxy").ConfigureAwait(false);
        }

        return 1;
    }

    /// <summary>Asks the Proxy over its socket.</summary>
    public static async Task<HookAnswer> AskAsync(string socketPath, HookRequest request, CancellationToken stop)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), stop).ConfigureAwait(false);
        await using NetworkStream stream = new(socket);
        await request.WriteAsync(stream, stop).ConfigureAwait(false);
        return await HookAnswer.ReadAsync(stream, stop).ConfigureAwait(false);
    }

    private static async Task<string> ReadXmlAsync(Stream input, CancellationToken stop)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[16 * 1024];
        int count;
        while ((count = await input.ReadAsync(buffer, stop).ConfigureAwait(false)) > 0)
        {
            if (all.Length + count > HookRequest.MaxTextBytes)
            {
                throw new InvalidDataException($"the machine's XML is longer than {HookRequest.MaxTextBytes} bytes");
            }

            all.Write(buffer, 0, count);
        }

        return Encoding.UTF8.GetString(all.GetBuffer(), 0, (int)all.Length);
    }
}
