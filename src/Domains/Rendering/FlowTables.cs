using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>Where frames of one machine are counted, in the order in which they pass.</summary>
public enum CountedAt
{
    /// <summary>All that the machine sends, before any rule of its domain.</summary>
    Asked = 1,
    /// <summary>What of it the domain's switch passes on.</summary>
    Sent,
    /// <summary>
    /// What the switch passes to the machine, but for what comes from the domain's machines of the same host: that is
    /// counted once, where it is sent.
    /// </summary>
    Got,
    /// <summary>What comes to the domain's gateway from the machine, or for it.</summary>
    AtGateway,
    /// <summary>What of it the gateway passes on.</summary>
    ThroughGateway,
}

/// <summary>A set of counters: one machine's share of one table.</summary>
/// <param name="Namespace">The network namespace of the table; null for the host's own.</param>
/// <param name="Family">The table's family.</param>
/// <param name="Table">The table.</param>
/// <param name="Set">The set.</param>
/// <param name="Device">The machine's port.</param>
/// <param name="At">What it counts.</param>
public sealed record CountedSet(
    string? Namespace, string Family, string Table, string Set, string Device, CountedAt At);

/// <summary>
/// Tables that count and decide nothing: every chain accepts, none of their rules drops. They stand beside the tables
/// that filter, so that what changes by itself is nowhere where a change would mean drift. Each machine has sets of its
/// own of bounded size, so that one that floods with random ports fills nobody else's.
/// </summary>
/// <remarks>
/// An element is a client, a server, a protocol and the server's port. Bridges have no connection tracking, so which of
/// two ports is the server's is told by the opening of a TCP connection, and else by the ranges: a port from 32768 on
/// that speaks with one below is the client's (Linux, ip_local_port_range). Broadcast, multicast and neighbour
/// discovery are not counted.
/// </remarks>
public static class FlowTables
{
    /// <summary>Most elements of one set.</summary>
    public const int SetSize = 256;

    /// <summary>After this many seconds without a frame an element goes.</summary>
    public const int IdleSeconds = 300;

    /// <summary>What the names of the tables in the host's own namespace begin with.</summary>
    public const string Prefix = "bwf_";

    /// <summary>The table in each gateway's namespace.</summary>
    public const string GatewayTable = "bw_flows";

    private static readonly ImmutableArray<(CountedAt At, string Letter)> OnSwitch =
        [(CountedAt.Asked, "a"), (CountedAt.Sent, "s"), (CountedAt.Got, "g")];

    private static readonly ImmutableArray<(CountedAt At, string Letter)> OnGateway =
        [(CountedAt.AtGateway, "a"), (CountedAt.ThroughGateway, "t")];

    /// <summary>The name of the counting table of a domain's switch.</summary>
    public static string TableOf(DomainPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Network.Table.Replace("bw_", Prefix, StringComparison.Ordinal);
    }

