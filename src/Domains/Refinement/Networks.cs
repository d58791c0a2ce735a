using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain's virtual switch on one host.</summary>
internal static class Networks
{
    public static NetworkPlan Of(
        Scene scene, HostModel host, DomainModel domain, WithheldPart withheld)
    {
        var (members, laid) = (scene.Members(domain), scene.Laid(domain));
        var (number, links) = (laid.Number, scene.Links.Of(host));
        // A host carries the VLANs of one segment at most, so all that are reached by one are in the same.
        var vlan = 0;
        var peers = members.ByHost.Where(there => there.Host.Ref != host.Ref)
            .Select(there => Peer(scene, host, domain, there, laid.Ways.By(
                scene.Links.Joining(links, there.Links(scene.Links))), ref vlan))
            .ToImmutableArray();
        if (!peers.IsEmpty && !scene.Numbers.Holds(number, domain.Ref.ToString()))
        {
            withheld.Add(domain.Ref.ToString(), new Reason(
                $"{Display.Of(domain)} has no tunnel to other hosts: another network has the VXLAN number {number}. "
                + "Choose another number in its network policy.", [domain.Origin]));
            peers = [];
        }

        return new NetworkPlan(
            laid.Bridge,
            peers.Any(peer => peer.Protection == LinkProtection.Clear) ? laid.Vxlan : null,
            peers.Any(peer => peer.Protection == LinkProtection.Encrypted)
                ? DeviceNames.Encrypted(laid.Segment, host.UnderlayIpv4) : null,
            number, laid.Table, Scene.Mtu(domain),
            [.. members.On(host.Ref)
                .Select(member => new LocalPort(DeviceNames.Tap(member.Machine.Ref, member.Index), member.Plan)
                {
                    Limit = member.Nic.Limit,
                })],
            peers, laid.NetworkReason)
        {
            Vlan = peers.Any(peer => peer.Protection == LinkProtection.Vlan)
                ? new VlanPlan(DeviceNames.Vlan(domain.Ref), vlan) : null,
        };
    }

    private static PeerPlan Peer(
        Scene scene, HostModel host, DomainModel domain, HostMembers there, LinkWay clear, ref int vlan)
    {
        var way = scene.Vlans.Between(domain, host, there.Host, clear, out var number);
        vlan = way.Protection == LinkProtection.Vlan ? number : vlan;
        // What is in a VLAN is said of both hosts, and so is no other's.
        return ReferenceEquals(way, clear) ? there.Peer(way) : there.Made(way);
    }
}
