using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// One host as a pair of namespaces (network, mount), brought to a plan with iproute2 and nft. Machines are namespaces
/// behind pairs whose outer ends have the names of the plan's taps. All of it goes with its one holding process.
/// </summary>
internal sealed class PlanOnNamespaces : IDisposable
{
    private readonly Process _holder;
    private ImmutableSortedDictionary<string, int> _groups = ImmutableSortedDictionary<string, int>.Empty;

    public PlanOnNamespaces()
    {
        _holder = Start(["unshare", "-m", "-n", "--propagation", "private", "sh", "-c",
            "mount -t tmpfs none /run && mkdir /run/netns && mount -t sysfs none /sys && echo held && exec sleep 900"]);
        if (_holder.StandardOutput.ReadLine() != "held")
        {
            throw new InvalidOperationException(_holder.StandardError.ReadToEnd());
        }

        Space = new NetSpace($"/proc/{_holder.Id}/ns/net");
    }

    /// <summary>The host's own namespace.</summary>
    public NetSpace Space { get; }

    public int Pid => _holder.Id;

    /// <summary>A machine's namespace; its interface is <c>eth0</c>.</summary>
    public NetSpace Machine(CompartmentPlan machine) =>
        new($"/proc/{_holder.Id}/root/run/netns/{machine.MachineName}");

    /// <summary>Runs lines of plain words with sh inside; the first failure ends it.</summary>
    public string Run(IEnumerable<string> lines, string? inNamespace = null)
    {
        string[] enter = ["nsenter", "-t", _holder.Id.ToString(CultureInfo.InvariantCulture), "-m", "-n", "--"];
        string[] space = inNamespace is null ? [] : ["ip", "netns", "exec", inNamespace];
        return Finish([.. enter, .. space, "sh", "-e"], string.Join('\n', lines) + "\n");
    }

    /// <summary>Loads a table's text.</summary>
    public void Load(string table, string? inNamespace = null)
    {
        string[] enter = ["nsenter", "-t", _holder.Id.ToString(CultureInfo.InvariantCulture), "-m", "-n", "--"];
        string[] space = inNamespace is null ? [] : ["ip", "netns", "exec", inNamespace];
        Finish([.. enter, .. space, "nft", "-f", "-"], table);
    }

    /// <summary>Rules first, then devices, then machines, then live ports.</summary>
    public void Bring(HostPlan plan)
    {
        // Where the kernel has br_netfilter, bridged frames would pass the host's IP stack as well: its checks, its
        // connection tracking that all tenants share, and whatever rules the host has.
        Run(["for s in arptables iptables ip6tables; do if [ -e /proc/sys/net/bridge/bridge-nf-call-$s ]; "
            + "then echo 0 > /proc/sys/net/bridge/bridge-nf-call-$s; fi; done"]);
        Load(NftTables.ForHost(plan));
        foreach (var domain in plan.Domains)
        {
            Load(NftTables.ForDomain(domain));
            Run(Segment(WantedSegment.Of(domain, plan.Underlay, StandingTunnels.None)));
        }

        foreach (var passage in plan.Passages)
        {
            Load(NftTables.ForPassage(passage));
            Run(Segment(WantedSegment.Of(passage, plan.Underlay, StandingTunnels.None)));
        }

        foreach (var domain in plan.Domains)
        {
            if (domain.Gateway is { } gateway)
            {
                Gateway(plan, domain, gateway);
            }

            foreach (var machine in domain.Compartments)
            {
                Run(MachineLines(machine, plan));
            }
        }

        _groups = plan.Domains.Select(domain => WantedSegment.Of(domain, plan.Underlay, StandingTunnels.None))
            .Concat(plan.Passages.Select(one => WantedSegment.Of(one, plan.Underlay, StandingTunnels.None)))
            .SelectMany(segment => segment.Groups)
            .ToImmutableSortedDictionary(StringComparer.Ordinal);
        // Service points are made by who tests them.
        Revive(_groups.Keys.Except(plan.Domains.Select(domain => domain.ServicePoint?.BridgePort).OfType<string>()));
    }

    public void Revive(IEnumerable<string> ports) =>
        Run(ports.Select(port => Line(SegmentCommands.Group(port, _groups[port]))));

