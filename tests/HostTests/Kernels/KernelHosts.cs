using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Tests.Domains;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.HostTests.Rendering.Frames;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Kernels;

/// <summary>
/// Three hosts at one switch, on a kernel that has all that hosts may use. The first two carry the VLANs of their rack;
/// the third is across the street and reached in ciphertext. The bank's web is on all of them, the hospital's records
/// on the rack's, with the same addresses.
/// </summary>
public sealed partial class KernelHosts : IDisposable
{
    private const int Tries = 40;
    private const int Patience = 1000;

    // Each of these makes something and takes it away with the namespace it is made in.
    private static readonly (string Part, string Probe)[] Parts =
    [
        ("WireGuard", "ip link add probe type wireguard"),
        ("802.1Q", "ip link add near type veth peer name far && ip link add link near name probe type vlan id 7"),
        ("filtering of VLANs by bridges", "ip link add probe type bridge vlan_filtering 1"),
        ("br_netfilter", "test -e /proc/sys/net/bridge/bridge-nf-call-iptables"),
    ];

    internal const int FirstVlan = 100;
    internal const int LastVlan = 199;

    private const int Count = 3;

    private const string Third = "kind: Compartment\nname: web-3\ncpus: 1\nmemoryMiB: 112\nboot: {image: guest}\n"
        + "disks: []\nnics: [{domain: web, ipv4: 10.20.1.13, ipv6: \"fd20:1::13\"}]\ndevices: [console, probe]\n"
        + "placement: {hosts: [host-3]}";

    private static readonly PlacementProposal[] Placed =
    [
        Proposal("hospital/records-1", "host-1"), Proposal("hospital/records-2", "host-2"),
        Proposal("bank/web-1", "host-1"), Proposal("bank/web-2", "host-2"), Proposal("bank/web-3", "host-3"),
    ];

    private readonly PlanOnNamespaces? _switch;
    private readonly KernelHost[] _hosts = [];
    private readonly string _lacks;
    private HostPlan[] _plans = [];

    public KernelHosts()
    {
        using (PlanOnNamespaces probed = new())
        {
            _lacks = string.Join(", ", Parts.Where(part => !Has(probed, part.Probe)).Select(part => part.Part));
        }

        if (_lacks.Length > 0)
        {
            return;
        }

        _switch = new PlanOnNamespaces();
        _hosts = [.. Enumerable.Range(0, Count).Select(_ => new KernelHost())];
        Wire(_switch);
        Bring(Policies);
    }

    /// <summary>No flows, and so no gateways: what is looked at is the switches.</summary>
    internal static Example Policies { get; } = Example.ThreeTenants
        .With("bank/web.yaml", "placement: {hosts: [host-3], apartFrom: [web-1]}", "placement: {hosts: [host-2]}")
        .With("bank/web.yaml", "  grants:\n" + TwoHosts.Grant, "  grants: []\n")
        .Plus("bank/web.yaml", Third)
        .With("alpine/hosts.yaml", "{ipv4: 10.99.0.11}", "{ipv4: 10.99.0.11, vlans: rack-a}")
        .With("alpine/hosts.yaml", "{ipv4: 10.99.0.12}", "{ipv4: 10.99.0.12, vlans: rack-a}")
        .With("alpine/hosts.yaml", "medium: trusted-segment",
            $"medium: trusted-segment\nvlans: {{first: {FirstVlan}, last: {LastVlan}}}");

    /// <summary>Skips the test where the kernel lacks what it is about.</summary>
    internal void Ready() => Assert.SkipWhen(_lacks.Length > 0, $"The kernel lacks {_lacks}.");

    internal KernelHost Host(int number) => _hosts[number - 1];

    internal HostPlan PlanOf(int number) => _plans[number - 1];

    internal DomainPlan Domain(int host, string name) =>
        PlanOf(host).Domains.Single(domain => domain.DisplayName == name);

    internal (int Host, CompartmentPlan Plan) Machine(string name) => TwoHosts.MachineIn(_plans, name);

    internal FramePort Frames(string name)
    {
        var (host, machine) = Machine(name);
        return FramePort.Open(Host(host).Machine(machine), "eth0");
    }

    /// <summary>The frames on a host's cable, as its switch sees them.</summary>
    internal FramePort Cable(int host) => FramePort.Open(
        _switch?.Space ?? throw new InvalidOperationException(), $"cable{host}");

