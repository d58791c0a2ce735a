using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// ICMP errors and sizes between domains: the web's machines have longer frames than the ledger's and the passage. What
/// a machine must be told arrives, and nobody can tell it anything of a connection that there is not.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class GatewayErrorTests(TwoHosts hosts)
{
    private const string Client = "bank/web-1";
    private const string Server = "bank/ledger-1";
    private const int Wait = 15_000;
    private const int NotSeen = 250;
    private const int OpenPort = 5355;

    [Theory]
    [InlineData("10.20.2.11")]
    [InlineData("fd20:2::11")]
    [InlineData("10.20.2.12")]
    public void Who_asks_a_port_that_nobody_listens_on_is_told_so(string address)
    {
        using var socket = hosts.Datagrams(Client, 0, address.Contains(':', StringComparison.Ordinal));
        socket.Connect(new IPEndPoint(IPAddress.Parse(address), OpenPort));
        socket.Send([1]);
        var told = Assert.Throws<SocketException>(() => socket.Receive(new byte[10]));
        Assert.Equal(SocketError.ConnectionRefused, told.SocketErrorCode);
    }

    [Theory]
    [InlineData("10.20.2.11")]
    [InlineData("fd20:2::11")]
    public void Who_sends_more_than_the_passage_takes_is_told_so_and_what_fits_arrives(string address)
    {
        var ipv6 = address.Contains(':', StringComparison.Ordinal);
        Assert.True(hosts.Machine(Client).Plan.Ports[0].Mtu > hosts.Machine(Server).Plan.Ports[0].Mtu);
        // Other tests tell the client of paths that take less.
        ForgetPaths();
        using var server = hosts.Datagrams(Server, OpenPort, ipv6);
        using var client = hosts.Datagrams(Client, 0, ipv6);
        const int Discover = 10, Discover6 = 23, Do = 2;
        client.SetRawSocketOption(ipv6 ? 41 : 0, ipv6 ? Discover6 : Discover, BitConverter.GetBytes(Do));
        client.Connect(new IPEndPoint(IPAddress.Parse(address), OpenPort));
        var told = Assert.Throws<SocketException>(() =>
        {
            for (var turn = 0; turn < 20; turn++)
            {
                client.Send(new byte[1380]);
                Thread.Sleep(50);
            }
        });
        Assert.Equal(SocketError.MessageSize, told.SocketErrorCode);
        SendPastErrors(client, new byte[1300]);
        Assert.Equal(1300, server.Receive(new byte[2000]));
        ForgetPaths();
    }

    [Fact]
    public void The_ends_of_a_connection_hear_of_segments_that_the_passage_takes()
    {
        using var listener = hosts.Listen(Server, 5432);
        using var there = hosts.Frames(Server);
        using var connection = hosts.Connect(Client, "10.20.2.11", 5432);
        Assert.NotNull(connection);
        var mtu = hosts.Machine(Server).Plan.Ports[0].Mtu;

        // Its own port would let the client take more: 40 bytes of headers less than the MTU.
        Assert.True(there.Sees([2, 4, .. Big(mtu - 40)], Wait));
        Assert.False(there.Sees([2, 4, .. Big(hosts.Machine(Client).Plan.Ports[0].Mtu - 40)], 0));
    }

    [Fact]
    public void An_error_passes_only_between_the_ends_of_a_connection_of_an_open_flow()
    {
        var (client, server) = (Port(Client), Port(Server));
        var web = hosts.Domain(1, "bank/web").Gateway;
        var ledger = hosts.Domain(2, "bank/ledger").Gateway;
        var near = hosts.Domain(1, "bank/ledger").Gateway;
        Assert.True(web is not null && ledger is not null && near is not null);
        using var asking = hosts.Datagrams(Client, 6100);
        using var answering = hosts.Datagrams(Server, OpenPort);
        asking.SendTo([1], new IPEndPoint(IPAddress.Parse(V4(server)), OpenPort));
        Assert.Equal(1, answering.Receive(new byte[10]));
        using var here = hosts.Frames(Client);
        using var there = hosts.Frames(Server);
        using var sibling = hosts.Frames("bank/ledger-2");
        byte[] right = TwoHosts.Canary(), back = TwoHosts.Canary(), later = TwoHosts.Canary();
        var other = Port("bank/ledger-2");

        byte[] Asked(int from, int to) => Ipv4(V4(client), V4(server), 17, Udp(from, to, new byte[8]));
        byte[] Error(PortPlan from, PortPlan to, string gateway, int type, int code, byte[] about, byte[] mark) =>
            Ethernet(gateway, from.Mac, 0x0800, Ipv4(V4(from), V4(to), 1, Summed(V4(from), V4(to), 1,
                [(byte)type, (byte)code, 0, 0, 0, 0, 5, 0, .. about, .. mark])));
        (string Name, FramePort Origin, Func<byte[], byte[]> Frame)[] wrong =
        [
            ("of no connection", there, mark => Error(server, client, ledger.Mac, 3, 4, Asked(6101, OpenPort), mark)),
            ("of a closed port", there, mark => Error(server, client, ledger.Mac, 3, 3, Asked(6100, 9), mark)),
            ("of another's connection", sibling,
                mark => Error(other, client, near.Mac, 3, 3, Asked(6100, OpenPort), mark)),
            ("that sends it elsewhere", there,
                mark => Error(server, client, ledger.Mac, 5, 1, Asked(6100, OpenPort), mark)),
            ("of time", there, mark => Error(server, client, ledger.Mac, 11, 0, Asked(6100, OpenPort), mark)),
            ("of nothing", there, mark => Error(server, client, ledger.Mac, 3, 3, [], mark)),
        ];
        byte[][] marks = [.. wrong.Select(_ => TwoHosts.Canary())];
        for (var at = 0; at < wrong.Length; at++)
        {
            wrong[at].Origin.Send(wrong[at].Frame(marks[at]));
        }

        there.Send(Error(server, client, ledger.Mac, 3, 4, Asked(6100, OpenPort), right));
        Assert.True(here.Sees(right, Wait), "An error of an open flow's connection did not arrive.");
        here.Send(Error(client, server, web.Mac, 3, 3,
            Ipv4(V4(server), V4(client), 17, Udp(OpenPort, 6100, new byte[8])), back));
        Assert.True(there.Sees(back, Wait), "An error back to the server did not arrive.");
        Assert.All(wrong.Zip(marks), one => Assert.False(here.Sees(one.Second, NotSeen / 5), one.First.Name));

        // The connection is tracked still, and its flow is not open any more.
        var line = TwoHosts.Policies.Files["bank/web.yaml"].Split('\n')
            .Single(text => text.Contains("protocol: udp", StringComparison.Ordinal)) + "\n";
        var withdrawn = TwoHosts.Plan(TwoHosts.Policies.With("bank/web.yaml", line, ""), 1).Domains
            .Single(plan => plan.DisplayName == "bank/web").Gateway;
        Assert.NotNull(withdrawn);
        hosts.Host(1).Load(NftTables.ForGateway(withdrawn), web.Namespace);
        try
        {
            there.Send(Error(server, client, ledger.Mac, 3, 3, Asked(6100, OpenPort), later));
            Assert.False(here.Sees(later, NotSeen));
        }
        finally
        {
            hosts.Host(1).Load(NftTables.ForGateway(web), web.Namespace);
        }
    }

    private void ForgetPaths() => hosts.Host(1).Run(
        ["ip route flush cache", "ip -6 route flush cache"], hosts.Machine(Client).Plan.MachineName);

    /// <summary>An error that came for an earlier datagram is told at the next one, which is not sent then.</summary>
    private static void SendPastErrors(Socket socket, byte[] bytes)
    {
        for (var turn = 0; turn < 5; turn++)
        {
            try
            {
                socket.Send(bytes);
                return;
            }
            catch (SocketException told) when (told.SocketErrorCode == SocketError.MessageSize)
            {
                // Of one of those before.
            }
        }

        Assert.Fail("What fits is not sent.");
    }

    private PortPlan Port(string name) => hosts.Machine(name).Plan.Ports[0];

    private static string V4(PortPlan port) => port.Ipv4 ?? throw new InvalidOperationException();
}
