using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Tracing;
using Bailiwick.Tests.Domains;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// The bank's web and the hospital's records have the same addresses and speak through their gateways all the same,
/// each known to the other as both owners state.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class TranslationPacketTests(TranslatedHosts translated) : IClassFixture<TranslatedHosts>
{
    private const int Open = 5432;
    private const int Back = 8080;
    private static readonly string[] Webs = ["bank/web-1", "bank/web-2"];
    private static readonly string[] Records = ["hospital/records-1", "hospital/records-2"];
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TwoHosts _hosts = translated.Hosts;

    [Fact]
    public async Task Two_domains_with_the_same_addresses_speak_as_the_trace_says_and_in_no_other_way()
    {
        int[] ports = [Open, Back, 22];
        bool[] families = [false, true];
        List<Socket> listeners =
        [
            .. Webs.Concat(Records).SelectMany(name => ports.SelectMany(port => families
                .Select(isIpv6 => _hosts.Listen(name, port, isIpv6)))),
        ];
        try
        {
            var asked = Webs.SelectMany(_ => Records, (web, record) => (From: web, To: record))
                .SelectMany(pair => new[] { pair, (From: pair.To, To: pair.From) })
                .SelectMany(_ => ports, (pair, port) => (pair.From, pair.To, Port: port))
                .SelectMany(_ => families, (one, isIpv6) => (one.From, one.To, one.Port, IsIpv6: isIpv6)).ToArray();
            bool[] reached = await Task.WhenAll(asked.Select(one => Task.Factory.StartNew(
                () => Reaches(one.From, one.To, one.Port, one.IsIpv6), TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            bool[] expected = [.. asked.Select(one => Tracer.Run(
                [_hosts.PlanOf(1), _hosts.PlanOf(2)],
                new TraceQuestion(Machine(one.From), Machine(one.To), FlowProtocol.Tcp, one.Port)
                {
                    Ipv6 = one.IsIpv6,
                }).IsOpen)];
            Assert.Equal(asked.Zip(expected), asked.Zip(reached));
            Assert.Equal((16, 48), (reached.Count(one => one), reached.Length));
        }
        finally
        {
            listeners.ForEach(one => one.Dispose());
        }
    }

    [Fact]
    public void Each_sees_the_other_as_agreed_with_its_own_port_and_its_own_address_stays_its_own()
    {
        using var listener = _hosts.Listen("hospital/records-2", Open);
        using var sibling = _hosts.Listen("bank/web-2", Open);
        using var client = _hosts.Connect("bank/web-1", "100.64.9.12", Open, fromPort: 40123);
        Assert.NotNull(client);
        using var accepted = listener.Accept();
        Assert.Equal(new IPEndPoint(IPAddress.Parse("100.64.8.11"), 40123), accepted.RemoteEndPoint);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("10.20.1.12"), Open), accepted.LocalEndPoint);
        // The other's own address is the sibling's, here as before.
        using var near = _hosts.Connect("bank/web-1", "10.20.1.12", Open);
        Assert.NotNull(near);
        using var taken = sibling.Accept();
        Assert.Equal(IPAddress.Parse("10.20.1.11"), Assert.IsType<IPEndPoint>(taken.RemoteEndPoint).Address);
        Assert.False(listener.Poll(100_000, SelectMode.SelectRead));
    }

    [Fact]
    public void Echoes_datagrams_and_errors_pass_the_translation()
    {
        foreach (var (address, known) in new[] { ("100.64.9.12", "100.64.8.11"), ("fd64:9::12", "fd64:8::11") })
        {
            bool isIpv6 = address.Contains(':', StringComparison.Ordinal);
            using var client = _hosts.Datagrams("bank/web-1", 0, isIpv6);
            client.Connect(new IPEndPoint(IPAddress.Parse(address), 5353));
            using (var server = _hosts.Datagrams("hospital/records-2", 5353, isIpv6))
            {
                Assert.True(Answered(client, server, known), $"a datagram to {address}");
            }

            // Nobody listens there now: its machine says so, and the client hears it of the address that it asked.
            var clock = Stopwatch.StartNew();
            bool isTold = false;
            while (!isTold && clock.Elapsed < Limit)
            {
                try
                {
                    client.Send([1]);
                    isTold = client.Poll(200_000, SelectMode.SelectError);
                }
                catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    isTold = true;
                }
            }

            Assert.True(isTold, $"port unreachable of {address}");
        }
    }

    [Fact]
    public void Who_says_it_is_a_translated_address_is_dropped_at_its_port()
    {
        var (_, web) = _hosts.Machine("bank/web-1");
        var gateway = _hosts.Domain(1, "bank/web").Gateway;
        Assert.NotNull(gateway);
        using var port = _hosts.Frames("bank/web-1");
        using var near = _hosts.Frames("hospital/records-1");
        using var far = _hosts.Frames("hospital/records-2");
        byte[] Frame(string from, string to, byte[] canary) => Frames.Ethernet(
            gateway.Mac, web.Ports[0].Mac, 0x0800,
            Frames.Ipv4(from, to, 17, Frames.Udp(40000, 5353, canary)));

        foreach (var (from, to, isLet) in new[]
        {
            ("10.20.1.11", "100.64.9.11", true), ("100.64.8.11", "100.64.9.11", false),
            ("100.64.8.12", "100.64.9.12", false), ("100.64.9.12", "100.64.9.11", false),
            ("100.64.9.11", "10.20.1.11", false), ("10.20.1.12", "100.64.9.11", false),
            ("10.20.1.11", "100.64.9.99", false), ("10.20.1.11", "100.64.8.12", false),
        })
        {
            byte[] canary = TwoHosts.Canary();
            port.Send(Frame(from, to, canary));
            byte[] control = TwoHosts.Canary();
            port.Send(Frame("10.20.1.11", "100.64.9.11", control));
            Assert.True(near.Sees(control, 5000), "the control");
            if (isLet)
            {
                continue;
            }

            Assert.False(near.Sees(canary, 200) || far.Sees(canary, 50), $"{from} to {to} arrived");
        }
    }

    [Theory]
    [InlineData(1, "bank/web")]
    [InlineData(2, "hospital/records")]
    public void A_withdrawn_flow_ends_its_translated_connections(int host, string domain)
    {
        using var listener = _hosts.Listen("hospital/records-2", Open);
        using var client = _hosts.Connect("bank/web-1", "100.64.9.12", Open);
        Assert.NotNull(client);
        using var accepted = listener.Accept();
        Assert.True(Lives(client, accepted));
        var gateway = _hosts.Domain(host, domain).Gateway;
        Assert.NotNull(gateway);
        _hosts.Host(host).Load(
            NftTables.ForGateway(gateway with
            {
                Flows = [.. gateway.Flows.Where(flow => flow.Known is null || flow.Protocol != FlowProtocol.Tcp)],
            }), gateway.Namespace);
        var clock = Stopwatch.StartNew();
        while (Lives(client, accepted))
        {
            Assert.True(clock.Elapsed < Limit, "it lives on");
        }

        Assert.All(Enumerable.Range(0, 3), _ => Assert.False(Lives(client, accepted)));
        _hosts.Host(host).Load(NftTables.ForGateway(gateway), gateway.Namespace);
        using var again = _hosts.Connect("bank/web-1", "100.64.9.12", Open);
        Assert.NotNull(again);
    }

    private static bool Lives(Socket from, Socket to)
    {
        from.Send([1]);
        return to.Poll(300_000, SelectMode.SelectRead) && to.Receive(new byte[1024]) > 0;
    }

    private static bool Answered(Socket client, Socket server, string known)
    {
        byte[] buffer = new byte[16];
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Limit;)
        {
            client.Send([7]);
            EndPoint asker = new IPEndPoint(
                client.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
            if (server.Poll(500_000, SelectMode.SelectRead))
            {
                server.ReceiveFrom(buffer, ref asker);
                Assert.Equal(IPAddress.Parse(known), ((IPEndPoint)asker).Address);
                server.SendTo([8], asker);
                if (client.Poll(500_000, SelectMode.SelectRead))
                {
                    return client.Receive(buffer) == 1;
                }
            }
        }

        return false;
    }

    private bool Reaches(string from, string to, int port, bool isIpv6)
    {
        bool isRecords = to.StartsWith("hospital", StringComparison.Ordinal);
        var place = to[^1..];
        using var socket = _hosts.Connect(
            from, (isIpv6, isRecords) switch
            {
                (false, true) => "100.64.9.1" + place,
                (false, false) => "100.64.8.1" + place,
                (true, true) => "fd64:9::1" + place,
                (true, false) => "fd64:8::1" + place,
            }, port);
        return socket is not null;
    }
}

/// <summary>Two hosts under the policies of domains that know each other by other addresses.</summary>
public sealed class TranslatedHosts : IDisposable
{
    internal TwoHosts Hosts { get; } = TwoHosts.Under(TranslatedExample.Of(TwoHosts.Policies));

    public void Dispose() => Hosts.Dispose();
}
