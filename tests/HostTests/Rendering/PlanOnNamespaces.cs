using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// One host as a pair of namespaces (network, mount), brought to a plan with iproute2 and nft. Machines are namespaces
/// behind pairs whose outer ends have the names of the plan's taps. All of it goes with its one holding process.
/// </summary>
internal sealed class PlanOnNamespaces : IDisposable
{
    private readonly Process _holder;

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
            Run(Segment(domain.Network.Bridge, domain.Network.Vxlan, domain.Network.Number, plan.Underlay.LocalIpv4,
                domain.Network.Peers.SelectMany(peer => peer.Members.Select(member => (member.Mac, peer.UnderlayIpv4))
                    .Append(("00:00:00:00:00:00", peer.UnderlayIpv4)))));
        }

        foreach (var passage in plan.Passages)
        {
            Load(NftTables.ForPassage(passage));
            var network = passage.Network;
            Run(Segment(network.Bridge, network.Vxlan, network.Number, plan.Underlay.LocalIpv4,
                network.Peers.SelectMany(peer => peer.Legs.Select(leg => (leg.Mac, peer.UnderlayIpv4)))));
        }

        foreach (var domain in plan.Domains)
        {
            if (domain.Gateway is { } gateway)
            {
                Gateway(plan, domain, gateway);
            }

            foreach (var machine in domain.Compartments)
            {
                Run(MachineLines(machine, domain));
            }
        }

        Revive(plan.Domains.SelectMany(domain => Ports(domain))
            .Concat(plan.Passages.SelectMany(passage => passage.Ports.Select(port => port.Device)
                .Concat(new[] { passage.Network.Vxlan }.OfType<string>()))));
    }

    public void Revive(IEnumerable<string> ports) => Load(
        $"add element bridge bw_guard live_ports {{ {string.Join(", ", ports.Select(port => $"\"{port}\""))} }}\n");

    public void Kill(string port) => Load($"delete element bridge bw_guard live_ports {{ \"{port}\" }}\n");

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
    }

    private void Gateway(HostPlan plan, DomainPlan domain, GatewayPlan gateway)
    {
        var space = gateway.Namespace;
        Run([$"ip netns add {space}"]);
        Load(NftTables.ForGateway(gateway), space);
        List<string> lines =
        [
            $"ip netns exec {space} sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
            .. Pair(space, gateway.BridgePort, domain.Network.Bridge, GatewayPlan.Inside, gateway.Mac),
            .. gateway.Addresses.Select(address => Address(space, GatewayPlan.Inside, address)),
            .. gateway.Neighbours.Select(neighbour => Neighbour(
                space, GatewayPlan.Inside, neighbour.Address, neighbour.Mac)),
        ];
        foreach (var leg in gateway.Legs)
        {
            var bridge = plan.Passages.Single(passage => passage.Name == leg.Passage).Network.Bridge;
            lines.AddRange(Pair(space, leg.Port, bridge, leg.Device, leg.Mac));
            lines.Add(Address(space, leg.Device, leg.Ipv4));
            lines.Add(Address(space, leg.Device, leg.Ipv6));
            lines.AddRange(leg.Routes.Select(route => Neighbour(space, leg.Device, route.Via, route.ViaMac)));
            lines.AddRange(leg.Routes.Select(route =>
                $"ip -n {space} route replace {route.Destination} via {route.Via} dev {leg.Device} onlink"));
        }

        Run(lines);
    }

    private static IEnumerable<string> Ports(DomainPlan domain) =>
        domain.Network.Ports.Select(port => port.Device)
            .Concat(new[] { domain.Network.Vxlan, domain.Gateway?.BridgePort }.OfType<string>());

    private static IEnumerable<string> Segment(
        string bridge, string? vxlan, int number, string local, IEnumerable<(string Mac, string Peer)> forwards)
    {
        yield return $"ip link add {bridge} type bridge stp_state 0 mcast_snooping 0";
        yield return $"ip link set {bridge} mtu 1450 addrgenmode none up";
        if (vxlan is null)
        {
            yield break;
        }

        yield return $"ip link add {vxlan} type vxlan id {number} local {local} dstport 4789 nolearning";
        yield return $"ip link set {vxlan} mtu 1450 addrgenmode none master {bridge} up";
        yield return $"ip link set {vxlan} type bridge_slave learning off";
        foreach (var (mac, peer) in forwards)
        {
            yield return mac == "00:00:00:00:00:00"
                ? $"bridge fdb append {mac} dev {vxlan} dst {peer} self static"
                : $"bridge fdb replace {mac} dev {vxlan} dst {peer} self static";
            if (mac != "00:00:00:00:00:00")
            {
                yield return $"bridge fdb replace {mac} dev {vxlan} master static";
            }
        }
    }

    private static IEnumerable<string> Pair(string space, string outer, string bridge, string inner, string mac)
    {
        yield return $"ip link add {outer} mtu 1450 type veth peer name {inner} address {mac} mtu 1450 netns {space}";
        yield return $"ip -n {space} link set {inner} addrgenmode none up";
        yield return $"ip link set {outer} addrgenmode none master {bridge} up";
    }

    private static string Address(string space, string device, string address) =>
        $"ip -n {space} addr add {address} dev {device}" + (address.Contains(':') ? " nodad" : "");

    private static string Neighbour(string space, string device, string address, string mac) =>
        $"ip -n {space} neigh replace {address} lladdr {mac} dev {device} nud permanent";

    private static IEnumerable<string> MachineLines(CompartmentPlan machine, DomainPlan domain)
    {
        var port = machine.Ports.Single();
        var name = machine.MachineName;
        yield return $"ip netns add {name}";
        foreach (var line in Pair(name, port.Device, port.Bridge, "eth0", port.Mac))
        {
            yield return line;
        }

        yield return $"ip -n {name} link set lo up";
        yield return $"ip -n {name} link set eth0 addrgenmode eui64";
        yield return $"ip -n {name} addr add {port.Ipv4}/24 dev eth0";
        yield return $"ip -n {name} addr add {port.Ipv6}/64 dev eth0 nodad";
        foreach (var address in domain.Gateway?.Addresses ?? [])
        {
            yield return $"ip -n {name} route add default via {address.Split('/')[0]}";
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
