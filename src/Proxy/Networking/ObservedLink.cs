using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Proxy.Networking;

/// <summary>A network device as <c>ip -j -d link show</c> tells it (ip-link(8)).</summary>
/// <param name="Name">The device.</param>
/// <param name="Kind"><c>bridge</c>, <c>vxlan</c>, <c>veth</c>, <c>tun</c>...; empty for a physical device.</param>
/// <param name="Master">The bridge it is a port of, or null.</param>
/// <param name="Up">Administratively up.</param>
/// <param name="Mtu">Bytes.</param>
/// <param name="Mac">Lower hex with colons.</param>
/// <param name="Vxlan">Its tunnel, when it is one.</param>
/// <param name="Port">Its settings as a port of a bridge, when it is one.</param>
public sealed record ObservedLink(
    string Name, string Kind, string? Master, bool Up, int Mtu, string Mac, ObservedVxlan? Vxlan, ObservedPort? Port)
{
    /// <summary>Whether it is a bridge as <see cref="SegmentCommands.Deafen"/> leaves one.</summary>
    public bool IsDeaf { get; init; }

    /// <summary>The kernel's number of it: another device of the same name has another.</summary>
    public int Index { get; init; }

    /// <summary>Its device group: what rules know a live port by (<see cref="PortGroups"/>).</summary>
    public int Group { get; init; }

    /// <summary>Its VLAN, when it is a port into one.</summary>
    public ObservedVlan? Vlan { get; init; }

    /// <summary>What decides which frame leaves it next (tc(8)).</summary>
    public string Queue { get; init; } = "";

    /// <summary>Whether a program sees what comes in by it before anything else does (XDP).</summary>
    public bool HasProgram { get; init; }

    /// <summary>Reads the whole listing.</summary>
    /// <exception cref="JsonException">Not the listing it should be.</exception>
    public static ImmutableSortedDictionary<string, ObservedLink> ReadAll(string json)
    {
        var links = ImmutableSortedDictionary.CreateBuilder<string, ObservedLink>(StringComparer.Ordinal);
        using JsonDocument document = JsonDocument.Parse(json.Length == 0 ? "[]" : json);
        foreach (JsonElement row in document.RootElement.EnumerateArray())
        {
            ObservedLink? link = Read(row);
            if (link is not null)
            {
                links[link.Name] = link;
            }
        }

        return links.ToImmutable();
    }

    private static ObservedLink? Read(JsonElement row)
    {
        string? name = Text(row, "ifname");
        if (name is null)
        {
            // iproute2 prints an empty object for each device that a filter left out.
            return null;
        }

        JsonElement info = default;
        bool has = row.TryGetProperty("linkinfo", out info);
        string kind = has ? Text(info, "info_kind") ?? "" : "";
        bool up = row.TryGetProperty("flags", out JsonElement flags)
            && flags.EnumerateArray().Any(f => f.GetString() == "UP");
        ObservedVxlan? vxlan = kind == "vxlan" && info.TryGetProperty("info_data", out JsonElement data)
            ? new ObservedVxlan(
                Number(data, "id"), Text(data, "local") ?? Text(data, "local6") ?? "", Number(data, "port"),
                Truth(data, "learning"), row.TryGetProperty("link_netnsid", out _))
            : null;
        ObservedPort? port = has && Text(info, "info_slave_kind") == "bridge"
            && info.TryGetProperty("info_slave_data", out JsonElement slave)
            ? new ObservedPort(Truth(slave, "learning"), Truth(slave, "flood"), Truth(slave, "isolated"))
            : null;
        return new ObservedLink(
            name, kind, Text(row, "master"), up, Number(row, "mtu"), Text(row, "address") ?? "", vxlan, port)
        {
            IsDeaf = kind == "bridge" && info.TryGetProperty("info_data", out JsonElement bridge)
                && Number(bridge, "stp_state", -1) == 0 && Number(bridge, "mcast_snooping", -1) == 0
                && Text(bridge, "group_fwd_mask") == SegmentCommands.UnfilteredGroup
                && Number(bridge, "no_linklocal_learn") == 1,
            Vlan = kind == "vlan" && info.TryGetProperty("info_data", out JsonElement tag)
                ? new ObservedVlan(Number(tag, "id"), Text(tag, "protocol") ?? "", Text(row, "link") ?? "") : null,
            Index = Number(row, "ifindex"), Queue = Text(row, "qdisc") ?? "", Group = GroupOf(row),
            HasProgram = row.TryGetProperty("xdp", out _),
        };
    }

    /// <summary>
    /// iproute2 prints the name of a group that has one (/etc/iproute2/group), and else its number as text. A name that
    /// somebody gave to a group of ours tells nothing: the port is as one of a group that no rule knows.
    /// </summary>
    private static int GroupOf(JsonElement row) => Text(row, "group") switch
    {
        null or "default" => PortGroups.Dead,
        { } number when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int group) => group,
        _ => -1,
    };

    internal static string? Text(JsonElement row, string member) =>
        row.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;

    private static int Number(JsonElement row, string member, int absent = 0) =>
        row.TryGetProperty(member, out JsonElement value) && value.TryGetInt32(out int number) ? number : absent;

    private static bool Truth(JsonElement row, string member) =>
        row.TryGetProperty(member, out JsonElement value) && value.ValueKind == JsonValueKind.True;
}

/// <summary>A VXLAN device's tunnel (RFC 7348).</summary>
/// <param name="Number">The VXLAN network identifier.</param>
/// <param name="Local">The address it sends from.</param>
/// <param name="UdpPort">The port it listens on.</param>
/// <param name="Learning">Whether it would believe senders of packets about who is where.</param>
/// <param name="Elsewhere">Whether its packets go through another network namespace than the host's.</param>
public sealed record ObservedVxlan(int Number, string Local, int UdpPort, bool Learning, bool Elsewhere);

/// <summary>A device's VLAN (ip-link(8), type vlan).</summary>
/// <param name="Number">The VLAN's number.</param>
/// <param name="Protocol"><c>802.1Q</c> or <c>802.1ad</c>.</param>
/// <param name="Parent">The device that its frames are tagged on.</param>
public sealed record ObservedVlan(int Number, string Protocol, string Parent);

/// <summary>Settings of a port of a bridge (bridge(8)).</summary>
public sealed record ObservedPort(bool Learning, bool Flood, bool Isolated);

/// <summary>One entry of a forwarding table as <c>bridge -j fdb show</c> tells it.</summary>
/// <param name="Mac">The address.</param>
/// <param name="Device">The port or tunnel behind which it is.</param>
/// <param name="Destination">For a tunnel's own table: the other host's underlay address; else null.</param>
/// <param name="Master">For a bridge's table: the bridge; else null.</param>
/// <param name="State"><c>static</c>, <c>permanent</c>, or empty when learned.</param>
public sealed record ObservedForward(string Mac, string Device, string? Destination, string? Master, string State)
{
    /// <summary>Reads the whole listing.</summary>
    /// <exception cref="JsonException">Not the listing it should be.</exception>
    public static ImmutableArray<ObservedForward> ReadAll(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json.Length == 0 ? "[]" : json);
        return
        [
            .. document.RootElement.EnumerateArray().Select(row => new ObservedForward(
                ObservedLink.Text(row, "mac") ?? "", ObservedLink.Text(row, "ifname") ?? "",
                ObservedLink.Text(row, "dst"), ObservedLink.Text(row, "master"),
                ObservedLink.Text(row, "state") ?? "")),
        ];
    }
}
