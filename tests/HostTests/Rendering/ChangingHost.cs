using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Durable.Files;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// One host as namespaces, brought from plan to plan by the product's own parts: tables change by elements, gateways by
/// what differs, ports live when they were observed to be right. Machines are namespaces behind pairs.
/// </summary>
internal sealed class ChangingHost : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("bw-ch-").FullName;
    private readonly PlanOnNamespaces _spaces = new();
    private readonly PrivateDirectory _directory;
    private readonly IntegrityManager _integrity;
    private readonly HostGuard _guard;
    private readonly SegmentKeeper _segments;
    private readonly GatewayKeeper _gateways;
    private readonly HostSweep _sweep;
    private readonly Dictionary<string, string> _machines = new(StringComparer.Ordinal);

    public ChangingHost()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        _integrity = IntegrityManager.Open(_directory, Guid.NewGuid());
        InsideHost host = new(_spaces);
        RulesWatch watch = new(host);
        NetworkTools tools = new(host, watch);
        TableKeeper tables = new(tools, watch, TimeProvider.System);
        PlannedNames names = new();
        _guard = new HostGuard(tools, tables, _integrity, names);
        _segments = new SegmentKeeper(tools, tables, _guard, _integrity, names);
        _gateways = new GatewayKeeper(tools, tables, _guard, _integrity, names);
        _sweep = new HostSweep(
            tools, tables, new TunnelKeeper(new WireGuardTools(host), new PeerTunnelKeys(), TimeProvider.System),
            _guard, _integrity);
    }

    /// <summary>The namespaces.</summary>
    public PlanOnNamespaces Spaces => _spaces;

    /// <summary>A machine's namespace.</summary>
    public NetSpace Machine(string machineName) =>
        new($"/proc/{_spaces.Pid}/root/run/netns/{machineName}");

    /// <summary>Brings the host to its next plan.</summary>
    public void Bring(HostPlan plan)
    {
        var apply = new Apply(new UnitStatus("host", TimeProvider.System));
        var machines = plan.Domains.SelectMany(domain => domain.Compartments)
            .ToDictionary(machine => machine.MachineName, StringComparer.Ordinal);
        // What leaves goes first.
        foreach (string gone in _machines.Where(one =>
            !machines.TryGetValue(one.Key, out CompartmentPlan? now) || Shape(now) != one.Value)
            .Select(one => one.Key).ToArray())
        {
            _spaces.Run([$"ip netns del {gone}"]);
            _machines.Remove(gone);
        }

        _guard.KeepBridgesApart();
        _guard.Ensure(plan);
        _sweep.KillStrayPorts(plan, _ => true);
        _sweep.RemoveLeftovers(plan, () => true);
        foreach (DomainPlan domain in plan.Domains)
        {
            if (domain.Gateway is { } gateway)
            {
                _gateways.Bring(gateway, domain.Network.Mtu, apply);
            }

            _segments.Bring(plan, Wanted(plan, domain), new WantedRules(domain), apply);
        }

        foreach (PassagePlan passage in plan.Passages)
        {
            WantedSegment wanted = WantedSegment.Of(passage, plan.Underlay, StandingTunnels.None);
            WantedRules rules = new(null, NftTables.ForPassage(passage));
            _segments.Bring(plan, wanted, rules, apply);
            _segments.Confirm(plan, wanted, rules);
        }

        apply.ThrowFirst();
        foreach (CompartmentPlan machine in machines.Values.Where(one => _machines.TryAdd(one.MachineName, Shape(one))))
        {
            _spaces.Run(Lines(plan, machine));
        }

        foreach (DomainPlan domain in plan.Domains)
        {
            _segments.Confirm(plan, Wanted(plan, domain), new WantedRules(domain));
        }
    }

    public void Dispose()
    {
        _spaces.Dispose();
        _integrity.Dispose();
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    private static WantedSegment Wanted(HostPlan plan, DomainPlan domain) =>
        WantedSegment.Of(domain, plan.Underlay, StandingTunnels.None);

    /// <summary>What a running machine does not change.</summary>
    private static string Shape(CompartmentPlan machine) => string.Join(' ', machine.Ports.Select(port =>
        $"{port.Device} {port.Mac} {port.Bridge} {port.Ipv4} {port.Ipv6} {port.Mtu}"));

    /// <summary>
    /// A machine whose port has the way out: to the first address of its subnet, whether or not a gateway is there yet.
    /// </summary>
    private static List<string> Lines(HostPlan plan, CompartmentPlan machine)
    {
        string name = machine.MachineName;
        PortPlan port = machine.Ports.Single();
        List<string> lines =
        [
            $"ip netns add {name}", $"ip -n {name} link set lo up",
            $"ip link add {port.Device} mtu {port.Mtu} type veth peer name eth0 address {port.Mac} mtu {port.Mtu} "
                + $"netns {name}",
            $"ip -n {name} link set eth0 addrgenmode none up",
            string.Join(' ', SegmentCommands.Plug(port.Device, port.Bridge)),
            string.Join(' ', SegmentCommands.Raise(port.Device, port.Mtu)),
            $"ip -n {name} link set eth0 addrgenmode eui64",
        ];
        if (port.Ipv4 is { } four)
        {
            lines.Add($"ip -n {name} addr add {four}/24 dev eth0");
            lines.Add($"ip -n {name} route add default via {four[..four.LastIndexOf('.')]}.1");
        }

        if (port.Ipv6 is { } six)
        {
            lines.Add($"ip -n {name} addr add {six}/64 dev eth0 nodad");
            lines.Add($"ip -n {name} route add default via {six[..six.LastIndexOf(':')]}:1");
        }

        Assert.Contains(plan.Domains, domain => domain.Network.Bridge == port.Bridge);
        return lines;
    }
}
