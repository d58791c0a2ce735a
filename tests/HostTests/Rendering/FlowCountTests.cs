using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Seeing;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Seeing;

namespace Bailiwick.HostTests.Rendering;

/// <summary>The kernel counts each machine's flows, what is dropped and where, and no filter changes by it.</summary>
[Collection(TwoHostsGroup.Name)]
public sealed class FlowCountTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly bool[] Places = [false, true];
    private readonly TwoHosts _hosts;

    public FlowCountTests(TwoHosts hosts)
    {
        _hosts = hosts;
        foreach (int number in new[] { 1, 2 })
        {
            foreach (DomainPlan domain in hosts.PlanOf(number).Domains)
            {
                hosts.Host(number).Load(FlowTables.ForDomain(domain));
                if (domain.Gateway is { } gateway)
                {
                    hosts.Host(number).Load(FlowTables.ForGateway(domain), gateway.Namespace);
                }
            }
        }
    }

    [Theory]
    [InlineData("10.20.2.11")]
    [InlineData("fd20:2::11")]
    public void Counts_what_passes_at_both_ends_and_what_is_dropped_where_it_is(string server)
    {
        bool ipv6 = server.Contains(':', StringComparison.Ordinal);
        string client = ipv6 ? "fd20:1::11" : "10.20.1.11";
        using Socket listener = _hosts.Listen("bank/ledger-1", 5432, ipv6);
        for (int number = 0; number < 5; number++)
        {
            using Socket? connection = _hosts.Connect("bank/web-1", server, 5432);
            Assert.NotNull(connection);
        }

        Assert.Null(_hosts.Connect("bank/web-1", server, 5433));
        Assert.Null(_hosts.Connect("bank/web-1", ipv6 ? "fd20:2::12" : "10.30.0.11", 5433));

        // However many connections there were, with as many ports of the client's: one record at each end.
        FlowRecord asked = Assert.Single(Records(1, "bank/web", "bank/web-1"), Is(client, server, 5432));
        FlowRecord answered = Assert.Single(Records(2, "bank/ledger", "bank/ledger-1"), Is(client, server, 5432));
        Assert.True(asked is { Asked.Packets: >= 10, Got.Packets: >= 5, Dropped.Packets: 0 }, $"{asked}");
        Assert.True(answered is { Asked.Packets: >= 5, Got.Packets: >= 10, Dropped.Packets: 0 }, $"{answered}");
        Assert.Equal(asked.AtGateway, asked.ThroughGateway);
        Assert.True(asked.AtGateway.Packets >= 15, $"{asked}");

        // The closed port dies at the gateway of the client's side, and the server's host never sees it.
        FlowRecord closed = Assert.Single(Records(1, "bank/web", "bank/web-1"), Is(client, server, 5433));
        Assert.True(
            closed is { DroppedByGateway.Packets: > 0, DroppedBySwitch.Packets: 0, Got.Packets: 0 }, $"{closed}");
        Assert.DoesNotContain(Records(2, "bank/ledger", "bank/ledger-1"), one => Is(client, server, 5433)(one));
        ReportedFlow told = ReportedFlow.Of(
            closed, _hosts.PlanOf(1), _hosts.Domain(1, "bank/web"), Tests.Domains.ExamplePlacements.Datacentre());
        Assert.Contains("no flow of tcp/5433 from", told.DroppedBy, StringComparison.Ordinal);
    }

    [Fact]
    public void What_one_machine_sends_another_of_the_same_switch_is_counted_once_and_told_at_both_ends()
    {
        using Socket listener = _hosts.Listen("bank/both-1", 5432);
        using (Socket? connection = _hosts.Connect("bank/web-1", "10.20.1.13", 5432))
        {
            Assert.NotNull(connection);
        }

        FlowRecord asked = Assert.Single(Records(1, "bank/web", "bank/web-1"), Is("10.20.1.11", "10.20.1.13", 5432));
        FlowRecord got = Assert.Single(Records(1, "bank/web", "bank/both-1"), Is("10.20.1.11", "10.20.1.13", 5432));
        Assert.True(asked.Sent.Packets >= 2 && got.Sent.Packets >= 1, $"{asked} {got}");
        Assert.Equal((asked.Sent, asked.Got), (got.Got, got.Sent));
        Assert.Equal((0L, 0L), (asked.Dropped.Packets, got.Dropped.Packets));
    }

    [Fact]
    public void What_nobody_may_be_sent_dies_at_the_switch_and_a_forged_sender_at_the_port()
    {
        Assert.Null(_hosts.Connect("bank/web-1", "10.30.0.11", 80));
        FlowRecord closed = Assert.Single(
            Records(1, "bank/web", "bank/web-1"), Is("10.20.1.11", "10.30.0.11", 80));
        Assert.True(closed is { DroppedBySwitch.Packets: > 0, Sent.Packets: 0 }, $"{closed}");

        string mac = _hosts.Machine("bank/web-2").Plan.Ports[0].Mac;
        Space("bank/web-1",
        [
            "ip addr add 10.20.1.77/32 dev eth0", $"ip neigh replace 10.20.1.12 lladdr {mac} dev eth0 nud permanent",
        ]);
        try
        {
            using Socket forged = _hosts.Space("bank/web-1").Inside(() =>
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, 0);
                socket.Bind(new IPEndPoint(IPAddress.Parse("10.20.1.77"), 0));
                return socket;
            });
            forged.SendTo("x"u8, new IPEndPoint(IPAddress.Parse("10.20.1.12"), 53));
        }
        finally
        {
            Space("bank/web-1", ["ip addr del 10.20.1.77/32 dev eth0", "ip neigh del 10.20.1.12 dev eth0"]);
        }

        FlowRecord lie = Assert.Single(
            Records(1, "bank/web", "bank/web-1"), one => one.Flow is { Client: "10.20.1.77", Port: 53 });
        Assert.True(lie is { DroppedBySwitch.Packets: 1, Sent.Packets: 0 }, $"{lie}");
    }

    [Fact]
    public void A_machine_that_floods_fills_its_own_share_only_and_no_filter_changes()
    {
        DomainPlan ledger = _hosts.Domain(1, "bank/ledger");
        string before = Filter(1, ledger);
        using (Socket flood = _hosts.Datagrams("hospital/records-1", 0))
        {
            for (int port = 1001; port <= 4000; port++)
            {
                flood.SendTo("x"u8, new IPEndPoint(IPAddress.Parse("10.20.1.12"), port));
            }
        }

        using Socket listener = _hosts.Listen("bank/ledger-1", 5432);
        using Socket? connection = _hosts.Connect("bank/ledger-2", "10.20.2.11", 5432);
        Assert.NotNull(connection);
        Assert.Equal(
            FlowTables.SetSize,
            Records(1, "hospital/records", "hospital/records-1").Count(one => one.Flow.Client == "10.20.1.11"));
        Assert.Single(Records(1, "bank/ledger", "bank/ledger-2"), Is("10.20.2.12", "10.20.2.11", 5432));

        // What counts stands beside what filters: nothing that is compared to find drift has changed.
        Assert.Equal(before, Filter(1, ledger));
    }

    public void Dispose()
    {
        foreach (int number in new[] { 1, 2 })
        {
            foreach (DomainPlan domain in _hosts.PlanOf(number).Domains)
            {
                string table = FlowTables.TableOf(domain);
                _hosts.Host(number).Load($"table bridge {table}\ndelete table bridge {table}\n");
                if (domain.Gateway is { } gateway)
                {
                    _hosts.Host(number).Load(
                        $"table inet {FlowTables.GatewayTable}\ndelete table inet {FlowTables.GatewayTable}\n",
                        gateway.Namespace);
                }
            }
        }
    }

    private static Predicate<FlowRecord> Is(string client, string server, int port) =>
        one => one.Flow == new FlowKey(client, server, "tcp", port);

    private string Filter(int host, DomainPlan domain) => TableContent.Read(
        _hosts.Host(host).Run([$"nft -j list table bridge {domain.Network.Table}"])).Digest;

    private void Space(string machine, string[] lines)
    {
        var (host, plan) = _hosts.Machine(machine);
        _hosts.Host(host).Run(lines, plan.MachineName);
    }

    private FlowRecord[] Records(int host, string domain, string machine)
    {
        DomainPlan plan = _hosts.Domain(host, domain);
        LocalPort port = plan.Network.Ports.Single(one => one.Member.Ref == _hosts.Machine(machine).Plan.Ref);
        FlowBook book = FlowBook.Empty;
        book.Take(
            Places.SelectMany(isGateway => FlowReading.All(plan, isGateway, set =>
                FlowListing.Read(_hosts.Host(host).Run(
                    [string.Create(
                        CultureInfo.InvariantCulture, $"nft -j list set {set.Family} {set.Table} {set.Set}")],
                    set.Namespace)))),
            Noon);
        return [.. book.Records.Where(one => one.Device == port.Device)];
    }
}
