using System.Net;
using System.Text;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Seeing;

namespace Bailiwick.HostTests.Rendering;

/// <summary>What a capture reads are the frames of the one port, both ways, and of no other.</summary>
[Collection(TwoHostsGroup.Name)]
public sealed class TapFramesTests(TwoHosts hosts)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hears_the_one_port_both_ways_and_no_other()
    {
        using IFrames web = Open("bank/web-1"), records = Open("hospital/records-1");
        using var server = hosts.Datagrams("bank/ledger-1", 5353);
        using var client = hosts.Datagrams("bank/web-1", 0);
        byte[] asked = TwoHosts.Canary(), answered = TwoHosts.Canary(), buffer = new byte[100];
        client.SendTo(asked, new IPEndPoint(IPAddress.Parse("10.20.2.11"), 5353));
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        Assert.Equal(asked.Length, server.ReceiveFrom(buffer, ref from));
        server.SendTo(answered, from);
        Assert.Equal(answered.Length, client.ReceiveFrom(buffer, ref from));
        using var stranger = hosts.Datagrams("hospital/records-1", 0);
        byte[] own = TwoHosts.Canary();
        stranger.SendTo(own, new IPEndPoint(IPAddress.Parse("10.20.1.12"), 9));

        string there = await Heard(web), elsewhere = await Heard(records);

        Assert.Contains(Encoding.ASCII.GetString(asked), there, StringComparison.Ordinal);
        Assert.Contains(Encoding.ASCII.GetString(answered), there, StringComparison.Ordinal);
        Assert.DoesNotContain(Encoding.ASCII.GetString(own), there, StringComparison.Ordinal);
        Assert.Contains(Encoding.ASCII.GetString(own), elsewhere, StringComparison.Ordinal);
        Assert.DoesNotContain(Encoding.ASCII.GetString(asked), elsewhere, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_is_not_there_is_said_to_be_none()
    {
        WorldException error = Assert.Throws<WorldException>(
            () => hosts.Host(1).Space.Inside(() => TapFrames.Open("bwt0000000000")));
        Assert.Contains("bwt0000000000", error.Message, StringComparison.Ordinal);
    }

    private TapFrames Open(string machine)
    {
        var (host, plan) = hosts.Machine(machine);
        return hosts.Host(host).Space.Inside(() => TapFrames.Open(plan.Ports[0].Device));
    }

    /// <summary>All frames until half a second is silent, as text; fifty seconds at most.</summary>
    private static async Task<string> Heard(IFrames frames)
    {
        StringBuilder heard = new();
        byte[] buffer = new byte[65536];
        for (int count = 0; count < 100; count++)
        {
            using CancellationTokenSource pause = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            pause.CancelAfter(500);
            try
            {
                int length = await frames.ReadAsync(buffer, pause.Token);
                heard.Append(Encoding.ASCII.GetString(buffer, 0, length));
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        return heard.ToString();
    }
}
