using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Benchmarks.Networking;
using Bailiwick.Domains.Refinement;
using Bailiwick.Durable.Files;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Tests.Channel;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Keys of a switch are exchanged while two machines on two hosts send to each other without a pause.
/// </summary>
public sealed class RotationTests
{
    private const int Exchanges = 10;
    private const int Port = 4000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    [Trait("Category", "Slow")]
    public async Task No_frame_is_lost_in_ten_exchanges_of_keys_under_load()
    {
        using BenchSpace one = new(), other = new();
        one.Run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", other.Name);
        using Side left = new(one, 0), right = new(other, 1);
        Side[] sides = [left, right];
        await Reached(sides, 0);
        using Stream there = new(left, right), back = new(right, left);
        foreach (Stream stream in (Stream[])[there, back])
        {
            await stream.Flows();
        }

        for (int exchange = 1; exchange <= Exchanges; exchange++)
        {
            foreach (Side side in sides)
            {
                side.Clock.Move(TunnelRotation.Lifetime.TotalSeconds);
            }

            await Reached(sides, exchange % 2);
            await Met(left, right, exchange % 2);
            foreach (TimeSpan pause in (TimeSpan[])[TunnelRotation.Overlap, TunnelRotation.Grace])
            {
                left.Clock.Move(pause.TotalSeconds);
                right.Clock.Move(pause.TotalSeconds);
                await Reached(sides, exchange % 2);
                await Reached(sides, exchange % 2);
            }

            Assert.All(sides, side => Assert.Equal([exchange % 2], side.Standing.Generations));
        }

        Assert.Equal(0, await there.Lost());
        Assert.Equal(0, await back.Lost());

        // The control: what is really cut off is seen to be lost.
        left.Space.Run("ip", "link", "set", left.Tunnels.Generations[0].Vxlan, "down");
        await Task.Delay(500, TestContext.Current.CancellationToken);
        left.Space.Run("ip", "link", "set", left.Tunnels.Generations[0].Vxlan, "up");
        Assert.NotEqual(0, await there.Lost());
    }

