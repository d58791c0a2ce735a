using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>The bridge ports by which a virtual switch reaches other hosts.</summary>
public static class Tunnels
{
    /// <summary>All of a domain's.</summary>
    public static ImmutableArray<string> Of(NetworkPlan network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return
        [
            .. Of(network.Vxlan, network.Encrypted), .. network.Vlan is { } vlan ? new[] { vlan.Device } : [],
        ];
    }

    /// <summary>All of a passage's.</summary>
    public static ImmutableArray<string> Of(PassageNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return Of(network.Vxlan, network.Encrypted);
    }

    /// <summary>Those by which frames of a peer come.</summary>
    internal static ImmutableArray<string> To(NetworkPlan network, LinkProtection protection) =>
        protection == LinkProtection.Vlan ? network.Vlan is { } vlan ? [vlan.Device] : []
            : To(network.Vxlan, network.Encrypted, protection);

    /// <summary>Those by which frames of a peer's gateways come: no passage has a VLAN.</summary>
    internal static ImmutableArray<string> To(PassageNetwork network, LinkProtection protection) =>
        To(network.Vxlan, network.Encrypted, protection);

    private static ImmutableArray<string> Of(string? clear, EncryptedTunnels? encrypted) =>
    [
        .. To(clear, encrypted, LinkProtection.Clear), .. To(clear, encrypted, LinkProtection.Encrypted),
    ];

    private static ImmutableArray<string> To(
        string? clear, EncryptedTunnels? encrypted, LinkProtection protection) => protection switch
        {
            LinkProtection.Clear => clear is null ? [] : [clear],
            LinkProtection.Encrypted => encrypted is null ? [] : [.. encrypted.Generations.Select(one => one.Vxlan)],
            LinkProtection.Vlan => [],
            _ => throw new System.Diagnostics.UnreachableException(),
        };
}
