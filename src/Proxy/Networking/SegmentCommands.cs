using System.Globalization;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// iproute2 commands for bridges, tunnels and pairs (ip-link(8), bridge(8)), one per act. Devices have no addresses of
/// the host and no link-local ones, bridges run no spanning tree, and tunnels learn nothing: who is where is written
/// down by the plan.
/// </summary>
public static class SegmentCommands
{
    /// <summary>The UDP port of VXLAN (RFC 7348, section 8).</summary>
    public const int VxlanPort = 4789;

    /// <summary>
    /// Keeps bridged frames out of the host's own IP stack, where br_netfilter would have them checked by rules that
    /// are not ours and tracked in one table that all tenants share. Kernels without br_netfilter have no such setting.
    /// </summary>
    public static string[] KeepBridgesApart() =>
    [
        "sysctl", "-q", "-e", "-w", "net.bridge.bridge-nf-call-arptables=0",
        "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-ip6tables=0",
    ];

    /// <summary>
    /// The one of IEEE 802.1Q's reserved addresses (01-80-C2-00-00-0E) whose frames Linux hands to the host's stack,
    /// and learns from, without asking any filter, unless it is told to forward them like others.
    /// </summary>
    public const string UnfilteredGroup = "0x4000";

    private static readonly string[] DeafSettings =
    [
        "type", "bridge", "stp_state", "0", "mcast_snooping", "0", "group_fwd_mask", UnfilteredGroup,
        "no_linklocal_learn", "1",
    ];

    /// <summary>Makes a bridge, down and without ports, as <see cref="Deafen"/> has it.</summary>
    public static string[] AddBridge(string bridge) => ["ip", "link", "add", bridge, .. DeafSettings];

    /// <summary>
    /// No protocol that a machine can speak changes a bridge's ways: neither the spanning tree nor group memberships
    /// (IGMP, MLD) are listened to, no frame between neighbouring switches is learned from, and all meet the filter.
    /// </summary>
    public static string[] Deafen(string bridge) => ["ip", "link", "set", bridge, .. DeafSettings];

    /// <summary>Brings a device up with its MTU and without an address of its own.</summary>
    public static string[] Raise(string device, int mtu) =>
        ["ip", "link", "set", device, "mtu", Text(mtu), "addrgenmode", "none", "up"];

    /// <summary>Makes a tunnel, down and in no bridge.</summary>
    public static string[] AddTunnel(WantedTunnel tunnel) =>
    [
        "ip", "link", "add", tunnel.Device, .. tunnel.Namespace is { } space ? ["link-netns", space] : Here, "type",
        "vxlan", "id", Text(tunnel.Number), "local", tunnel.Local,
        "dstport", Text(VxlanPort), "nolearning",
    ];

    /// <summary>Makes a port into a VLAN, down and in no bridge.</summary>
    public static string[] AddVlan(WantedVlan vlan) =>
    [
        "ip", "link", "add", "link", vlan.Parent, "name", vlan.Device, "type", "vlan", "protocol", "802.1Q",
        "id", Text(vlan.Number),
    ];

    /// <summary>Plugs a device into a bridge.</summary>
    public static string[] Plug(string device, string bridge) => ["ip", "link", "set", device, "master", bridge];

    /// <summary>Unplugs a device from whatever bridge it is in.</summary>
    public static string[] Unplug(string device) => ["ip", "link", "set", device, "nomaster"];

    /// <summary>
    /// A tunnel's end in a bridge never learns: the plan says who is behind it. Nor does a frame that came by one leave
    /// by another.
    /// </summary>
    public static string[] Unlearning(string device) =>
        ["ip", "link", "set", device, "type", "bridge_slave", "learning", "off", "isolated", "on"];

    /// <summary>Puts a device into a group (<see cref="Bailiwick.Domains.Rendering.PortGroups"/>).</summary>
    public static string[] Group(string device, int group) =>
        ["ip", "link", "set", "dev", device, "group", Text(group)];

    /// <summary>Removes a device.</summary>
    public static string[] Remove(string device) => ["ip", "link", "del", device];

    /// <summary>Writes down behind which host an address is.</summary>
    public static string[] AddForward(string tunnel, string mac, string peer) =>
    [
        "bridge", "fdb", mac == WantedSegment.Everybody ? "append" : "replace", mac, "dev", tunnel, "dst", peer,
        "self", "static",
    ];

    /// <summary>Strikes out that an address is behind a host.</summary>
    public static string[] RemoveForward(string tunnel, string mac, string peer) =>
        ["bridge", "fdb", "del", mac, "dev", tunnel, "dst", peer, "self"];

    /// <summary>Writes down that an address is behind a port of a bridge.</summary>
    public static string[] AddStation(string device, string mac) =>
        ["bridge", "fdb", "replace", mac, "dev", device, "master", "static"];

    /// <summary>Strikes out that an address is behind a port of a bridge.</summary>
    public static string[] RemoveStation(string device, string mac) =>
        ["bridge", "fdb", "del", mac, "dev", device, "master"];

    /// <summary>Removes a network namespace and all that is in it.</summary>
    public static string[] RemoveNamespace(string name) => ["ip", "netns", "del", name];

    private static readonly string[] Here = [];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
