using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// The link-local addresses of all possible legs of one passage: derived by hash, and where two hashes meet, the next
/// free one in the order of hosts and domains, so that every host finds the same.
/// </summary>
internal sealed class LegAddresses
{
    private readonly Dictionary<(HostRef, DomainRef), PassageMember> _legs = [];

    public static LegAddresses Of(Scene scene, FlowPair pair)
    {
        var legs = new LegAddresses();
        var taken = new HashSet<int>();
        var hosts = scene.Datacentre.Inventory.Hosts.Values
            .Where(host => scene.Ground.Host(host.Ref) is not null);
        foreach (var host in hosts)
        {
            foreach (var domain in pair.Both)
            {
                var slot = DeviceNames.LegSlot(host.Ref, domain.Ref, pair.Name);
                if (taken.Count >= DeviceNames.LegSlots)
                {
                    return legs;
                }

                while (!taken.Add(slot))
                {
                    slot = (slot + 1) % DeviceNames.LegSlots;
                }

                legs._legs[(host.Ref, domain.Ref)] = new PassageMember(
                    domain.Ref, DeviceNames.LegMac(host.Ref, domain.Ref, pair.Name),
                    DeviceNames.LegIpv4(slot), DeviceNames.LegIpv6(slot));
            }
        }

        return legs;
    }

    /// <summary>The leg of a domain's gateway on a host.</summary>
    public PassageMember Member(HostRef host, DomainRef domain) => _legs[(host, domain)];
}
