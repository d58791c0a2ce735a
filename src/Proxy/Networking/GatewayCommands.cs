using System.Globalization;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// The commands that build a domain's gateway in a network namespace of its own, in order; its rules are loaded after
/// the first of them and before the rest. Routes and neighbours are programmed, never learned.
/// </summary>
public static class GatewayCommands
{
    private static readonly string[] Settings =
    [
        "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.send_redirects=0",
        "net.ipv4.conf.default.send_redirects=0", "net.ipv6.conf.default.accept_ra=0",
        "net.ipv6.conf.default.dad_transmits=0", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
    ];

    /// <summary>Makes the namespace.</summary>
    public static string[] Add(GatewayPlan gateway) => ["ip", "netns", "add", gateway.Namespace];

    /// <summary>The namespace's settings, to be run inside it.</summary>
    public static string[] Configure() => ["sysctl", "-q", "-w", .. Settings];

    /// <summary>Interfaces, addresses, neighbours and routes.</summary>
    /// <param name="gateway">The gateway.</param>
    /// <param name="mtu">Of its end in the domain's bridge.</param>
    public static IEnumerable<string[]> Build(GatewayPlan gateway, int mtu) =>
        [
            .. Core(gateway, mtu), .. gateway.Neighbours.Select(n => Learn(gateway, n)),
            .. gateway.Legs.SelectMany(l => Leg(gateway.Namespace, l)),
        ];

    /// <summary>The end in the domain's bridge.</summary>
    public static IEnumerable<string[]> Core(GatewayPlan gateway, int mtu)
    {
        string space = gateway.Namespace;
        foreach (string[] command in Pair(space, gateway.BridgePort, GatewayPlan.Inside, gateway.Mac, mtu))
        {
            yield return command;
        }

        foreach (string address in gateway.Addresses)
        {
            yield return Address(space, GatewayPlan.Inside, address);
        }
    }

    /// <summary>A machine of the domain, before anybody asks for it.</summary>
    public static string[] Learn(GatewayPlan gateway, GatewayNeighbour neighbour) =>
        Neighbour(gateway.Namespace, GatewayPlan.Inside, neighbour.Address, neighbour.Mac);

    /// <summary>A machine that is no longer in the domain.</summary>
    public static string[] Forget(GatewayPlan gateway, string address) =>
        ["ip", "-n", gateway.Namespace, "neigh", "del", address, "dev", GatewayPlan.Inside];

    /// <summary>One leg, with its neighbours and routes; they go with its port.</summary>
    public static IEnumerable<string[]> Leg(string space, GatewayLeg leg)
    {
        foreach (string[] command in Pair(space, leg.Port, leg.Device, leg.Mac, leg.Mtu))
        {
            yield return command;
        }

        yield return Address(space, leg.Device, leg.Address);
        foreach (var (via, mac) in leg.Routes.Select(r => (r.Via, r.ViaMac)).Distinct())
        {
            yield return Neighbour(space, leg.Device, via, mac);
        }

        foreach (GatewayRoute route in leg.Routes)
        {
            yield return
            [
                "ip", "-n", space, "route", "replace", route.Destination, "via", "inet6", route.Via, "dev", leg.Device,
                "onlink",
            ];
        }
    }

    private static IEnumerable<string[]> Pair(string space, string outer, string inner, string mac, int mtu)
    {
        string size = mtu.ToString(CultureInfo.InvariantCulture);
        yield return
        [
            "ip", "link", "add", outer, "mtu", size, "type", "veth", "peer", "name", inner, "address", mac, "mtu", size,
            "netns", space,
        ];
        yield return ["ip", "-n", space, "link", "set", inner, "addrgenmode", "none", "up"];
    }

    private static string[] Address(string space, string device, string address) =>
        address.Contains(':', StringComparison.Ordinal)
            ? ["ip", "-n", space, "addr", "add", address, "dev", device, "nodad"]
            : ["ip", "-n", space, "addr", "add", address, "dev", device];

    private static string[] Neighbour(string space, string device, string address, string mac) =>
        ["ip", "-n", space, "neigh", "replace", address, "lladdr", mac, "dev", device, "nud", "permanent"];
}
