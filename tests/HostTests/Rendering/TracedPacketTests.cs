using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Rendering;

/// <summary>What a trace says of a packet, the packet does: every pair of machines, allowed and denied ports.</summary>
[Collection(TwoHostsGroup.Name)]
public sealed class TracedPacketTests(TwoHosts hosts)
{
    private const int AtOnce = 64;

    private static readonly int[] TcpPorts = [5432, 5433, 22, 8443];

    private static readonly int[] UdpPorts = [67, 5352, 5353, 5360, 5361];

    private static readonly string[] Machines =
    [
        "hospital/records-1", "hospital/records-2", "bank/web-1", "bank/web-2", "bank/ledger-1", "bank/ledger-2",
    ];

    [Fact]
    public async Task Every_pair_of_machines_is_reached_exactly_where_the_trace_says_so()
    {
        var sockets = new ConcurrentBag<IDisposable>();
        try
        {
            foreach (string machine in Machines)
            {
                foreach (int port in TcpPorts)
                {
                    sockets.Add(hosts.Listen(machine, port));
                }

                foreach (int port in UdpPorts)
                {
                    Socket echo = hosts.Datagrams(machine, port);
                    sockets.Add(echo);
                    _ = Beside(() => Answer(echo));
                }
            }

            var found = new List<(Probe Probe, bool Reached)>();
            foreach (Probe[] some in Probes().Chunk(AtOnce))
            {
                found.AddRange(await Task.WhenAll(some.Select(probe => Beside(() => (probe, Reaches(probe))))));
            }

            Assert.All(found, one => Assert.True(
                one.Reached == one.Probe.Expected.IsOpen,
                $"{one.Probe}: reached {one.Reached}.\n{string.Join('\n', one.Probe.Expected.Steps)}"));
            Assert.True(found.Count(one => one.Reached) >= 40, $"{found.Count(one => one.Reached)} reached");
            Assert.True(found.Count(one => !one.Reached) >= 40, $"{found.Count(one => !one.Reached)} not");
        }
        finally
        {
            foreach (IDisposable socket in sockets)
            {
                socket.Dispose();
            }
        }
    }

    private static Task<T> Beside<T>(Func<T> work) => Task.Factory.StartNew(
        work, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>
    /// All but the pairs whose two domains have the same addresses: a sender reaches its own network's machine there.
    /// </summary>
    private IEnumerable<Probe> Probes()
    {
        HostPlan[] plans = [hosts.PlanOf(1), hosts.PlanOf(2)];
        foreach (string from in Machines)
        {
            foreach (string to in Machines.Where(to => to != from && !(SameAddresses(from) && SameAddresses(to)
                && from.Split('-')[0] != to.Split('-')[0])))
            {
                foreach (var (protocol, port) in TcpPorts.Select(port => (FlowProtocol.Tcp, port))
                    .Concat(UdpPorts.Select(port => (FlowProtocol.Udp, port))).Append((FlowProtocol.Icmp, 0)))
                {
                    yield return new Probe(from, to, Tracer.Run(
                        plans, new TraceQuestion(Machine(from), Machine(to), protocol, port)));
                }
            }
        }
    }

    private static bool SameAddresses(string machine) => !machine.StartsWith("bank/ledger", StringComparison.Ordinal);

    private bool Reaches(Probe probe)
    {
        string address = hosts.Machine(probe.To).Plan.Ports[0].Ipv4 ?? "";
        TraceQuestion question = probe.Expected.Question;
        switch (question.Protocol)
        {
            case FlowProtocol.Tcp:
                using (Socket? connection = hosts.Connect(probe.From, address, question.Port))
                {
                    return connection is not null;
                }

            case FlowProtocol.Udp:
                using (Socket client = hosts.Datagrams(probe.From, 0))
                {
                    return Exchanges(client, new IPEndPoint(IPAddress.Parse(address), question.Port));
                }

            case FlowProtocol.Icmp:
                var (host, plan) = hosts.Machine(probe.From);
                return hosts.Host(host).Run(
                    [$"ping -n -c 1 -W 2 {address} || echo silence"], plan.MachineName)
                    .Contains(" 0% packet loss", StringComparison.Ordinal);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static bool Exchanges(Socket client, EndPoint server)
    {
        byte[] buffer = new byte[16];
        try
        {
            client.SendTo("asked"u8, server);
            return client.ReceiveFrom(buffer, ref server) == 5;
        }
        catch (SocketException)
        {
            // Nobody answers, or the sender knows no way there.
            return false;
        }
    }

    /// <summary>Sends back what comes, until the socket is closed.</summary>
    private static bool Answer(Socket socket)
    {
        byte[] buffer = new byte[16];
        socket.ReceiveTimeout = 0;
        try
        {
            while (true)
            {
                EndPoint from = new IPEndPoint(IPAddress.Any, 0);
                int count = socket.ReceiveFrom(buffer, ref from);
                socket.SendTo(buffer.AsSpan(0, count), from);
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // Closed: the test has ended.
            return true;
        }
    }

    private sealed record Probe(string From, string To, PacketTrace Expected)
    {
        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture, $"{From} to {To}, {Expected.Question.Service}");
    }
}
