using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// The nftables tables of a plan, as text for <c>nft -f -</c>. Each domain, passage and gateway has a table of its own
/// that is replaced in one transaction, so that no tenant's rules can block or delay another's. Everything is matched
/// through sets and maps, so the cost of a frame does not grow with the number of machines or flows.
/// </summary>
public static class NftTables
{
    /// <summary>
    /// The filter of a domain's bridge (family bridge): who may send what from which port, and where to. A frame is
    /// checked before the bridge learns from it.
    /// </summary>
    public static string ForDomain(DomainPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return DomainTable.Text(plan);
    }

    /// <summary>The filter of a passage's bridge (family bridge): only the two domains' gateways, IP only.</summary>
    public static string ForPassage(PassagePlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return PassageTable.Text(plan);
    }

    /// <summary>The filter of a gateway (family inet), to be loaded inside its network namespace.</summary>
    public static string ForGateway(GatewayPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return GatewayTable.Text(plan);
    }

    /// <summary>The filter of a service point (family inet), to be loaded inside its network namespace.</summary>
    public static string ForServicePoint(ServicePointPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return ServiceTable.Text(plan);
    }

    /// <summary>
    /// What tells the uplink's queues whose a tunnel packet is (family inet): the number of its network, or the port
    /// from which a switch's ciphertext is sent.
    /// </summary>
    /// <param name="plan">The uplink.</param>
    /// <param name="handle">The queues' handle (tc(8)), hexadecimal.</param>
    /// <param name="ports">The UDP ports of switches' WireGuard interfaces, with the switches' names.</param>
    public static string ForUplink(
        UplinkPlan plan, string handle, IReadOnlyCollection<(int Port, string Segment)> ports)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return UplinkTable.Text(plan, handle, ports);
    }

    /// <summary>
    /// The host's own guard: dead ports (table <c>bridge bw_guard</c>) and accepted tunnels (table <c>inet
    /// bw_underlay</c>).
    /// </summary>
    public static string ForHost(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return HostTables.Text(plan);
    }
}
