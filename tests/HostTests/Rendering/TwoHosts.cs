using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Refinement;
using Bailiwick.Lab.Hosts;
using Bailiwick.Tests.Domains;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Two hosts with an underlay between them, each brought to its plan. The hospital's records and the bank's web have
/// the same addresses; flows go from the web to the ledger, on one host and across.
/// </summary>
public sealed class TwoHosts : IDisposable
{
    internal const string Grant =
        "    - {to: bank/ledger, machines: [front], network: {protocol: tcp, ports: [5432]}}\n";

    private const string Acceptance = "    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n";

    private static readonly PlacementProposal[] Placed =
    [
        Proposal("hospital/records-1", "host-1"), Proposal("hospital/records-2", "host-2"),
        Proposal("bank/web-1", "host-1"), Proposal("bank/web-2", "host-2"),
        Proposal("bank/ledger-1", "host-2"), Proposal("bank/ledger-2", "host-1"),
        Proposal("bank/both-1", "host-1"), Proposal("regulator/inspector-1", "host-1"),
    ];

    private readonly PlanOnNamespaces[] _hosts = [new(), new()];
    private readonly HostPlan[] _plans;

    public TwoHosts()
        : this(Policies)
    {
    }

    private TwoHosts(Example policies)
    {
        try
        {
            _plans = [Plan(policies, 1), Plan(policies, 2)];
            Wire();
            _hosts[0].Bring(_plans[0]);
            _hosts[1].Bring(_plans[1]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A machine of the bank with a port in each of its two domains.</summary>
    private const string Both =
        "kind: Compartment\nname: both-1\ncpus: 1\nmemoryMiB: 112\nboot: {image: guest}\ndisks: []\nnics:\n"
        + "  - {domain: web, ipv4: 10.20.1.13, ipv6: \"fd20:1::13\"}\n"
        + "  - {domain: ledger, ipv4: 10.20.2.13, ipv6: \"fd20:2::13\"}\n"
        + "devices: [console, probe]\nplacement: {hosts: [host-1]}";

    /// <summary>
    /// The example with machines on two hosts, and flows of every protocol. The web never demands ciphertext, so its
    /// frames may be longer than the ledger's; the regulator has a machine on one host alone.
    /// </summary>
    internal static Example Policies { get; } = Example.ThreeTenants
        .With("bank/web.yaml", "placement: {hosts: [host-3], apartFrom: [web-1]}", "placement: {hosts: [host-2]}")
        .With("bank/ledger.yaml", "placement: {hosts: [host-3]}", "placement: {hosts: [host-1]}")
        .With("bank/web.yaml", "confidentiality: untrusted-links", "confidentiality: none")
        .With("regulator/inspection.yaml", "placement: {hosts: [host-3]}", "placement: {hosts: [host-1]}")
        .Plus("bank/web.yaml", Both)
        .With("bank/web.yaml", Grant, Grant
            + "    - {to: bank/ledger, network: {protocol: udp, ports: [\"5350-5360\"]}}\n"
            + "    - {to: bank/ledger, network: {protocol: icmp}}\n")
        .With("bank/ledger.yaml", Acceptance, Acceptance
            + "    - {from: bank/web, network: {protocol: udp, ports: [\"5353-5400\"]}}\n"
            + "    - {from: bank/web, network: {protocol: icmp}}\n");

    /// <summary>The same hosts under other policies.</summary>
    internal static TwoHosts Under(Example policies) => new(policies);

    internal PlanOnNamespaces Host(int number) => _hosts[number - 1];

    internal HostPlan PlanOf(int number) => _plans[number - 1];

    internal static HostPlan Plan(Example policies, int number) =>
        Refine.ForHost(Datacentre(policies), Placed, ExamplePlacements.Host($"host-{number}"), Now);

    internal DomainPlan Domain(int host, string name) =>
        PlanOf(host).Domains.Single(domain => domain.DisplayName == name);

    internal (int Host, CompartmentPlan Plan) Machine(string name) => MachineIn(_plans, name);

    /// <summary>A machine and the number of the host whose plan has it; the first plan is host 1's.</summary>
    internal static (int Host, CompartmentPlan Plan) MachineIn(IEnumerable<HostPlan> plans, string name) => plans
        .SelectMany((plan, at) => plan.Domains.SelectMany(domain => domain.Compartments)
            .Select(machine => (at + 1, machine)))
        .Single(machine => machine.machine.DisplayName == name);

    internal NetSpace Space(string name)
    {
        var (host, machine) = Machine(name);
        return Host(host).Machine(machine);
    }

    internal FramePort Frames(string name, int port = 0) => FramePort.Open(Space(name), $"eth{port}");

    /// <summary>What the counters of a table of a host, or one of them, have counted together.</summary>
    internal long Counted(
        int host, string family, string table, string? inNamespace = null, string? only = null)
    {
        using var told = JsonDocument.Parse(
            Host(host).Run([$"nft -j list counters table {family} {table}"], inNamespace));
        return told.RootElement.GetProperty("nftables").EnumerateArray()
            .Sum(row => row.TryGetProperty("counter", out var one)
                && (only is null || one.GetProperty("name").GetString() == only)
                ? one.GetProperty("packets").GetInt64() : 0);
    }

    internal Socket Listen(string name, int port, bool ipv6 = false) => Space(name).Inside(() =>
    {
        var socket = new Socket(ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Stream, 0);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(ipv6 ? IPAddress.IPv6Any : IPAddress.Any, port));
        socket.Listen(16);
        return socket;
    });

    /// <summary>A connected socket, or null if there is no connection within a second and a half.</summary>
    internal Socket? Connect(string name, string address, int port, int fromPort = 0)
    {
        var to = IPAddress.Parse(address);
        var socket = Space(name).Inside(() => new Socket(to.AddressFamily, SocketType.Stream, 0));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        try
        {
            if (fromPort != 0)
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, fromPort));
            }

            if (socket.ConnectAsync(new IPEndPoint(to, port)).Wait(1500))
            {
                return socket;
            }
        }
        catch (Exception fault) when (fault is SocketException or AggregateException)
        {
            // Refused or unreachable: not connected.
        }

        socket.Dispose();
        return null;
    }

    internal Socket Datagrams(string name, int port, bool ipv6 = false) => Space(name).Inside(() =>
    {
        var socket = new Socket(ipv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Dgram, 0)
        {
            ReceiveTimeout = 1000,
        };
        socket.Bind(new IPEndPoint(ipv6 ? IPAddress.IPv6Any : IPAddress.Any, port));
        return socket;
    });

    internal static byte[] Canary() => Encoding.ASCII.GetBytes($"canary-{Guid.NewGuid():N}");

    public void Dispose()
    {
        foreach (var host in _hosts)
        {
            host.Dispose();
        }
    }

    private void Wire()
    {
        Host(1).Run(
        [
            $"ip link add under0 mtu 1500 type veth peer name under0 netns {Host(2).Pid}",
            "ip addr add 10.99.0.11/24 dev under0", "ip link set under0 up", "ip link set lo up",
        ]);
        Host(2).Run(["ip addr add 10.99.0.12/24 dev under0", "ip link set under0 up", "ip link set lo up"]);
    }
}

/// <summary>Tests that share two hosts run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class TwoHostsGroup : ICollectionFixture<TwoHosts>
{
    public const string Name = "Two hosts";
}