    /// <summary>Brings all hosts to these policies, and lets them hear each other's keys.</summary>
    internal void Bring(Example policies)
    {
        CheckedDatacentre datacentre = Datacentre(policies);
        _plans =
        [
            .. Enumerable.Range(1, _hosts.Length).Select(number => Refine.ForHost(
                datacentre, Placed, ExamplePlacements.Host($"host-{number}"), Now)),
        ];
        // Named after the first, heard, and sent to after the second.
        for (int turn = 0; turn < 2; turn++)
        {
            for (int host = 0; host < _hosts.Length; host++)
            {
                _hosts[host].Bring(_plans[host], again: turn > 0);
            }

            foreach (var (host, other) in from host in Enumerable.Range(0, _hosts.Length)
                     from other in Enumerable.Range(0, _hosts.Length) where host != other select (host, other))
            {
                _hosts[host].Hear(_hosts[other], ExamplePlacements.Host($"host-{other + 1}"), _plans[host]);
            }
        }
    }

    /// <summary>Whether what one machine sends to another arrives, within many tries: keys may have to be agreed on.
    /// </summary>
    internal bool Reaches(string from, string to)
    {
        using FramePort origin = Frames(from), there = Frames(to);
        Stopwatch clock = Stopwatch.StartNew();
        for (int turn = 0; turn < Tries; turn++)
        {
            byte[] canary = TwoHosts.Canary();
            origin.Send(Honest(from, to, canary));
            if (there.Sees(canary, Patience))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A frame as a machine may send it to another of its domain.</summary>
    internal byte[] Honest(string from, string to, byte[] canary)
    {
        Station own = Station.Of(Machine(from).Plan.Ports[0]), other = Station.Of(Machine(to).Plan.Ports[0]);
        return Ethernet(other.Mac, own.Mac, 0x0800, Ipv4(own.V4, other.V4, 17, Udp(9, 9, canary)));
    }

    /// <summary>A frame to everybody in the machine's domain.</summary>
    internal byte[] ToAll(string from, byte[] canary)
    {
        Station own = Station.Of(Machine(from).Plan.Ports[0]);
        return Ethernet(Broadcast, own.Mac, 0x0800, Ipv4(own.V4, "255.255.255.255", 17, Udp(9, 9, canary)));
    }

    public void Dispose()
    {
        foreach (KernelHost host in _hosts)
        {
            host.Dispose();
        }

        _switch?.Dispose();
    }

    /// <summary>How many frames of a VLAN the switch has had from the first host.</summary>
    internal long Tagged(int number)
    {
        string name = $"vlan{number}";
        PlanOnNamespaces hub = _switch ?? throw new InvalidOperationException();
        string told = hub.Run([
            $"nft list counter bridge seen {name} 2>/dev/null || nft -f - <<E",
            "table bridge seen {", $"counter {name} {{ }}",
            $"chain {name} {{", "type filter hook prerouting priority 0;",
            $"iifname cable1 vlan id {number} counter name {name}", "}", "}", "E"]);
        Match packets = Packets().Match(told);
        return packets.Success ? long.Parse(packets.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex("packets ([0-9]+)")]
    private static partial Regex Packets();

    private static bool Has(PlanOnNamespaces spaces, string probe) =>
        spaces.Run([$"unshare -n sh -c '{probe}' >/dev/null 2>&1 && echo yes || echo no"]).Trim() == "yes";

    /// <summary>Each host's cable is a port of the operator's switch, which knows VLANs.</summary>
    private void Wire(PlanOnNamespaces hub)
    {
        hub.Run(["ip link add wire type bridge vlan_filtering 1", "ip link set wire up"]);
        for (int number = 1; number <= _hosts.Length; number++)
        {
            hub.Run(
            [
                $"ip link add cable{number} mtu 1500 type veth peer name under0 netns {Host(number).Pid}",
                $"ip link set cable{number} master wire up",
                .. number == Count ? [] : new[] { $"bridge vlan add dev cable{number} vid {FirstVlan}-{LastVlan}" },
            ]);
            Host(number).Run(
                $"ip addr add 10.99.0.1{number}/24 dev under0", "ip link set under0 up", "ip link set lo up");
        }
    }
}

/// <summary>Tests that share the hosts run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class KernelHostsGroup : ICollectionFixture<KernelHosts>
{
    public const string Name = "Kernel hosts";
}
