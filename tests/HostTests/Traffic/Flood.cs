using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bailiwick.HostTests.Rendering;

namespace Bailiwick.HostTests.Traffic;

/// <summary>One connection that sends as fast as it can, and what of it arrived.</summary>
internal sealed class Flood : IDisposable
{
    private const int Port = 5999;
    private const int Attempts = 6;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(0.7);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
    private readonly Socket _listener;
    private readonly Socket _sender;
    private readonly Socket _receiver;
    private readonly Task _sending;
    private readonly Task _receiving;
    private long _received;

    public Flood(TwoHosts hosts, string from, string to, string address)
    {
        _listener = hosts.Listen(to, Port);
        _sender = hosts.Space(from).Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, 0));
        Assert.True(_sender.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), Port)).Wait(3000), "no connection");
        _receiver = _listener.Accept();
        _sending = Task.Run(() => Until(() => _sender.Send(new byte[65536])));
        _receiving = Task.Run(() =>
        {
            byte[] buffer = new byte[1 << 18];
            Until(() =>
            {
                int count = _receiver.Receive(buffer);
                Interlocked.Add(ref _received, count);
                return count;
            });
        });
    }

    /// <summary>What arrives of several in the same time, in 10^6 bits a second.</summary>
    /// <param name="enough">
    /// Whether this is what the sender and the receiver can do. A busy machine may stall them, which says nothing of
    /// what lets their frames pass; they are measured again then, a few times.
    /// </param>
    /// <param name="floods">The connections.</param>
    public static double[] Measure(Func<double[], bool> enough, params Flood[] floods)
    {
        double[] rates = [];
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            rates = Once(floods);
            if (enough(rates))
            {
                break;
            }
        }

        return rates;
    }

    private static double[] Once(Flood[] floods)
    {
        // What the buckets held and what TCP tried at first is over.
        Thread.Sleep(Settling);
        long[] before = [.. floods.Select(flood => Interlocked.Read(ref flood._received))];
        Stopwatch clock = Stopwatch.StartNew();
        Thread.Sleep(Window);
        double elapsed = clock.Elapsed.TotalSeconds;
        return [.. floods.Select((flood, i) => (Interlocked.Read(ref flood._received) - before[i]) * 8e-6 / elapsed)];
    }

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
        _listener.Dispose();
        Task.WaitAll([_sending, _receiving], 3000);
    }

    private static void Until(Func<int> step)
    {
        try
        {
            while (step() > 0)
            {
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The measurement is over.
        }
    }
}
