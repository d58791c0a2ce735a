using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Tests.Domains.Modelling;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Random datacentres on two real hosts, changed at random by the product's own parts: what real connections, datagrams
/// and echoes do is what the naive model says, in both families.
/// </summary>
public sealed class RandomPacketTests
{
    private const int Rounds = 2, ChangesOfRound = 8, AtOnce = 80, MostProbes = 160;
    private static readonly string[] Stay = ["h0", "h1"];
    private static readonly bool[] Families = [false, true];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task After_random_changes_real_packets_reach_whom_a_naive_model_says(int seed)
    {
        var random = new Random(seed);
        Sketch sketch = Plain(SketchDraw.Of(random, domains: 5, machines: 9, hosts: 2));
        var product = new CheckedSketch();
        var (open, closed) = (0, 0);
        using ChangingHost one = new(), other = new();
        Wire(one, other);
        ChangingHost[] hosts = [one, other];
        for (int round = 0; round <= Rounds; round++)
        {
            product.Become(sketch);
            for (int host = 0; host < hosts.Length; host++)
            {
                hosts[host].Bring(product.Plans[host]);
            }

            var probes = Probes(sketch, product.Plans, hosts, random).ToList();
            await Ask(probes);
            Assert.All(probes, probe => Assert.True(
                probe.Reached == probe.IsOpen, $"seed {seed}, round {round}: {probe.Words}: reached {probe.Reached}"));
            open += probes.Count(probe => probe.IsOpen);
            closed += probes.Count(probe => !probe.IsOpen);
            for (int change = 0; change < ChangesOfRound; change++)
            {
                sketch = Plain(Changes.Draw(random, sketch).Apply(sketch));
            }
        }

        Assert.True(open >= 60 && closed >= 120, $"{open} open, {closed} closed");
    }

    /// <summary>
    /// What namespaces can be: two hosts that stay, tunnels in clear, machines of one port, volumes that are nobody's.
    /// </summary>
    private static Sketch Plain(Sketch sketch) => sketch with
    {
        Hosts = sketch.Hosts.SetItems(Stay.Except(sketch.Hosts.Keys)
            .Select(name => KeyValuePair.Create(name, new SketchedHost("CH", 40)))).RemoveRange(["h2"]),
        Links = [],
        Domains = sketch.Domains.SetItems(sketch.Domains.Select(domain =>
            KeyValuePair.Create(domain.Key, domain.Value with
            {
                Confidentiality = "none", AddressesBy = "none", TellsNames = false,
            }))),
        Machines = sketch.Machines.SetItems(sketch.Machines.Select(machine =>
            KeyValuePair.Create(machine.Key, machine.Value with { Nics = [machine.Value.Nics[0]], Disks = [] }))),
    };

    private static void Wire(ChangingHost one, ChangingHost other)
    {
        one.Spaces.Run(
        [
            $"ip link add under0 mtu 1500 type veth peer name under0 netns {other.Spaces.Pid}",
            "ip addr add 10.99.0.10/24 dev under0", "ip link set under0 up", "ip link set lo up",
        ]);
        other.Spaces.Run(["ip addr add 10.99.0.11/24 dev under0", "ip link set under0 up", "ip link set lo up"]);
    }

    /// <summary>A sample of what is open and of what is closed. Who has the sender's own addresses cannot be named.
    /// </summary>
    private static IEnumerable<Probe> Probes(
        Sketch sketch, IReadOnlyList<HostPlan> plans, ChangingHost[] hosts, Random random)
    {
        var model = new NaiveModel(sketch);
        Asked[] asked =
        [
            .. sketch.Domains.Values.SelectMany(domain => domain.Grants).Select(term => term.What)
                .OfType<Resource.Network>().Where(what => what.Protocol != "icmp").SelectMany(what =>
                    new[] { what.First - 1, what.First, what.Last, what.Last + 1 }.Select(port =>
                        new Asked(what.Protocol, port)))
                .Where(one => one.Port is > 0 and <= 65535 and not (67 or 68 or 546 or 547))
                .Append(new Asked("tcp", 22)).Append(new Asked("icmp", 0)).Distinct(),
        ];
        var all = (
            from @from in model.Runs.Keys
            from to in model.Runs.Keys
            where @from != to
            from what in asked
            from ipv6 in Families
            let client = sketch.Machines[@from].Nics[0]
            let server = sketch.Machines[to].Nics[0]
            where client.Has(ipv6) && server.Has(ipv6)
            let address = model.Address(to, server.Domain, client.Domain, ipv6)
            where client.Domain == server.Domain
                || address != sketch.Domains[client.Domain].Block.Address(server.Place, ipv6)
            select new Probe(
                End(plans, hosts, @from), End(plans, hosts, to), what, IPAddress.Parse(address),
                model.Speaks(@from, to, what, ipv6), $"{@from} to {to}, {what}, {address}")).ToArray();
        random.Shuffle(all);
        return all.Where(probe => probe.IsOpen).Take(MostProbes / 2)
            .Concat(all.Where(probe => !probe.IsOpen).Take(MostProbes / 2));
    }