    public void Kill(string port) => Run([Line(SegmentCommands.Group(port, PortGroups.Dead))]);

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
    }

    private void Gateway(HostPlan plan, DomainPlan domain, GatewayPlan gateway)
    {
        Run([Line(GatewayCommands.Add(gateway))]);
        Load(NftTables.ForGateway(gateway), gateway.Namespace);
        Run([Line(GatewayCommands.Configure())], gateway.Namespace);
        Run(GatewayCommands.Build(gateway, domain.Network.Mtu).Select(Line));
        Run(Plugged(gateway.BridgePort, domain.Network.Bridge, domain.Network.Mtu));
        foreach (var leg in gateway.Legs)
        {
            var passage = plan.Passages.Single(passage => passage.Name == leg.Passage).Network;
            Run(Plugged(leg.Port, passage.Bridge, passage.Mtu));
        }
    }

    private static IEnumerable<string> Ports(DomainPlan domain) =>
        domain.Network.Ports.Select(port => port.Device)
            .Concat(new[] { domain.Network.Vxlan, domain.Gateway?.BridgePort }.OfType<string>());

    /// <summary>By the product's own commands.</summary>
    private static IEnumerable<string> Segment(WantedSegment wanted)
    {
        List<string[]> commands =
            [SegmentCommands.AddBridge(wanted.Bridge), SegmentCommands.Raise(wanted.Bridge, wanted.Mtu)];
        foreach (var tunnel in wanted.Tunnels)
        {
            commands.Add(SegmentCommands.AddTunnel(tunnel));
            commands.Add(SegmentCommands.Plug(tunnel.Device, wanted.Bridge));
            commands.Add(SegmentCommands.Unlearning(tunnel.Device));
            commands.Add(SegmentCommands.Raise(tunnel.Device, wanted.Mtu));
            commands.AddRange(tunnel.Forwards.Select(one =>
                SegmentCommands.AddForward(tunnel.Device, one.Mac, one.Peer)));
            commands.AddRange(tunnel.Forwards.Where(one => one.Mac != WantedSegment.Everybody)
                .Select(one => SegmentCommands.AddStation(tunnel.Device, one.Mac)));
        }

        return commands.Select(Line);
    }

    private static IEnumerable<string> Plugged(string device, string bridge, int mtu) =>
        [Line(SegmentCommands.Plug(device, bridge)), Line(SegmentCommands.Raise(device, mtu))];

    private static string Line(string[] command) => string.Join(' ', command);

    /// <summary>A machine's port as libvirt makes a tap: up, in its bridge, and dead until it is revived.</summary>
    public static IEnumerable<string> PortLines(string machine, PortPlan port, string device) =>
    [
        $"ip link add {port.Device} mtu {port.Mtu} type veth peer name {device} address {port.Mac} mtu {port.Mtu} "
            + $"netns {machine}",
        $"ip -n {machine} link set {device} addrgenmode none up",
        .. Plugged(port.Device, port.Bridge, port.Mtu),
        $"ip -n {machine} link set {device} addrgenmode eui64",
        $"ip -n {machine} addr add {port.Ipv4}/24 dev {device}",
        $"ip -n {machine} addr add {port.Ipv6}/64 dev {device} nodad",
    ];

    private static IEnumerable<string> MachineLines(CompartmentPlan machine, HostPlan plan)
    {
        var name = machine.MachineName;
        yield return $"ip netns add {name}";
        yield return $"ip -n {name} link set lo up";
        for (var index = 0; index < machine.Ports.Length; index++)
        {
            var port = machine.Ports[index];
            foreach (var line in PortLines(name, port, $"eth{index}"))
            {
                yield return line;
            }

            var gateway = plan.Domains.Single(domain => domain.Network.Bridge == port.Bridge).Gateway;
            foreach (var address in index == 0 ? gateway?.Addresses ?? [] : [])
            {
                yield return $"ip -n {name} route add default via {address.Split('/')[0]}";
            }
        }
    }

    private static string Finish(string[] argv, string input)
    {
        using var process = Start(argv);
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(60_000))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException(string.Join(' ', argv));
        }

        return process.ExitCode == 0
            ? output.Result
            : throw new InvalidOperationException($"{string.Join(' ', argv)}: {errors.Result}\n{Numbered(input)}");
    }

    private static string Numbered(string input)
    {
        var text = new StringBuilder();
        foreach (var (line, at) in input.Split('\n').Select((line, at) => (line, at + 1)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{at}: {line}\n");
        }

        return text.ToString();
    }

    private static Process Start(string[] argv)
    {
        var start = new ProcessStartInfo(argv[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var argument in argv.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        return Process.Start(start) ?? throw new InvalidOperationException(argv[0]);
    }
}
