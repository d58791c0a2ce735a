using System.Threading.Channels;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Seeing;

namespace Bailiwick.Tests.Fakes;

/// <summary>The frames of one port, as a test sends them. Any other port is not there.</summary>
internal sealed class FakeFrames(string device) : IFrames
{
    private readonly Channel<byte[]> _frames = System.Threading.Channels.Channel.CreateUnbounded<byte[]>();

    /// <summary>How often it was opened.</summary>
    public int Opened { get; private set; }

    /// <summary>How often it was closed.</summary>
    public int Closed { get; private set; }

    public IFrames Open(string wanted)
    {
        if (wanted != device)
        {
            throw new WorldException(["listen at", wanted], -1, "No such device");
        }

        Opened++;
        return this;
    }

    public void Send(byte[] frame) => Assert.True(_frames.Writer.TryWrite(frame));

    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop)
    {
        byte[] frame = await _frames.Reader.ReadAsync(stop);
        frame.CopyTo(buffer);
        return frame.Length;
    }

    public void Dispose() => Closed++;
}
