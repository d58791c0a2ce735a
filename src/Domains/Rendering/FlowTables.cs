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
    /// <summary>What the switch passes to the machine.</summary>
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
        Hook(text, "asked", "prerouting priority -305", ports.Select(port =>
            ("iifname", $"\"{port.Device}\"", $"a_{port.Device}")));
        Hook(text, "sent", "forward priority -100", ports.Select(port =>
            ("iifname", $"\"{port.Device}\"", $"s_{port.Device}")));
        Hook(text, "got", "forward priority -99", ports.Select(port =>
            ("oifname", $"\"{port.Device}\"", $"g_{port.Device}")));
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
        Hook(text, "before", "forward priority -10", Addressed(ports, "a"));
        Hook(text, "after", "forward priority 10", Addressed(ports, "t"));
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

    /// <summary>An update that finds its set full ends its rule, and so the chain ends with nothing counted.</summary>
    private static void Counting(NftText text, LocalPort port, string letter)
    {
        var name = $"{letter}_{port.Device}";
        var rules = new List<string>
        {
            "meta pkttype { broadcast, multicast } return",
        };
        foreach (var family in Families(port))
        {
            var (ip, icmp, echo) = family == "4" ? ("ip", "icmp", "icmp") : ("ip6", "ipv6-icmp", "icmpv6");
            var set = $"@{letter}{family}_{port.Device}";
            var own = $"meta protocol {ip}";
            string Update(string from, string to, string service) =>
                $"update {set} {{ {ip} {from} . {ip} {to} . meta l4proto . {service} counter }} return";
            rules.Add($"{echo} type echo-reply {Update("daddr", "saddr", "0")}");
            rules.Add($"{echo} type echo-request {Update("saddr", "daddr", "0")}");
            rules.Add($"{own} meta l4proto {icmp} return");
            rules.Add($"{own} tcp flags & (syn | ack) == syn {Update("saddr", "daddr", "th dport")}");
            rules.Add($"{own} meta l4proto {{ tcp, udp }} th sport 0-32767 th dport 32768-65535 "
                + Update("daddr", "saddr", "th sport"));
            rules.Add($"{own} meta l4proto {{ tcp, udp }} {Update("saddr", "daddr", "th dport")}");
            rules.Add($"{own} meta l4proto {{ tcp, udp }} return");
            rules.Add($"{own} {Update("saddr", "daddr", "0")}");
        }

        text.Chain(name, [.. rules]);
    }

    private static void Hook(
        NftText text, string name, string hook, IEnumerable<(string Field, string Value, string Chain)> ways)
    {
        List<string> rules = [$"type filter hook {hook}; policy accept;"];
        rules.AddRange(ways.GroupBy(way => way.Field, StringComparer.Ordinal).Select(group =>
            $"{group.Key} vmap {{ {string.Join(", ", group.Select(way => $"{way.Value} : jump {way.Chain}"))} }}"));
        text.Chain(name, [.. rules]);
    }
}
