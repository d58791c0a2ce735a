using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain's virtual switch on one host.</summary>
internal static class Networks
{
    public static NetworkPlan Of(
        Scene scene, HostModel host, DomainModel domain, SortedDictionary<string, Reason> withheld)
    {
        var members = scene.Members(domain);
        var number = DerivedNames.NetworkNumber(domain);
        // A host carries the VLANs of one segment at most, so all that are reached by one are in the same.
        var vlan = 0;
        var peers = members.ByHost.Where(there => there.Host.Ref != host.Ref)
            .Select(there => Peer(scene, host, domain, there, ref vlan))
            .ToImmutableArray();
        if (!peers.IsEmpty && !scene.Numbers.Holds(number, domain.Ref.ToString()))
        {
            withheld.TryAdd(domain.Ref.ToString(), new Reason(
                $"{Display.Of(domain)} has no tunnel to other hosts: another network has the VXLAN number {number}. "
                + "Choose another number in its network policy.", [domain.Origin]));
            peers = [];
        }

        return new NetworkPlan(
            DeviceNames.Bridge(domain.Ref),
            peers.Any(peer => peer.Protection == LinkProtection.Clear) ? DeviceNames.Vxlan(domain.Ref) : null,
            peers.Any(peer => peer.Protection == LinkProtection.Encrypted)
                ? DeviceNames.Encrypted(DeviceNames.Segment(domain.Ref), host.UnderlayIpv4) : null,
            number,
            DeviceNames.Table(domain.Ref), Scene.Mtu(domain),
            [.. members.On(host.Ref)
                .Select(member => new LocalPort(DeviceNames.Tap(member.Machine.Ref, member.Index), member.Plan)
                {
                    Limit = member.Nic.Limit,
                })],
            peers,
            new Reason($"The machines of {Display.Of(domain)} speak with each other and, by its flows, with others.",
                [domain.Origin]))
        {
            Vlan = peers.Any(peer => peer.Protection == LinkProtection.Vlan)
                ? new VlanPlan(DeviceNames.Vlan(domain.Ref), vlan) : null,
        };
    }

    private static PeerPlan Peer(
        Scene scene, HostModel host, DomainModel domain, HostMembers there, ref int vlan)
    {
        var peer = there.Host;
        var way = scene.Vlans.Between(
            domain, host, peer, Links.Of(scene.Datacentre, domain, host, peer), out var number);
        vlan = way.Protection == LinkProtection.Vlan ? number : vlan;
        return new PeerPlan(
            peer.Ref, peer.UnderlayIpv4, there.Plans, way.Protection,
            new Reason(way.Sentence, [.. way.Because, peer.Origin]));
    }
}
