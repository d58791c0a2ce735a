using System.Net.Sockets;
using System.Text;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks.Starting;

/// <summary>
/// Waits for the line that a guest's probe writes by itself as soon as it is ready, on the socket of the second serial
/// line. It asks nothing, so the answer is late by nothing but the few milliseconds between two looks for the socket.
/// </summary>
internal static class BootWatch
{
    private const int LookMilliseconds = 5;
    private const int LineLimit = 4096;

    /// <summary>Completes when the machine is ready.</summary>
    /// <exception cref="LabException">It is not, within the limit.</exception>
    internal static async Task Ready(string socketPath, string machine, TimeSpan limit, CancellationToken cancel)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        bound.CancelAfter(limit);
        var seen = new StringBuilder();
        try
        {
            using var socket = await Connect(socketPath, bound.Token);
            var buffer = new byte[LineLimit];
            while (!seen.ToString().Contains($"\"ready\":\"{machine}\"", StringComparison.Ordinal))
            {
                var count = await socket.ReceiveAsync(buffer, bound.Token);
                if (count == 0 || seen.Length > LineLimit)
                {
                    throw new LabException($"{machine} ended or said too much: {seen}", socketPath, "read its console");
                }

                seen.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new LabException(
                $"{machine} is not ready within {limit.TotalSeconds:0} s; it said '{seen}'", socketPath,
                "read the logs of the Proxy and of libvirt in the lab's directory");
        }
    }

    private static async Task<Socket> Connect(string path, CancellationToken cancel)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                await Task.Delay(LookMilliseconds, cancel);
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                throw;
            }
        }
    }
}
