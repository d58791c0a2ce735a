using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Flows that are withdrawn while sessions run over them: the session ends and the others, between the same two
/// machines through the same two gateways, do not notice.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class WithdrawnFlowTests(TwoHosts hosts)
{
    private const string Client = "bank/web-1";
    private const string Server = "bank/ledger-1";
    private const int Beats = 4;
    private const int Patience = 20;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(1, "bank/web")]
    [InlineData(2, "bank/ledger")]
    public void A_withdrawn_flow_ends_its_sessions_and_no_other(int host, string domain)
    {
        var gateway = hosts.Domain(host, domain).Gateway;
        Assert.NotNull(gateway);
        using var sessions = new Sessions(hosts);
        foreach (var protocol in new[] { "tcp", "udp", "icmp" })
        {
            Assert.All(sessions.All, one => Assert.True(one.LivesOn(), $"{one.Name} before {protocol} is withdrawn"));
            var withdrawn = TwoHosts.Plan(Without(protocol), host).Domains
                .Single(plan => plan.DisplayName == domain).Gateway;
            Assert.NotNull(withdrawn);
            var clock = Stopwatch.StartNew();
            hosts.Host(host).Load(NftTables.ForGateway(withdrawn), gateway.Namespace);
            try
            {
                while (sessions.Of(protocol).Any(one => one.Lives()))
                {
                    Assert.True(clock.Elapsed < Limit, $"{protocol} lives on");
                }

                for (var beat = 0; beat < Beats; beat++)
                {
                    Assert.All(sessions.Of(protocol), one => Assert.False(one.Lives(), $"{one.Name} came back"));
                    Assert.All(sessions.All.Except(sessions.Of(protocol)), one => Assert.True(one.LivesOn(), one.Name));
                }

                // The counters are as old as the rules: these rules have dropped it, and no earlier ones.
                Assert.InRange(
                    hosts.Counted(host, "inet", "bw_gateway", gateway.Namespace, "closed"), Beats, int.MaxValue);
            }
            finally
            {
                hosts.Host(host).Load(NftTables.ForGateway(gateway), gateway.Namespace);
            }

            sessions.Recover();
        }
    }

    private static Tests.Domains.Policy.Example Without(string protocol) =>
        TwoHosts.Policies.With("bank/web.yaml", protocol == "tcp" ? TwoHosts.Grant : TwoHosts.Policies
            .Files["bank/web.yaml"].Split('\n').Single(line => line.Contains($"protocol: {protocol}")) + "\n", "");

    private sealed record Session(string Protocol, string Name, Func<bool> Lives)
    {
        /// <summary>It lives, though a busy machine may be late with one answer and with another.</summary>
        public bool LivesOn() => Enumerable.Range(0, Patience).Any(_ => Lives());
    }

    /// <summary>A connection, datagrams between two ports, and echoes under one identifier, over each family.</summary>
    private sealed class Sessions : IDisposable
    {
        private readonly List<IDisposable> _open = [];
        private readonly List<Session> _all = [];
        private readonly List<(Socket From, Socket To)> _streams = [];

        public Sessions(TwoHosts hosts)
        {
            foreach (var address in new[] { "10.20.2.11", "fd20:2::11" })
            {
                var ipv6 = address.Contains(':', StringComparison.Ordinal);
                Stream(hosts, address, ipv6);
                Datagrams(hosts, address, ipv6);
                Echoes(hosts, address, ipv6);
            }
        }

        public IReadOnlyList<Session> All => _all;

        public IReadOnlyList<Session> Of(string protocol) => [.. _all.Where(one => one.Protocol == protocol)];

        /// <summary>What streams kept back arrives, so that a later byte is an answer to a later question.</summary>
        public void Recover()
        {
            foreach (var (from, to) in _streams)
            {
                from.Send([0xff]);
                byte[] buffer = new byte[1024];
                var clock = Stopwatch.StartNew();
                while (clock.Elapsed < TimeSpan.FromSeconds(15))
                {
                    if (to.Poll(Beat, SelectMode.SelectRead)
                        && buffer.AsSpan(0, to.Receive(buffer)).Contains((byte)0xff))
                    {
                        break;
                    }
                }
            }
        }

        public void Dispose()
        {
            foreach (var one in _open)
            {
                one.Dispose();
            }
        }

        private void Stream(TwoHosts hosts, string address, bool ipv6)
        {
            var listener = hosts.Listen(Server, 5432, ipv6);
            var from = hosts.Connect(Client, address, 5432);
            Assert.NotNull(from);
            var to = listener.Accept();
            _open.AddRange([from, to, listener]);
            _streams.Add((from, to));
            _all.Add(new Session("tcp", $"TCP to {address}", () =>
            {
                from.Send([1]);
                return to.Poll(Beat, SelectMode.SelectRead) && to.Receive(new byte[1024]) > 0;
            }));
        }

        private void Datagrams(TwoHosts hosts, string address, bool ipv6)
        {
            var to = hosts.Datagrams(Server, 5354, ipv6);
            var from = hosts.Datagrams(Client, 0, ipv6);
            _open.AddRange([from, to]);
            from.Connect(new IPEndPoint(IPAddress.Parse(address), 5354));
            _all.Add(new Session("udp", $"UDP to {address}", () =>
            {
                from.Send([1]);
                EndPoint asker = new IPEndPoint(ipv6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
                if (!to.Poll(Beat, SelectMode.SelectRead))
                {
                    return false;
                }

                to.ReceiveFrom(new byte[10], ref asker);
                to.SendTo([2], asker);
                return from.Poll(Beat, SelectMode.SelectRead) && from.Receive(new byte[10]) == 1;
            }));
        }

        private void Echoes(TwoHosts hosts, string address, bool ipv6)
        {
            var from = hosts.Space(Client).Inside(() => new Socket(
                ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Raw,
                ipv6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp));
            _open.Add(from);
            byte[] reply = [ipv6 ? (byte)129 : (byte)0, 0];
            byte number = 0;
            _all.Add(new Session("icmp", $"echo to {address}", () =>
            {
                number++;
                byte[] request = [ipv6 ? (byte)128 : (byte)8, 0, 0, 0, 0x42, 0x17, 0, number];
                from.SendTo(ipv6 ? request : Frames.Summed("0.0.0.0", "0.0.0.0", 1, request),
                    new IPEndPoint(IPAddress.Parse(address), 0));
                byte[] buffer = new byte[200];
                for (var clock = Stopwatch.StartNew(); clock.Elapsed < Beat;)
                {
                    if (from.Poll(Beat, SelectMode.SelectRead))
                    {
                        var answer = buffer.AsSpan(0, from.Receive(buffer))[(ipv6 ? 0 : 20)..];
                        if (answer.StartsWith(reply) && answer[5] == 0x17 && answer[7] == number)
                        {
                            return true;
                        }
                    }
                }

                return false;
            }));
        }
    }
}
