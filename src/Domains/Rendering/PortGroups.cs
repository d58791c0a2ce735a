using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>What a port of a virtual switch leads to.</summary>
public enum PortKind
{
    /// <summary>A machine.</summary>
    Machine = 1,
    /// <summary>Another host.</summary>
    Tunnel,
    /// <summary>The domain's gateway.</summary>
    Gateway,
    /// <summary>The domain's service point.</summary>
    Service,
    /// <summary>Whatever a passage joins.</summary>
    Passage,
}

/// <summary>
/// The device group (ip-link(8)) of each live port: its kind in the upper bits, its switch's network number in the
/// lower 24. A device is made in group 0, so a port is dead until it was given its group, and a device that is made
/// anew under the same name is dead again.
/// </summary>
/// <remarks>
/// Rules compare a group with a constant, which costs a frame a tenth of what looking a name up in a set costs it. A
/// machine's addresses stay bound to its port's name.
/// </remarks>
public static class PortGroups
{
    /// <summary>The group of a dead port: that of every device which was given none.</summary>
    public const int Dead = 0;

    private const int NumberBits = 24;

    /// <summary>The group of a kind of ports of one switch.</summary>
    /// <param name="kind">What they lead to.</param>
    /// <param name="number">The switch's network number, which no other switch has (RFC 7348: 24 bits).</param>
    public static int Of(PortKind kind, int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, 1 << NumberBits);
        return ((int)kind << NumberBits) | number;
    }

    /// <summary>Whether a device is in a group of a switch, for nftables.</summary>
    /// <param name="way"><c>iifgroup</c> or <c>oifgroup</c>.</param>
    /// <param name="number">The switch's network number.</param>
    internal static string AnyOf(string way, int number) => $"{way} & {(1 << NumberBits) - 1} == {number}";

    /// <summary>The ports of a domain's switch.</summary>
    public static ImmutableSortedDictionary<string, int> Of(DomainPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return All(plan.Network.Number,
        [
            .. plan.Network.Ports.Select(port => (port.Device, PortKind.Machine)),
            .. Tunnels.Of(plan.Network).Select(tunnel => (tunnel, PortKind.Tunnel)),
            .. plan.Gateway is { } gateway ? new[] { (gateway.BridgePort, PortKind.Gateway) } : [],
            .. plan.ServicePoint is { } point ? new[] { (point.BridgePort, PortKind.Service) } : [],
        ]);
    }

    /// <summary>The ports of a passage's switch.</summary>
    public static ImmutableSortedDictionary<string, int> Of(PassagePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return All(plan.Network.Number,
        [
            .. plan.Ports.Select(port => port.Device).Concat(Tunnels.Of(plan.Network))
                .Select(device => (device, PortKind.Passage)),
        ]);
    }

    private static ImmutableSortedDictionary<string, int> All(int number, (string Device, PortKind Kind)[] ports) =>
        ports.ToImmutableSortedDictionary(
            port => port.Device, port => Of(port.Kind, number), StringComparer.Ordinal);
}
