using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>How two machines reach each other.</summary>
internal enum SceneKind
{
    /// <summary>They are on one host.</summary>
    SameHost = 1,

    /// <summary>A VXLAN in clear is between them.</summary>
    Vxlan,

    /// <summary>A VXLAN inside WireGuard is between them.</summary>
    Encrypted,
}

/// <summary>
/// Two machines of one domain on one host or on two, with the devices and rules that their plan demands, or with the
/// same bridges and tunnels and nothing else.
/// </summary>
internal sealed partial class NetworkScene : IDisposable
{
    private const int BarePort = 51820;
    private static readonly RealHost Host = new();
    private readonly List<BenchSpace> _spaces = [];
    private readonly BenchSpace[] _machines;

    private NetworkScene() => _machines = [Space(), Space()];

    private void Build(SceneKind kind, bool isGuarded, int members)
    {
        if (kind == SceneKind.SameHost)
        {
            BenchSpace host = Space();
            DomainPlan plan = new LargeDomain(members, 2).Plan();
            Switch(host, plan, isGuarded, [0, 1]);
            return;
        }

        BenchSpace[] hosts = [Space(), Space()];
        hosts[0].Run("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", hosts[1].Name);
        EncryptedTunnels?[] tunnels =
            [.. hosts.Select((host, i) => kind == SceneKind.Encrypted ? Tunnels(host, i) : null)];
        for (int i = 0; i < hosts.Length; i++)
        {
            hosts[i].Run("ip", "addr", "add", LargeDomain.Underlay(i + 1) + "/16", "dev", "wire");
            hosts[i].Run("ip", "link", "set", "wire", "up");
            Switch(
                hosts[i], new LargeDomain(members, 1) { First = i, Encrypted = tunnels[i] }.Plan(), isGuarded, [i]);
        }

        if (kind == SceneKind.Encrypted)
        {
            Encrypt(hosts, tunnels, isGuarded);
        }

        for (int i = 0; i < hosts.Length; i++)
        {
            Tunnel(hosts[i], i, tunnels[i], isGuarded);
        }
    }

    internal static NetworkScene Make(SceneKind kind, bool isGuarded, int members)
    {
        NetworkScene scene = new();
        try
        {
            scene.Build(kind, isGuarded, members);
            scene._machines[1].Start("qperf");
            _ = scene.Seconds("tcp_lat");
            return scene;
        }
        catch (WorldException refused)
        {
            scene.Dispose();
            throw new BenchException(refused.Message);
        }
    }

