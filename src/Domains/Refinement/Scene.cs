using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>An admitted machine's port in one domain, and where the machine is.</summary>
internal sealed record PlacedMember(CompartmentModel Machine, HostModel Host, int Index)
{
    public NicModel Nic => Machine.Nics[Index];

    public MemberPlan Plan => new(
        Machine.Ref, DeviceNames.TapMac(Machine.Ref, Index), Nic.Ipv4?.ToString(), Nic.Ipv6?.ToString());
}

/// <summary>
/// The whole datacentre as every host sees it alike: who is admitted where, and which pairs have passages.
/// </summary>
internal sealed record Scene(
    AdmissionGround Ground, ImmutableArray<AdmissionVerdict> Verdicts, FlowPairs Pairs, NetworkNumbers Numbers,
    Vlans Vlans)
{
    /// <summary>
    /// Of machines' ports and gateways' legs: 1500 on the underlay less 50 of VXLAN over IPv4 (RFC 7348); where a
    /// domain may demand ciphertext, less 60 of WireGuard and 70 of VXLAN over IPv6 instead. It follows from the
    /// domain's own statement alone, so that it stays when a link becomes another.
    /// </summary>
    public static int Mtu(DomainModel domain) =>
        domain.Network.Confidentiality == NetworkConfidentiality.None ? 1450 : 1370;

    /// <summary>The smallest of several domains'.</summary>
    public static int Mtu(IEnumerable<DomainModel> domains) => domains.Min(Mtu);

    private readonly ImmutableArray<(CompartmentModel Machine, HostModel Host)> _admitted =
        [.. Standing.After(Ground, Verdicts).Admitted];

    public static Scene Of(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, DateTimeOffset now)
    {
        var ground = AdmissionGround.Of(datacentre, now);
        var pairs = FlowPairs.Of(ground);
        return new Scene(
            ground, AdmissionControl.Review(ground, proposals), pairs, NetworkNumbers.Of(datacentre, pairs.Open),
            Vlans.Of(datacentre));
    }

    public CheckedDatacentre Datacentre => Ground.Datacentre;

    /// <summary>Machines admitted on a host, by reference.</summary>
    public IEnumerable<CompartmentModel> MachinesOn(HostRef host) =>
        _admitted.Where(place => place.Host.Ref == host).Select(place => place.Machine);

    /// <summary>The domain's ports anywhere, by machine and index.</summary>
    public ImmutableArray<PlacedMember> Members(DomainModel domain) =>
    [
        .. _admitted
            .Where(place => place.Machine.Ref.Tenant == domain.Ref.Tenant)
            .SelectMany(place => place.Machine.Nics.Select((nic, index) => (place, nic, index)))
            .Where(port => port.nic.Domain == domain.Ref.Name)
            .Select(port => new PlacedMember(port.place.Machine, port.place.Host, port.index)),
    ];

    /// <summary>
    /// True if the domain has an open network flow to or from a peer with which it can have a passage.
    /// </summary>
    public bool HasGateway(DomainModel domain) => Pairs.Open.Any(pair => pair.Has(domain));
}