    /// <summary>
    /// Each brings its switch and hears what the other named, until both are sent to by the newest pair.
    /// </summary>
    private static async Task Reached(Side[] sides, int newest)
    {
        Stopwatch wait = Stopwatch.StartNew();
        do
        {
            Assert.True(wait.Elapsed < Limit, "the hosts do not reach each other");
            foreach (Side side in sides)
            {
                side.Bring();
            }

            sides[0].Hear(sides[1]);
            sides[1].Hear(sides[0]);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        while (sides.Any(side => side.SendsBy != newest));
    }

    /// <summary>
    /// The overlap of a minute is for this: whoever has put down the other's new key first asks in vain, and asks again
    /// after five seconds (WireGuard's REKEY_TIMEOUT).
    /// </summary>
    private static async Task Met(Side left, Side right, int newest)
    {
        Stopwatch wait = Stopwatch.StartNew();
        while (!left.HasMet(right, newest) || !right.HasMet(left, newest))
        {
            Assert.True(wait.Elapsed < Limit, "the new pairs do not meet");
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>One host with one machine of the domain.</summary>
    private sealed class Side : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("bailiwick-rotation-").FullName;
        private readonly PrivateDirectory _directory;
        private readonly IntegrityManager _integrity;
        private readonly SegmentKeeper _segments;
        private readonly TunnelKeeper _keeper;
        private readonly DomainPlan _domain;
        private readonly HostPlan _plan;
        private readonly HostGuard _guard;
        private readonly BenchSpace _machine = new();

        public Side(BenchSpace space, int number)
        {
            Space = space;
            // Both are on one machine, so that each names its namespaces for itself.
            string segment = Convert.ToHexStringLower(
                System.Security.Cryptography.RandomNumberGenerator.GetBytes(5));
            string own = LargeDomain.Underlay(number + 1);
            Tunnels = new EncryptedTunnels(segment,
            [
                .. Enumerable.Range(0, EncryptedTunnels.Places).Select(place => new EncryptedTunnel(
                    $"bws{segment}{place}", $"bww{segment}{place}", $"bwy{segment}{place}",
                    InnerAddress.Of(own, place))),
            ]);
            DomainPlan plan = new LargeDomain(2, 1) { First = number, Encrypted = Tunnels }.Plan();
            PeerPlan peer = plan.Network.Peers[0] with { UnderlayIpv4 = LargeDomain.Underlay(2 - number) };
            _domain = plan with { Network = plan.Network with { Peers = [peer] } };
            _plan = new HostPlan(peer.Host, new UnderlayPlan(own, []), [_domain], [], [], []);
            Number = number;

            _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
            _integrity = IntegrityManager.Open(_directory, Guid.NewGuid());
            RealHost host = new();
            RulesWatch watch = new(host);
            NetworkTools tools = new(host, watch);
            TableKeeper tables = new(tools, watch, Clock);
            PlannedNames planned = new();
            _guard = new HostGuard(tools, tables, _integrity, planned);
            _segments = new SegmentKeeper(tools, tables, _guard, _integrity, planned);
            _keeper = new TunnelKeeper(new WireGuardTools(host), new PeerTunnelKeys(), Clock);
            Space.Run("ip", "addr", "add", own + "/16", "dev", "wire");
            Space.Run("ip", "link", "set", "wire", "up");
            Bring();
            Plug();
        }

        public int Number { get; }

        public BenchSpace Space { get; }

        public BenchSpace Machine => _machine;

        public MovedClock Clock { get; } = new();

        public EncryptedTunnels Tunnels { get; }

        public StandingTunnels Standing { get; private set; } = StandingTunnels.None;

        public int? SendsBy => Standing.Ways.Values.Select(way => (int?)way.Generation).SingleOrDefault();

        /// <summary>As the Proxy does in each of its rounds.</summary>
        public void Bring() => Space.Inside(() =>
        {
            Standing = _keeper.Bring(Tunnels, TunnelKeeper.PeersOf(_domain));
            WantedSegment wanted = WantedSegment.Of(_domain, _plan.Underlay, Standing);
            WantedRules rules = new(_domain);
            _segments.Bring(_plan, wanted, rules, new Apply(new UnitStatus("domain", Clock)));
            _segments.Confirm(_plan, wanted, rules);
            return 0;
        });

        /// <summary>What the other names is taken, as if its evidence had been accepted.</summary>
        public void Hear(Side other) => _keeper.Peers.Take(
            _domain.Network.Peers[0].Host, _domain.Domain,
            [.. other._keeper.Named([other.Tunnels.Segment]).Select(key => key with { Segment = Tunnels.Segment })]);

        /// <summary>Whether the newest pairs of both have shaken hands.</summary>
        public bool HasMet(Side other, int newest)
        {
            string key = other._keeper.Named([other.Tunnels.Segment]).Single(one => one.Generation == newest).Key;
            EncryptedTunnel tunnel = Tunnels.Generations[newest];
            string said = new RealHost().Run(new ProgramCall("wg", "show", tunnel.WireGuard, "latest-handshakes")
            {
                NetworkNamespace = tunnel.Namespace,
            }).Text;
            return said.Split('\n').Any(line =>
                line.StartsWith(key, StringComparison.Ordinal) && !line.EndsWith("\t0", StringComparison.Ordinal));
        }

        public void Dispose()
        {
            _machine.Dispose();
            foreach (EncryptedTunnel tunnel in Tunnels.Generations)
            {
                using BenchSpace gone = BenchSpace.Named(tunnel.Namespace);
            }

            _integrity.Dispose();
            _directory.Dispose();
            Directory.Delete(_path, recursive: true);
        }

        private void Plug()
        {
            Space.Run(
                "ip", "link", "add", LargeDomain.Tap(Number), "mtu", "1370", "type", "veth", "peer", "name", "eth0",
                "mtu", "1370", "address", LargeDomain.Mac(Number), "netns", _machine.Name);
            Space.Run(SegmentCommands.Plug(LargeDomain.Tap(Number), LargeDomain.Bridge));
            Space.Run(SegmentCommands.Raise(LargeDomain.Tap(Number), 1370));
            _machine.Run("ip", "addr", "add", LargeDomain.Ipv4(Number) + "/8", "dev", "eth0");
            _machine.Run("ip", "link", "set", "eth0", "up");
        }
    }

    /// <summary>Numbered packets from one machine to another.</summary>
    private sealed class Stream : IDisposable
    {
        private const int PerSecond = 200;
        private readonly CancellationTokenSource _end = new();
        private readonly Socket _from;
        private readonly Socket _to;
        private readonly HashSet<int> _seen = [];
        private readonly Lock _lock = new();
        private readonly Task[] _running;
        private volatile int _sent;
        private int _first;

        public Stream(Side from, Side to)
        {
            _from = Open(from);
            _to = Open(to);
            _to.ReceiveBufferSize = 8 << 20;
            IPEndPoint target = new(IPAddress.Parse(LargeDomain.Ipv4(to.Number)), Port);
            _running = [Task.Run(() => Send(target)), Task.Run(Receive)];
        }

        /// <summary>Counts from the first packet that arrives.</summary>
        public async Task Flows()
        {
            Stopwatch wait = Stopwatch.StartNew();
            while (Seen() < 20)
            {
                Assert.True(wait.Elapsed < Limit, "nothing arrives");
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }

            lock (_lock)
            {
                _first = _seen.Max();
            }
        }

        /// <summary>How many of those that were sent until now have not arrived.</summary>
        public async Task<int> Lost()
        {
            int last = _sent;
            await Task.Delay(2000, TestContext.Current.CancellationToken);
            lock (_lock)
            {
                Assert.True(last - _first > PerSecond, "too little was sent");
                return Enumerable.Range(_first, last - _first).Count(number => !_seen.Contains(number));
            }
        }

        public void Dispose()
        {
            _end.Cancel();
            Task.WaitAll(_running);
            _from.Dispose();
            _to.Dispose();
            _end.Dispose();
        }

        private int Seen()
        {
            lock (_lock)
            {
                return _seen.Count;
            }
        }

        private static Socket Open(Side side) => side.Machine.Inside(() =>
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
            {
                ReceiveTimeout = 200,
            };
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            return socket;
        });

        private void Send(IPEndPoint target)
        {
            byte[] packet = new byte[1000];
            Stopwatch clock = Stopwatch.StartNew();
            while (!_end.IsCancellationRequested)
            {
                long due = clock.ElapsedMilliseconds * PerSecond / 1000;
                while (_sent < due)
                {
                    BitConverter.TryWriteBytes(packet, _sent);
                    _from.SendTo(packet, target);
                    _sent++;
                }

                Thread.Sleep(1);
            }
        }

        private void Receive()
        {
            _to.Bind(new IPEndPoint(IPAddress.Any, Port));
            byte[] packet = new byte[2000];
            while (!_end.IsCancellationRequested)
            {
                try
                {
                    _to.Receive(packet);
                    lock (_lock)
                    {
                        _seen.Add(BitConverter.ToInt32(packet));
                    }
                }
                catch (SocketException late) when (late.SocketErrorCode == SocketError.TimedOut)
                {
                    // Looked for the end.
                }
            }
        }
    }
}
