using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Services;

/// <summary>
/// The commands that build a service point in a network namespace of its own, in order; its rules are loaded after the
/// first of them and before the rest. Who is behind which address is programmed, never learned: the server finds a
/// client's MAC there, and a machine that lies about its own changes nothing.
/// </summary>
public static class ServicePointCommands
{
    private static readonly string[] Settings =
    [
        "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0", "net.ipv6.conf.default.accept_ra=0",
        "net.ipv6.conf.default.dad_transmits=0", "net.ipv4.conf.default.accept_redirects=0",
        "net.ipv6.conf.default.accept_redirects=0",
    ];

    /// <summary>Makes the namespace.</summary>
    public static string[] Add(ServicePointPlan point) => ["ip", "netns", "add", point.Namespace];

    /// <summary>The namespace's settings, to be run inside it.</summary>
    public static string[] Configure() => ["sysctl", "-q", "-w", .. Settings];

    /// <summary>The pair into the domain's bridge and the service point's addresses.</summary>
    public static ImmutableArray<string[]> Core(ServicePointPlan point, int mtu)
    {
        string size = mtu.ToString(CultureInfo.InvariantCulture);
        return
        [
            [
                "ip", "link", "add", point.BridgePort, "mtu", size, "type", "veth", "peer", "name",
                ServicePointPlan.Inside, "address", point.Mac, "mtu", size, "netns", point.Namespace,
            ],
            ["ip", "-n", point.Namespace, "link", "set", ServicePointPlan.Inside, "addrgenmode", "none", "up"],
            Address(point, point.LinkLocal + "/64"),
            .. point.Subnets.Select(subnet => Address(
                point, string.Create(CultureInfo.InvariantCulture, $"{subnet.Address}/{subnet.Length}"))),
        ];
    }

    /// <summary>Who is behind which address: the machines of this host.</summary>
    public static ImmutableSortedDictionary<string, string> Stations(ServicePointPlan point) => point.Machines
        .SelectMany(machine => new[] { machine.Ipv4, machine.Ipv6, machine.LinkLocal }.OfType<string>()
            .Select(address => (address, machine.Mac)))
        .ToImmutableSortedDictionary(one => one.address, one => one.Mac, StringComparer.Ordinal);

    /// <summary>Writes down who is behind an address.</summary>
    public static string[] Learn(ServicePointPlan point, string address, string mac) =>
    [
        "ip", "-n", point.Namespace, "neigh", "replace", address, "lladdr", mac, "dev", ServicePointPlan.Inside, "nud",
        "permanent",
    ];

    /// <summary>Strikes an address out.</summary>
    public static string[] Forget(ServicePointPlan point, string address) =>
        ["ip", "-n", point.Namespace, "neigh", "del", address, "dev", ServicePointPlan.Inside];

    private static string[] Address(ServicePointPlan point, string address) =>
    [
        "ip", "-n", point.Namespace, "addr", "add", address, "dev", ServicePointPlan.Inside,
        .. address.Contains(':', StringComparison.Ordinal) ? new[] { "nodad" } : [],
    ];
}
