using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Networking;
using Bailiwick.Tests.Domains;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Two hosts that reach each other through ciphertext only: the product's own keepers make WireGuard and VXLAN for two
/// switches, and over the first of them datagrams go from one host's end to the other's.
/// </summary>
public sealed class CipherWire : IDisposable
{
    internal const string First = "aaaaaaaaaa";
    private const string Second = "bbbbbbbbbb";
    private const int Port = 9;

    private static readonly DomainRef[] Domains =
        [ExamplePlacements.Domain("bank/web"), ExamplePlacements.Domain("bank/ledger")];

    private readonly PlanOnNamespaces[] _hosts = [new(), new()];
    private readonly TunnelKeeper[] _keepers;
    private readonly Socket _receiver;
    private readonly Socket _sender;

    public CipherWire()
    {
        _keepers = [.. _hosts.Select(host => new TunnelKeeper(
            new WireGuardTools(new InsideHost(host)), new PeerTunnelKeys(), TimeProvider.System))];
        _hosts[0].Run(
        [
            $"ip link add under0 mtu 1500 type veth peer name under0 netns {_hosts[1].Pid}",
            "ip addr add 10.99.0.11/24 dev under0", "ip link set under0 up", "ip link set lo up",
        ]);
        _hosts[1].Run(["ip addr add 10.99.0.12/24 dev under0", "ip link set under0 up", "ip link set lo up"]);
        Converge();
        (_sender, _receiver) = (Bound(1), Bound(2));
    }

    internal PlanOnNamespaces Host(int number) => _hosts[number - 1];

    internal static string Mac(int host) => $"02:66:00:00:00:0{host}";

    /// <summary>Where a host listens for a switch's ciphertext.</summary>
    internal int PortOf(int host, bool second) =>
        _keepers[host - 1].Named([second ? Second : First]).Single().Port;

    internal FramePort Wire() => FramePort.Open(Host(1).Space, "under0");

    /// <summary>Sends from the first host's end to the second's.</summary>
    internal void Send(byte[] canary)
    {
        try
        {
            _sender.SendTo(canary, new IPEndPoint(IPAddress.Parse("10.66.0.2"), Port));
        }
        catch (SocketException)
        {
            // No way at all is no way in clear.
        }
    }

    /// <summary>What has arrived at the second host's end until nothing came for so long.</summary>
    internal List<byte[]> Arrived(int quietMilliseconds)
    {
        List<byte[]> all = [];
        while (all.Count < 10_000
            && _receiver.Poll(TimeSpan.FromMilliseconds(quietMilliseconds), SelectMode.SelectRead))
        {
            byte[] buffer = new byte[2000];
            all.Add(buffer[.._receiver.Receive(buffer)]);
        }

        return all;
    }

    /// <summary>As units do: bring, name, take, bring again, and make the tunnels that are missing.</summary>
    internal void Converge()
    {
        for (var turn = 0; turn < 2; turn++)
        {
            for (var host = 1; host <= 2; host++)
            {
                foreach (var (segment, domain) in new[] { (First, Domains[0]), (Second, Domains[1]) })
                {
                    _keepers[host - 1].Bring(Tunnels(host, segment),
                        [new EncryptedPeer(Ref(3 - host), Underlay(3 - host), domain)]);
                }
            }

            for (var host = 1; host <= 2; host++)
            {
                foreach (var (segment, domain) in new[] { (First, Domains[0]), (Second, Domains[1]) })
                {
                    _keepers[2 - host].Peers.Take(Ref(host), domain, _keepers[host - 1].Named([segment]));
                }
            }
        }

        for (var host = 1; host <= 2; host++)
        {
            MakeTunnel(host);
        }
    }

    /// <summary>The process that has a host's first switch in it.</summary>
    internal int Cipherer(int host)
    {
        var space = Directory.ResolveLinkTarget($"/proc/{Host(host).Pid}/ns/net", false)?.Name;
        foreach (var process in Directory.EnumerateDirectories("/proc")
            .Where(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out _)))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(process, "cmdline")).Contains($"wireguard-go\0bww{First}0")
                    && Directory.ResolveLinkTarget(Path.Combine(process, "ns/net"), false)?.Name == space)
                {
                    return int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture);
                }
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return 0;
    }

    public void Dispose()
    {
        _receiver.Dispose();
        _sender.Dispose();
        for (var host = 1; host <= 2; host++)
        {
            foreach (var segment in new[] { First, Second })
            {
                // The process that has the interface in it goes with it.
                Host(host).Run([$"ip netns del bws{segment}0 || true"]);
            }
        }

        foreach (var host in _hosts)
        {
            host.Dispose();
        }
    }

    private void MakeTunnel(int host)
    {
        var standing = _keepers[host - 1].Standing(Tunnels(host, First));
        if (!standing.Ways.TryGetValue(Ref(3 - host), out var way)
            || Host(host).Run([$"ip -o link show bwy{First}0 2>/dev/null || true"]).Length > 0)
        {
            return;
        }

        var place = Tunnels(host, First).Generations[0];
        var tunnel = new WantedTunnel(place.Vxlan, 7, place.Address, place.Namespace, []);
        Host(host).Run(
        [
            string.Join(' ', SegmentCommands.AddTunnel(tunnel)),
            $"ip link set {place.Vxlan} address {Mac(host)}",
            string.Join(' ', SegmentCommands.Raise(place.Vxlan, 1370)),
            string.Join(' ', SegmentCommands.AddForward(place.Vxlan, Mac(3 - host), way.Address)),
            $"ip addr add 10.66.0.{host}/24 dev {place.Vxlan}",
            $"ip neigh replace 10.66.0.{3 - host} lladdr {Mac(3 - host)} dev {place.Vxlan} nud permanent",
        ]);
    }

    private Socket Bound(int host) => Host(host).Space.Inside(() =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, Port));
        return socket;
    });

    private static HostRef Ref(int host) => ExamplePlacements.Host($"host-{host}");

    private static string Underlay(int host) => $"10.99.0.1{host}";

    private static EncryptedTunnels Tunnels(int host, string segment) => new(segment,
    [
        .. Enumerable.Range(0, EncryptedTunnels.Places).Select(number => new EncryptedTunnel(
            $"bws{segment}{number}", $"bww{segment}{number}", $"bwy{segment}{number}",
            InnerAddress.Of(Underlay(host), number))),
    ]);
}
