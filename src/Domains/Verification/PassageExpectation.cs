using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Which frames a passage's switch on one host passes: IP between the gateways' legs of two domains that an open flow
/// joins, and between no two of one domain.
/// </summary>
internal sealed class PassageExpectation(FrameSets frames, ProofScene scene, HostPlan plan, PassagePlan passage)
{
    public int Frames()
    {
        if (!scene.Flows.Joins(passage.Between[0], passage.Between[1]))
        {
            return PacketSets.None;
        }

        var here = passage.Between.Where(domain => scene.Ports(plan.Host, domain).Count > 0)
            .Select(domain => (Domain: domain, Mac: Leg(plan.Host, domain))).ToList();
        var far = passage.Network.Peers.SelectMany(peer => Far(peer.Host).SelectMany(domain =>
            Tunnels.To(passage.Network, peer.Protection).Select(way =>
                (Domain: domain, Mac: Leg(peer.Host, domain), Way: way)))).ToList();
        List<UInt128[]> rows = [];
        foreach (var (domain, mac) in here)
        {
            var port = NftValues.OfName(DeviceNames.LegPort(domain, passage.Name));
            rows.AddRange(here.Concat(far.Select(leg => (leg.Domain, leg.Mac))).Where(leg => leg.Domain != domain)
                .Select(leg => new[] { port, mac, leg.Mac }));
            rows.AddRange(far.Where(leg => leg.Domain != domain)
                .Select(leg => new[] { NftValues.OfName(leg.Way), leg.Mac, mac }));
        }

        var ports = PortGroups.Of(passage).Keys.Select(NftValues.OfName);
        return frames.All(
            frames.Any(frames.Ipv4, frames.Ipv6),
            frames.Rows([HeaderField.InName, HeaderField.EtherSource, HeaderField.EtherDestination], rows),
            frames.IsAny(HeaderField.OutName, ports));
    }

    /// <summary>The domains with a machine on another host that an open flow joins with one here.</summary>
    private IEnumerable<DomainRef> Far(HostRef host) => passage.Between
        .SelectMany(domain => scene.Open(plan.Host, domain))
        .Where(pair => pair.Other.Host.Host == host && passage.Between.Contains(pair.Other.Domain))
        .Select(pair => pair.Other.Domain).Distinct();

    private UInt128 Leg(HostRef host, DomainRef domain) =>
        NftValues.OfMac(DeviceNames.LegMac(host, domain, passage.Name));
}
