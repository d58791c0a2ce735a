using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Admission;

/// <summary>
/// The rule about room on hosts as it is written, by counting each host and each reservation anew for every machine:
/// slow, and nothing to be wrong about.
/// </summary>
internal static class CountedRooms
{
    private sealed record Claim(DomainModel Domain, HashSet<HostRef> Hosts, long Cpus);

    /// <summary>
    /// The domains whose reservations a machine would take, which are of processors alone; null where the host itself
    /// has no room.
    /// </summary>
    public static ImmutableArray<string>? Against(
        AdmissionGround ground, IReadOnlyList<(CompartmentModel Machine, HostModel Host)> admitted,
        CompartmentModel machine, HostModel host)
    {
        var hosts = ground.Datacentre.Inventory.Hosts.Values.ToArray();
        var free = hosts.ToDictionary(one => one.Ref, one => one.CapacityCpus
            - admitted.Where(place => place.Host.Ref == one.Ref).Sum(place => place.Machine.Cpus));
        free[host.Ref] -= machine.Cpus;
        if (free[host.Ref] < 0)
        {
            return null;
        }

        var claims = Claims(ground, admitted, hosts).Where(claim => machine.Nics.All(nic =>
            nic.Domain != claim.Domain.Ref.Name || machine.Ref.Tenant != claim.Domain.Ref.Tenant)).ToArray();
        return
        [
            .. claims.Where(claim => claim.Hosts.Contains(host.Ref)
                && claims.Where(other => other.Hosts.IsSubsetOf(claim.Hosts)).Sum(other => other.Cpus)
                    > claim.Hosts.Sum(one => free[one])).Select(claim => claim.Domain.Ref.ToString()),
        ];
    }

    private static IEnumerable<Claim> Claims(
        AdmissionGround ground, IReadOnlyList<(CompartmentModel Machine, HostModel Host)> admitted, HostModel[] hosts)
    {
        var tenants = ground.Datacentre.Datacentre?.Tenants ?? [];
        foreach (var domain in ground.Datacentre.Domains.Values.Where(one => tenants.Contains(one.Ref.Tenant)))
        {
            var accepted = hosts.Where(host => HostChecks.Accepts(domain, host)).ToArray();
            var shares = (long)tenants.Length
                * ground.Datacentre.Domains.Values.Count(other => other.Ref.Tenant == domain.Ref.Tenant);
            var used = admitted.Where(place => place.Machine.Ref.Tenant == domain.Ref.Tenant
                && place.Machine.Nics.Any(nic => nic.Domain == domain.Ref.Name)).Sum(place => place.Machine.Cpus);
            var kept = Math.Min(domain.Reservation.Cpus, accepted.Sum(host => host.CapacityCpus) / shares) - used;
            if (kept > 0)
            {
                yield return new Claim(domain, accepted.Select(host => host.Ref).ToHashSet(), kept);
            }
        }
    }
}