    /// <summary>The sets of one machine's port, what passes first before what passes later.</summary>
    public static ImmutableArray<CountedSet> SetsOf(DomainPlan plan, LocalPort port)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(port);
        var onSwitch = OnSwitch.SelectMany(one => Families(port).Select(family => new CountedSet(
            null, "bridge", TableOf(plan), $"{one.Letter}{family}_{port.Device}", port.Device, one.At)));
        var onGateway = plan.Gateway is not { } gateway ? [] : OnGateway.SelectMany(one =>
            Families(port).Select(family => new CountedSet(
                gateway.Namespace, "inet", GatewayTable, $"{one.Letter}{family}_{port.Device}", port.Device, one.At)));
        // The gateway is asked later than the switch, and passes on later still.
        return [.. onSwitch, .. onGateway];
    }

    /// <summary>The counting table of a domain's switch, for <c>nft -f -</c>.</summary>
    public static string ForDomain(DomainPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var ports = plan.Network.Ports;
        var text = NftText.Replacing("bridge", TableOf(plan));
        Sets(text, ports, OnSwitch);
        // A port's group is asked before its name is looked up, and costs the frames of other switches next to nothing.
        var (from, to) = (DomainTable.From(plan, PortKind.Machine), DomainTable.To(plan, PortKind.Machine));
        Hook(text, "asked", "prerouting priority -305", ports.Select(port =>
            ($"{from} iifname", $"\"{port.Device}\"", $"a_{port.Device}")), "goto");
        // What has a sender here is counted there, and goes no further.
        Hook(text, "passed", "forward priority -100",
        [
            .. ports.Select(port => ($"{from} iifname", $"\"{port.Device}\"", $"s_{port.Device}")),
            .. ports.Select(port => ($"{to} oifname", $"\"{port.Device}\"", $"g_{port.Device}")),
        ], "goto");
        text.Close();
        return text.ToString();
    }

    /// <summary>The counting table of a gateway, to be loaded inside its network namespace.</summary>
    public static string ForGateway(DomainPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var ports = plan.Network.Ports;
        var text = NftText.Replacing("inet", GatewayTable);
        Sets(text, ports, OnGateway);
        Hook(text, "before", "forward priority -10", Addressed(ports, "a"), "jump");
        Hook(text, "after", "forward priority 10", Addressed(ports, "t"), "jump");
        text.Close();
        return text.ToString();
    }

    private static IEnumerable<(string Field, string Value, string Chain)> Addressed(
        ImmutableArray<LocalPort> ports, string letter) =>
        from port in ports
        from address in new[] { port.Member.Ipv4, port.Member.Ipv6 }.OfType<string>()
        from word in Ends
        select ($"{(Raw.IsIpv6(address) ? "ip6" : "ip")} {word}", address, $"{letter}_{port.Device}");

    private static readonly ImmutableArray<string> Ends = ["saddr", "daddr"];

    private static IEnumerable<string> Families(LocalPort port)
    {
        if (port.Member.Ipv4 is not null)
        {
            yield return "4";
        }

        if (port.Member.Ipv6 is not null)
        {
            yield return "6";
        }
    }

    private static void Sets(
        NftText text, ImmutableArray<LocalPort> ports, ImmutableArray<(CountedAt At, string Letter)> places)
    {
        foreach (var port in ports)
        {
            foreach (var (_, letter) in places)
            {
                foreach (var family in Families(port))
                {
                    var type = family == "4" ? "ipv4_addr" : "ipv6_addr";
                    text.Open($"set {letter}{family}_{port.Device}");
                    text.Line($"type {type} . {type} . inet_proto . inet_service");
                    text.Line(string.Create(CultureInfo.InvariantCulture, $"size {SetSize}"));
                    text.Line("flags dynamic,timeout");
                    text.Line(string.Create(CultureInfo.InvariantCulture, $"timeout {IdleSeconds}s"));
                    text.Close();
                }

                Counting(text, port, letter);
            }
        }
    }

    /// <summary>
    /// TCP first, which is most of what passes, and of it the client's way. An update that finds its set full ends its
    /// rule, and so the chain ends with nothing counted.
    /// </summary>
    private static void Counting(NftText text, LocalPort port, string letter)
    {
        var families = Families(port).Select(family => (
            Ip: family == "4" ? "ip" : "ip6", Icmp: family == "4" ? ("icmp", "icmp") : ("ipv6-icmp", "icmpv6"),
            Set: $"@{letter}{family}_{port.Device}")).ToList();
        List<string> rules = [];
        foreach (var (ip, _, set) in families)
        {
            var tcp = $"meta protocol {ip} meta l4proto tcp";
            rules.Add($"{tcp} th sport 32768-65535 {Update(ip, set, "th dport")}");
            rules.Add($"{tcp} th dport 32768-65535 tcp flags & (syn | ack) != syn {Back(ip, set, "th sport")}");
            rules.Add($"{tcp} {Update(ip, set, "th dport")}");
        }

        rules.Add("meta pkttype { broadcast, multicast } return");
        foreach (var (ip, (icmp, echo), set) in families)
        {
            var own = $"meta protocol {ip}";
            rules.Add($"{own} meta l4proto udp th sport 0-32767 th dport 32768-65535 {Back(ip, set, "th sport")}");
            rules.Add($"{own} meta l4proto udp {Update(ip, set, "th dport")}");
            rules.Add($"{echo} type echo-reply {Back(ip, set, "0")}");
            rules.Add($"{echo} type echo-request {Update(ip, set, "0")}");
            rules.Add($"{own} meta l4proto {{ {icmp}, tcp, udp }} return");
            rules.Add($"{own} {Update(ip, set, "0")}");
        }

        text.Chain($"{letter}_{port.Device}", [.. rules]);
    }

    /// <summary>Counts a packet from the client to the server.</summary>
    private static string Update(string ip, string set, string service) =>
        $"update {set} {{ {ip} saddr . {ip} daddr . meta l4proto . {service} counter }} return";

    /// <summary>Counts a packet from the server to the client.</summary>
    private static string Back(string ip, string set, string service) =>
        $"update {set} {{ {ip} daddr . {ip} saddr . meta l4proto . {service} counter }} return";

    private static void Hook(
        NftText text, string name, string hook, IEnumerable<(string Field, string Value, string Chain)> ways,
        string verb)
    {
        List<string> rules = [$"type filter hook {hook}; policy accept;"];
        rules.AddRange(ways.GroupBy(way => way.Field, StringComparer.Ordinal).Select(group =>
            $"{group.Key} vmap {{ {string.Join(", ", group.Select(way => $"{way.Value} : {verb} {way.Chain}"))} }}"));
        text.Chain(name, [.. rules]);
    }
}
