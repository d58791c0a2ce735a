using System.Collections.Immutable;

namespace Bailiwick.Proxy.Networking;

/// <summary>A switch's port into a VLAN of the underlay as it must be (IEEE 802.1Q), and who is behind it.</summary>
/// <param name="Device">The sub-interface.</param>
/// <param name="Number">The VLAN's number.</param>
/// <param name="Macs">The stations behind it.</param>
public sealed record WantedVlan(string Device, int Number, ImmutableArray<string> Macs)
{
    /// <summary>The device that has the host's underlay address, found when the switch is brought.</summary>
    public string Parent { get; init; } = "";

    /// <summary>Whether a device is this port, whatever it is plugged into.</summary>
    public bool Is(ObservedLink link)
    {
        ArgumentNullException.ThrowIfNull(link);
        return link.Vlan is { Protocol: "802.1Q" } vlan && vlan.Number == Number && vlan.Parent == Parent;
    }
}
