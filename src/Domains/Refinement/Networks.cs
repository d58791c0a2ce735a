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
        var (number, vlan) = (laid.Number, 0);
        var here = members.At(host.Ref);
        var peers = here is null ? []
            : scene.Vlans.IsEmpty ? members.Peers(here, scene.Links, laid.Ways)
            : Peers(scene, host, domain, members.ByHost.Remove(here), ref vlan);
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
                ? DeviceNames.Encrypted(laid.Segment, scene.Links.Inside(host)) : null,
            number, laid.Table, Scene.Mtu(domain),
            [.. (here?.All ?? [])
                .Select(member => new LocalPort(member.Device, member.Plan)
                {
                    Limit = member.Nic.Limit,
                })],
            peers, laid.NetworkReason)
        {
            Vlan = peers.Any(peer => peer.Protection == LinkProtection.Vlan)
                ? new VlanPlan(DeviceNames.Vlan(domain.Ref), vlan) : null,
        };
    }

    /// <summary>The same where hosts carry VLANs.</summary>
    private static ImmutableArray<PeerPlan> Peers(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<HostMembers> others, ref int vlan)
    {
        var (links, ways) = (scene.Links.Of(host), scene.Laid(domain).Ways);
        var peers = ImmutableArray.CreateBuilder<PeerPlan>(others.Length);
        foreach (var there in others)
        {
            var clear = ways.By(scene.Links.Joining(links, there.Links(scene.Links)));
            var way = scene.Vlans.Between(domain, host, there.Host, clear, out var number);
            // A host carries the VLANs of one segment at most, so all that are reached by one are in the same.
            vlan = way.Protection == LinkProtection.Vlan ? number : vlan;
            // What is in a VLAN is said of both hosts, and so is no other's.
            peers.Add(ReferenceEquals(way, clear) ? there.Peer(way) : there.Made(way));
        }

        return peers.MoveToImmutable();
    }
}
