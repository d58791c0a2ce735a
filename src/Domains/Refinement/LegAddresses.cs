using System.Collections.Concurrent;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// The legs of one passage: each has the link-local IPv6 address that follows from its MAC, so that all hosts derive it
/// alike and nobody hands out numbers. Packets of both families are routed by it (as RFC 8950 does for BGP): an address
/// in IPv4's link-local range would have to differ from those of all passages that a gateway is in.
/// </summary>
internal sealed class LegAddresses(FlowPair pair)
{
    private readonly ConcurrentDictionary<(HostRef, DomainRef), PassageMember> _legs = [];

    /// <summary>The leg of a domain's gateway on a host.</summary>
    public PassageMember Member(HostRef host, DomainRef domain) => _legs.GetOrAdd((host, domain), Made);

    private PassageMember Made((HostRef Host, DomainRef Domain) leg)
    {
        var mac = DeviceNames.LegMac(leg.Host, leg.Domain, pair.Name);
        return new PassageMember(leg.Domain, mac, DeviceNames.LinkLocal(mac));
    }
}
