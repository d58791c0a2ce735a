using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bailiwick.HostTests.Rendering;

/// <summary>Flows between domains, by packets: what is open passes, and nothing else, on one host and across.</summary>
[Collection(TwoHostsGroup.Name)]
public sealed class FlowPacketTests(TwoHosts hosts)
{
    [Theory]
    [InlineData("bank/web-1", "bank/ledger-1", "10.20.2.11")]
    [InlineData("bank/web-1", "bank/ledger-1", "fd20:2::11")]
    [InlineData("bank/web-1", "bank/ledger-2", "10.20.2.12")]
    [InlineData("bank/web-2", "bank/ledger-2", "fd20:2::12")]
    [InlineData("bank/web-2", "bank/ledger-1", "10.20.2.11")]
    public void An_open_port_is_reached_and_a_closed_one_is_not(string client, string server, string address)
    {
        var ipv6 = address.Contains(':', StringComparison.Ordinal);
        using var open = hosts.Listen(server, 5432, ipv6);
        using var closed = hosts.Listen(server, 5433, ipv6);
        using var connection = hosts.Connect(client, address, 5432);
        Assert.NotNull(connection);
        using var accepted = open.Accept();
        Assert.Equal("ping", Exchange(connection, accepted, "ping"));
        Assert.Equal("pong", Exchange(accepted, connection, "pong"));
        Assert.Null(hosts.Connect(client, address, 5433));

        // The closed port is closed by policy, not by the server: from inside the domain it is open.
        var sibling = server == "bank/ledger-1" ? "bank/ledger-2" : "bank/ledger-1";
        using var inside = hosts.Connect(sibling, address, 5433);
        Assert.NotNull(inside);
    }

    [Fact]
    public void A_machine_without_a_flow_reaches_nothing_of_another_domain()
    {
        using var listener = hosts.Listen("bank/ledger-1", 5432);
        Assert.Null(hosts.Connect("hospital/records-1", "10.20.2.11", 5432));
        Assert.Null(hosts.Connect("hospital/records-2", "10.20.2.11", 5432));
        using var allowed = hosts.Connect("bank/web-1", "10.20.2.11", 5432);
        Assert.NotNull(allowed);
    }

    [Fact]
    public void A_server_cannot_open_a_connection_to_its_client()
    {
        using var listener = hosts.Listen("bank/web-1", 7000);
        Assert.Null(hosts.Connect("bank/ledger-1", "10.20.1.11", 7000));
        Assert.Null(hosts.Connect("bank/ledger-1", "10.20.1.11", 7000, fromPort: 5432));
        using var sibling = hosts.Connect("bank/web-2", "10.20.1.11", 7000);
        Assert.NotNull(sibling);
    }

    [Theory]
    [InlineData(5353, true)]
    [InlineData(5360, true)]
    [InlineData(5352, false)]
    [InlineData(5361, false)]
    public void Datagrams_pass_to_the_ports_both_sides_name_and_are_answered(int port, bool open)
    {
        using var server = hosts.Datagrams("bank/ledger-1", port);
        using var client = hosts.Datagrams("bank/web-1", 0);
        client.SendTo(Encoding.ASCII.GetBytes("question"), new IPEndPoint(IPAddress.Parse("10.20.2.11"), port));
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        byte[] buffer = new byte[100];
        if (!open)
        {
            Assert.Throws<SocketException>(() => server.ReceiveFrom(buffer, ref from));
            using var sibling = hosts.Datagrams("bank/ledger-2", 0);
            sibling.SendTo(buffer, new IPEndPoint(IPAddress.Parse("10.20.2.11"), port));
            Assert.Equal(100, server.ReceiveFrom(buffer, ref from));
            return;
        }

        Assert.Equal(8, server.ReceiveFrom(buffer, ref from));
        Assert.Equal("10.20.1.11", ((IPEndPoint)from).Address.ToString());
        server.SendTo(Encoding.ASCII.GetBytes("answer"), from);
        Assert.Equal(6, client.ReceiveFrom(buffer, ref from));
    }

    [Fact]
    public void An_answering_socket_cannot_send_where_nobody_asked()
    {
        using var client = hosts.Datagrams("bank/web-1", 6000);
        using var server = hosts.Datagrams("bank/ledger-1", 5354);
        server.SendTo(Encoding.ASCII.GetBytes("unasked"), new IPEndPoint(IPAddress.Parse("10.20.1.11"), 6000));
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        byte[] buffer = new byte[100];
        Assert.Throws<SocketException>(() => client.ReceiveFrom(buffer, ref from));
        client.SendTo(Encoding.ASCII.GetBytes("asked"), new IPEndPoint(IPAddress.Parse("10.20.2.11"), 5354));
        Assert.Equal(5, server.ReceiveFrom(buffer, ref from));
        server.SendTo(Encoding.ASCII.GetBytes("answer"), from);
        Assert.Equal(6, client.ReceiveFrom(buffer, ref from));
    }

    [Theory]
    [InlineData("10.20.2.11")]
    [InlineData("fd20:2::11")]
    [InlineData("10.20.2.12")]
    public void Echo_passes_one_way_only(string address)
    {
        Assert.True(Pings("bank/web-1", address));
        var server = address.EndsWith("12", StringComparison.Ordinal) ? "bank/ledger-2" : "bank/ledger-1";
        var client = address.Contains(':', StringComparison.Ordinal) ? "fd20:1::11" : "10.20.1.11";
        Assert.False(Pings(server, client));
        Assert.True(Pings("bank/web-2", client));
    }

    private bool Pings(string machine, string address)
    {
        var (host, plan) = hosts.Machine(machine);
        return hosts.Host(host).Run(
            [$"ping -n -c 1 -W 2 {address} || echo silence"], plan.MachineName)
            .Contains(" 0% packet loss", StringComparison.Ordinal);
    }

    private static string? Exchange(Socket from, Socket to, string text)
    {
        from.Send(Encoding.ASCII.GetBytes(text));
        return Receive(to, 2000);
    }

    private static string? Receive(Socket socket, int milliseconds)
    {
        byte[] buffer = new byte[100];
        if (!socket.Poll(TimeSpan.FromMilliseconds(milliseconds), SelectMode.SelectRead))
        {
            return null;
        }

        return Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer));
    }
}