    private static (ChangingHost, string) End(IReadOnlyList<HostPlan> plans, ChangingHost[] hosts, string machine) =>
        plans.SelectMany((plan, at) => plan.Domains.SelectMany(domain => domain.Compartments)
            .Where(one => one.Ref == Machine(machine)).Select(one => (hosts[at], one.MachineName))).Single();

    private static async Task Ask(List<Probe> probes)
    {
        var servers = new Dictionary<(string, Asked, AddressFamily), Socket>();
        try
        {
            foreach (Probe probe in probes.Where(probe => probe.Asked.Port > 0))
            {
                var key = (probe.Server.Name, probe.Asked, probe.Address.AddressFamily);
                if (!servers.ContainsKey(key))
                {
                    servers.Add(key, probe.Serve());
                }
            }

            foreach (Probe[] some in probes.Chunk(AtOnce))
            {
                await Task.WhenAll(some.Select(probe => Task.Factory.StartNew(
                    probe.Run, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning,
                    TaskScheduler.Default)));
            }
        }
        finally
        {
            foreach (Socket socket in servers.Values)
            {
                socket.Dispose();
            }
        }
    }

    /// <summary>A question that a real client asks a real server.</summary>
    private sealed record Probe(
        (ChangingHost Host, string Name) Client, (ChangingHost Host, string Name) Server, Asked Asked,
        IPAddress Address, bool IsOpen, string Words)
    {
        public bool Reached { get; private set; }

        /// <summary>A busy machine may be late with one answer and another; what is closed is asked once.</summary>
        public void Run()
        {
            for (int attempt = 0; attempt < (IsOpen ? 4 : 1) && !Reached; attempt++)
            {
                Reached = Asked.Protocol switch
                {
                    "tcp" => Connects(),
                    "udp" => Exchanges(),
                    _ => Client.Host.Spaces.Run([$"ping -n -c 1 -W 1 {Address} || echo silence"], Client.Name)
                        .Contains(" 0% packet loss", StringComparison.Ordinal),
                };
            }
        }

        public Socket Serve()
        {
            bool isTcp = Asked.Protocol == "tcp";
            Socket socket = Server.Host.Machine(Server.Name).Inside(() =>
            {
                var made = Open(isTcp);
                made.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                made.Bind(new IPEndPoint(Any(Address.AddressFamily), Asked.Port));
                return made;
            });
            if (isTcp)
            {
                socket.Listen(64);
                return socket;
            }

            _ = Task.Factory.StartNew(
                () => Echo(socket), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            return socket;
        }

        private Socket Open(bool isTcp)
        {
            var socket = new Socket(
                Address.AddressFamily, isTcp ? SocketType.Stream : SocketType.Dgram, ProtocolType.Unspecified);
            if (Address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            return socket;
        }

        private bool Connects()
        {
            using Socket socket = Client.Host.Machine(Client.Name).Inside(() => Open(isTcp: true));
            try
            {
                return socket.ConnectAsync(new IPEndPoint(Address, Asked.Port)).Wait(1200);
            }
            catch (AggregateException)
            {
                // Refused or unreachable.
                return false;
            }
        }

        private bool Exchanges()
        {
            using Socket socket = Client.Host.Machine(Client.Name).Inside(() => Open(isTcp: false));
            socket.ReceiveTimeout = 1000;
            try
            {
                EndPoint server = new IPEndPoint(Address, Asked.Port);
                socket.SendTo("asked"u8, server);
                return socket.ReceiveFrom(new byte[16], ref server) == 5;
            }
            catch (SocketException)
            {
                // Nobody answers, or the sender knows no way there.
                return false;
            }
        }

        private static IPAddress Any(AddressFamily family) =>
            family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;

        private static void Echo(Socket socket)
        {
            byte[] buffer = new byte[16];
            try
            {
                while (true)
                {
                    EndPoint from = new IPEndPoint(Any(socket.AddressFamily), 0);
                    int count = socket.ReceiveFrom(buffer, ref from);
                    socket.SendTo(buffer.AsSpan(0, count), from);
                }
            }
            catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
            {
                // Closed: the round has ended.
            }
        }
    }
}
