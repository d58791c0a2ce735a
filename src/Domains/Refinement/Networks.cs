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
        var peers = members.Where(member => member.Host.Ref != host.Ref)
            .GroupBy(member => member.Host.Ref.ToString(), StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => Peer(scene, host, domain, [.. group]))
            .ToImmutableArray();
        if (!peers.IsEmpty && !scene.Numbers.Holds(number, domain.Ref.ToString()))
        {
            withheld.TryAdd(domain.Ref.ToString(), new Reason(
                $"{Display.Of(domain)} has no tunnel to other hosts: another network has the VXLAN number {number}. "
                + "Choose another number in its network policy.", [domain.Origin]));
            peers = [];
        }

        return new NetworkPlan(
            DeviceNames.Bridge(domain.Ref), peers.IsEmpty ? null : DeviceNames.Vxlan(domain.Ref), number,
            DeviceNames.Table(domain.Ref), Scene.Mtu,
            [.. members.Where(member => member.Host.Ref == host.Ref)
                .Select(member => new LocalPort(DeviceNames.Tap(member.Machine.Ref, member.Index), member.Plan))],
            peers,
            new Reason($"The machines of {Display.Of(domain)} speak with each other and, by its flows, with others.",
                [domain.Origin]));
    }

    private static PeerPlan Peer(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<PlacedMember> members)
    {
        var peer = members[0].Host;
        return new PeerPlan(
            peer.Ref, peer.UnderlayIpv4, [.. members.Select(member => member.Plan)],
            PeerReason(scene, host, peer, [domain]));
    }

    /// <summary>
    /// Why two hosts may exchange frames of these domains in clear. Their links have been checked before.
    /// </summary>
    public static Reason PeerReason(Scene scene, HostModel host, HostModel peer, ImmutableArray<DomainModel> domains)
    {
        var links = Links.Joining(scene.Datacentre, host, peer);
        var demanding = domains
            .Where(domain => domain.Network.Confidentiality != NetworkConfidentiality.None).ToList();
        var sentence = demanding.Count == 0
            ? $"{Display.List(domains.Select(Display.Of))} demands no ciphertext between hosts."
            : $"{Display.List(links.Select(link => link.Origin))} between {Display.Of(host)} and {Display.Of(peer)} "
                + $"is a trusted segment, as {Display.List(demanding.Select(Display.Of))} demands.";
        return new Reason(
            sentence, [.. domains.Select(domain => domain.Origin), peer.Origin, .. links.Select(link => link.Origin)]);
    }
}