    /// <summary>The seconds that a byte takes (<c>tcp_bw</c>), or that it takes to the other machine (<c>tcp_lat</c>).
    /// </summary>
    internal double Seconds(string test)
    {
        string said = _machines[0].Run(
            "qperf", "--wait_server", "5", "-t", "1", "-uu", LargeDomain.Ipv4(1), test);
        Match number = Said().Match(said);
        double value = number.Success
            ? double.Parse(number.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new BenchException($"qperf did not tell a number: {said}");
        return test == "tcp_bw" ? 1 / value : value / 1e9;
    }

    public void Dispose() => _spaces.ForEach(space => space.Dispose());

    private BenchSpace Space()
    {
        BenchSpace space = new();
        _spaces.Add(space);
        return space;
    }

    /// <summary>Rules first, then the bridge and the machines' ports.</summary>
    private void Switch(BenchSpace host, DomainPlan plan, bool isGuarded, int[] members)
    {
        host.Run(SegmentCommands.KeepBridgesApart());
        if (isGuarded)
        {
            string[] local = [.. Enumerable.Range(1, 2).Select(LargeDomain.Underlay)];
            UnderlayPlan underlay = new(
                local[members[0]],
                [.. local.Select(peer => new TunnelPlan(peer, LargeDomain.Number, plan.Reason))]);
            HostPlan whole = new(
                new HostRef(PartyId.Unsigned("operator"), StatementName.Parse("host")), underlay, [plan], [], [], []);
            foreach (string text in (string[])
                [NftTables.ForHost(whole), NftTables.ForDomain(plan), FlowTables.ForDomain(plan)])
            {
                Load(host, text);
            }
        }

        host.Run(SegmentCommands.AddBridge(LargeDomain.Bridge));
        host.Run(SegmentCommands.Raise(LargeDomain.Bridge, plan.Network.Mtu));
        foreach (int member in members)
        {
            string mtu = plan.Network.Mtu.ToString(CultureInfo.InvariantCulture);
            BenchSpace machine = _machines[member];
            string tap = LargeDomain.Tap(member);
            host.Run(
                "ip", "link", "add", tap, "mtu", mtu, "type", "veth", "peer", "name", "eth0", "mtu", mtu, "address",
                LargeDomain.Mac(member), "netns", machine.Name);
            Plug(host, tap, plan.Network.Mtu, isGuarded ? PortKind.Machine : null);
            machine.Run("ip", "addr", "add", LargeDomain.Ipv4(member) + "/8", "dev", "eth0");
            machine.Run("ip", "link", "set", "eth0", "up");
        }
    }

    private static void Tunnel(BenchSpace host, int number, EncryptedTunnels? tunnels, bool isGuarded)
    {
        (string own, string other) = tunnels is null
            ? (LargeDomain.Underlay(number + 1), LargeDomain.Underlay(2 - number))
            : (InnerAddress.Of(LargeDomain.Underlay(number + 1), 0),
                InnerAddress.Of(LargeDomain.Underlay(2 - number), 0));
        WantedTunnel tunnel = new(
            tunnels?.Generations[0].Vxlan ?? LargeDomain.Vxlan, LargeDomain.Number, own,
            isGuarded ? tunnels?.Generations[0].Namespace : null, []);
        int mtu = tunnels is null ? 1450 : 1370;
        host.Run(SegmentCommands.AddTunnel(tunnel));
        Plug(host, tunnel.Device, mtu, isGuarded ? PortKind.Tunnel : null);
        host.Run(SegmentCommands.Unlearning(tunnel.Device));
        string mac = LargeDomain.Mac(1 - number);
        host.Run(SegmentCommands.AddForward(tunnel.Device, mac, other));
        host.Run(SegmentCommands.AddForward(tunnel.Device, WantedSegment.Everybody, other));
        host.Run(SegmentCommands.AddStation(tunnel.Device, mac));
    }

    private static void Plug(BenchSpace host, string device, int mtu, PortKind? live)
    {
        host.Run(SegmentCommands.Plug(device, LargeDomain.Bridge));
        host.Run(SegmentCommands.Raise(device, mtu));
        if (live is { } kind)
        {
            host.Run(SegmentCommands.Group(device, PortGroups.Of(kind, LargeDomain.Number)));
        }
    }

    /// <summary>WireGuard as the Proxy makes it, or the same program in the host's own namespace.</summary>
    private static void Encrypt(BenchSpace[] hosts, EncryptedTunnels?[] tunnels, bool isGuarded)
    {
        EncryptedTunnel[] ours = [.. tunnels.OfType<EncryptedTunnels>().Select(one => one.Generations[0])];
        if (!isGuarded)
        {
            // The programs' sockets have the names of their devices, and are in one directory.
            string[] devices = [.. hosts.Select(host => host.Name.Replace("bwbench-", "b-", StringComparison.Ordinal))];
            string[] keys = [.. hosts.Zip(devices).Select(pair => BareKey(pair.First, pair.Second))];
            for (int i = 0; i < hosts.Length; i++)
            {
                string device = devices[i];
                string peer = LargeDomain.Underlay(2 - i);
                hosts[i].Run(
                    "wg", "set", device, "peer", keys[1 - i], "endpoint", $"{peer}:{BarePort}", "allowed-ips",
                    InnerAddress.Of(peer, 0) + "/128");
                hosts[i].Run(
                    "ip", "addr", "add", InnerAddress.Of(LargeDomain.Underlay(i + 1), 0) + "/128", "dev", device);
                hosts[i].Run(
                    "ip", "link", "set", device, "mtu", WireGuardTools.Mtu.ToString(CultureInfo.InvariantCulture),
                    "up");
                hosts[i].Run("ip", "route", "add", InnerAddress.Prefix, "dev", device);
            }

            return;
        }

        WireGuardTools tools = new(Host);
        ObservedWireGuard[] seen =
        [
            .. hosts.Select((host, i) => host.Inside(() =>
            {
                tools.Make(ours[i]);
                return tools.Observe(ours[i], null, listen: false)
                    ?? throw new BenchException("WireGuard is not there");
            })),
        ];
        for (int i = 0; i < hosts.Length; i++)
        {
            string peer = LargeDomain.Underlay(2 - i);
            WireGuardPeer wanted = new(
                seen[1 - i].Key, $"{peer}:{seen[1 - i].Port}", InnerAddress.Of(peer, 0) + "/128");
            hosts[i].Inside(() =>
            {
                tools.SetPeers(
                    ours[i], seen[i], [wanted], ImmutableHashSet<string>.Empty, (_, refused) => throw refused);
                return 0;
            });
        }
    }

    private static string BareKey(BenchSpace host, string device)
    {
        host.Run("wireguard-go", device);
        Host.Run(new ProgramCall(
            "wg", "set", device, "listen-port", BarePort.ToString(CultureInfo.InvariantCulture), "private-key",
            "/dev/stdin")
        {
            Input = Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) + "\n"),
            NetworkNamespace = host.Name,
        });
        return host.Run("wg", "show", device, "public-key").Trim();
    }

    private EncryptedTunnels Tunnels(BenchSpace host, int number)
    {
        string segment = host.Segment;
        string local = LargeDomain.Underlay(number + 1);
        ImmutableArray<EncryptedTunnel> all =
        [
            .. Enumerable.Range(0, EncryptedTunnels.Places).Select(place => new EncryptedTunnel(
                $"bws{segment}{place}", $"bww{segment}{place}", $"bwy{segment}{place}",
                InnerAddress.Of(local, place))),
        ];
        _spaces.Insert(0, BenchSpace.Named(all[0].Namespace));
        return new EncryptedTunnels(segment, all);
    }

    private static void Load(BenchSpace host, string text) => Host.Run(new ProgramCall("nft", "-f", "-")
    {
        Input = Encoding.ASCII.GetBytes(text), NetworkNamespace = host.Name,
    });

    [GeneratedRegex(@"= +([0-9.e+]+) ")]
    private static partial Regex Said();
}
