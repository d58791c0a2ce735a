using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain's service point on one host.</summary>
internal static class ServicePoints
{
    /// <summary>Reserved for private use by ICANN: no public name is ever in it.</summary>
    private const string TopLevel = "internal";

    public static ServicePointPlan? Of(
        Scene scene, HostModel host, DomainModel domain, GatewayPlan? gateway, ImmutableArray<PassageOnHost> passages)
    {
        if (!domain.Services.HasServicePoint)
        {
            return null;
        }

        var mac = DeviceNames.ServiceMac(domain.Ref);
        var (addresses, names) =
            (domain.Services.Addresses is AddressService.EachHost, domain.Services.Names == ServiceProvider.Host);
        return new ServicePointPlan(
            DeviceNames.ServicePoint(domain.Ref), DeviceNames.ServicePoint(domain.Ref), mac,
            DeviceNames.LinkLocal(mac), Zone(scene, domain), addresses, names,
            [.. domain.Network.Subnets.Select(subnet => Subnet(subnet, gateway))],
            [.. scene.Members(domain).On(host.Ref).Select(Machine)],
            names ? [.. Own(scene, domain), .. Others(scene, host, domain, passages)] : [],
            new Reason($"The policy of {Display.Of(domain)} has hosts tell its machines "
                + (addresses ? "their addresses" : "") + (addresses && names ? " and " : "")
                + (names ? "each other's names" : "") + ".", [domain.Origin]));
    }

    /// <summary>The member that may tell the others their addresses; nobody when it is not admitted anywhere.</summary>
    public static MemberPlan? AddressServer(Scene scene, DomainModel domain) =>
        domain.Services.Addresses is AddressService.Machine server
            ? scene.Members(domain).All.FirstOrDefault(member => member.Machine.Ref.Name == server.Name)?.Plan
            : null;

    private static ServedSubnet Subnet(IPNetwork subnet, GatewayPlan? gateway) => new(
        subnet.BaseAddress.ToString(), subnet.PrefixLength, Addresses.Service(subnet).ToString(),
        gateway is null ? null : Addresses.Gateway(subnet).ToString());

    private static ServedMachine Machine(PlacedMember member)
    {
        var plan = member.Plan;
        return new ServedMachine(
            member.Device, member.Machine.Ref.Name.Text, plan.Mac, plan.Ipv4,
            plan.Ipv6, DeviceNames.LinkLocal(plan.Mac));
    }

    private static IEnumerable<ServedName> Own(Scene scene, DomainModel domain) => scene.Members(domain).All.Select(
        member => new ServedName([member.Machine.Ref.Name.Text, Full(scene, domain, member)], Of(member)));

    /// <summary>
    /// The machines of other domains that an open flow joins with a machine of this host. Display names carry no
    /// authority: a name that is the domain's own, or that two others claim, is nobody's.
    /// </summary>
    private static IEnumerable<ServedName> Others(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<PassageOnHost> passages)
    {
        var own = Zone(scene, domain);
        var others = passages
            .Where(passage => Zone(scene, passage.Pair.Other(domain)) != own)
            .SelectMany(passage => passage.Flows)
            .Where(flow => flow.Near(domain).Placed.At(host.Ref) is not null)
            .Select(flow => flow.Far(domain)).Distinct()
            .SelectMany(end => end.Placed.All, (end, member) => (Peer: end.Domain, Other: member))
            .DistinctBy(one => (one.Peer.Ref, one.Other.Machine.Ref))
            .GroupBy(one => Full(scene, one.Peer, one.Other), StringComparer.Ordinal)
            .Where(group => group.Count() == 1)
            .OrderBy(group => group.Key, StringComparer.Ordinal);
        return others.Select(group => new ServedName(
            [group.Key], [.. Of(group.Single().Other).Select(address => Translations.Known(
                group.Single().Peer, domain, IPAddress.Parse(address)).ToString())]));
    }

    private static ImmutableArray<string> Of(PlacedMember member) =>
        [.. new[] { member.Plan.Ipv4, member.Plan.Ipv6 }.OfType<string>()];

    private static string Full(Scene scene, DomainModel domain, PlacedMember member) =>
        $"{member.Machine.Ref.Name.Text}.{Zone(scene, domain)}";

    private static string Zone(Scene scene, DomainModel domain) =>
        scene.Datacentre.Tenants.GetValueOrDefault(domain.Ref.Tenant.ToString()) is { } tenant
            ? $"{domain.Ref.Name.Text}.{tenant.Name.Text}.{TopLevel}"
            : $"{domain.Ref.Name.Text}.{TopLevel}";
}
