using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Placement;

/// <summary>
/// What the planner is told of hosts that lost the trust of tenants. It only ever moves machines away: who is told
/// lies here proposes worse places, and every Proxy and key service still decides for itself.
/// </summary>
/// <param name="Doubt">
/// Why a domain's key service has no lease for a host any more; null where it has, or where nothing is known.
/// </param>
/// <param name="Holds">Whether a host holds a volume's key for a machine, as far as is known.</param>
/// <param name="RunsOn">Whether a host still has a machine, running or paused, as far as can be known.</param>
public sealed record PlacementTrust(
    HostDoubt Doubt, Func<HostRef, CompartmentRef, VolumeRef, bool> Holds, Func<CompartmentRef, HostRef, bool> RunsOn)
{
    /// <summary>Nothing is known against anybody.</summary>
    public static PlacementTrust Unquestioned { get; } = new((_, _) => null, (_, _, _) => false, (_, _) => false);
}
