using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Which frames a domain's switch on one host passes, from which port to which, said by the statements: everything
/// between its own machines (<see cref="SwitchSenders"/>), and to its gateway what some open flow may be about.
/// </summary>
/// <remarks>
/// A frame for one station goes to that station's port alone. The gateway and the service point speak with machines of
/// this host only, and what is asked of them reaches no tunnel. What each port says of itself the gateway need not.
/// </remarks>
internal sealed class SwitchExpectation(FrameSets frames, ProofScene scene, HostPlan plan, DomainPlan domain)
{
    private readonly NetworkPlan _network = domain.Network;
    private readonly DomainModel _model = scene.Model(domain.Domain);
    private readonly List<Station> _stations = scene.Stations(plan, domain);

    private readonly Lazy<List<UInt128[]>> _pairs4 = Pairs(scene, plan, domain, isIpv6: false);
    private readonly Lazy<List<UInt128[]>> _pairs6 = Pairs(scene, plan, domain, isIpv6: true);

    private bool FromHost => _model.Services.Addresses is AddressService.EachHost;

    private bool HasService => _model.Services.HasServicePoint && domain.ServicePoint is not null;

    private int Here => frames.IsAny(HeaderField.InName, Local);

    private IEnumerable<UInt128> Local => _stations.Where(one => one.IsHere).Select(one => one.Device);

    private int ToHere => ToStations(_stations.Where(one => one.IsHere).ToList());

    private ImmutableArray<UInt128> Gateways4 => Own(Addresses.Gateway, isIpv6: false);

    private ImmutableArray<UInt128> Gateways6 => Own(Addresses.Gateway, isIpv6: true);

    private ImmutableArray<UInt128> Services4 => Own(Addresses.Service, isIpv6: false);

    private ImmutableArray<UInt128> Services6 => Own(Addresses.Service, isIpv6: true);

    private UInt128 ServiceMac => NftValues.OfMac(DeviceNames.ServiceMac(domain.Domain));

    private UInt128 ServiceLinkLocal => NftValues.OfAddress(
        DeviceNames.LinkLocal(DeviceNames.ServiceMac(domain.Domain)));

    private UInt128 GatewayMac => NftValues.OfMac(DeviceNames.GatewayMac(domain.Domain));

    /// <summary>All of them, as they are when they leave the switch.</summary>
    public int Frames()
    {
        var senders = new SwitchSenders(frames, _model.Services, _stations).Frames();
        var toHere = ToHere;
        var machines = frames.All(senders, Here);
        // What is asked of the host reaches nobody else: DHCP, DHCPv6, router solicitations.
        var asked = FromHost
            ? frames.Any(frames.Udp(HeaderField.DestinationPort, 67, 547), frames.Icmp6(133)) : PacketSets.None;
        var all = frames.Any(
            frames.All(frames.But(machines, asked), toHere),
            frames.All(frames.But(machines, frames.Any(asked, ForDoors())), ToTunnels()),
            frames.All(frames.But(senders, Here), toHere));
        if (domain.Gateway is { } gateway)
        {
            all = frames.Any(all, frames.All(machines, ToGateway(gateway)), frames.All(FromGateway(gateway), toHere));
        }

        if (HasService && domain.ServicePoint is { } point)
        {
            all = frames.Any(all, frames.All(machines, ToService(point)), FromService(point));
        }

        return frames.But(all, Rerouted());
    }

    /// <summary>
    /// The service point says that it is the router (RFC 4861, section 4.2), so what machines send it for an open flow
    /// leaves with the gateway's MAC.
    /// </summary>
    private int Rerouted() => !FromHost || domain.Gateway is null ? PacketSets.None : frames.All(
        Here, frames.Ipv6, frames.Is(HeaderField.EtherDestination, ServiceMac),
        Pairs(HeaderField.Source6, HeaderField.Destination6, isIpv6: true));

    /// <summary>A frame for one station goes to its port, one for many to each.</summary>
    private int ToStations(List<Station> stations) => frames.Any(
        frames.Rows(
            [HeaderField.OutName, HeaderField.EtherDestination],
            stations.Select(one => new[] { one.Device, one.Mac })),
        frames.All(frames.IsAny(HeaderField.OutName, stations.Select(one => one.Device)), frames.ToMany));

    private int ToTunnels()
    {
        var far = _stations.Where(one => !one.IsHere).ToList();
        return frames.Any(
            frames.Rows(
                [HeaderField.OutName, HeaderField.EtherDestination], far.Select(one => new[] { one.Device, one.Mac })),
            frames.All(
                frames.IsAny(HeaderField.OutName, Tunnels.Of(_network).Select(NftValues.OfName)), frames.ToMany));
    }

    /// <summary>Questions for the gateway's or the service point's MAC: these are on every host.</summary>
    private int ForDoors() => frames.Any(
        domain.Gateway is null ? PacketSets.None : Questions(Gateways4, Gateways6, frames.Arp),
        HasService ? Questions(Services4, [.. Services6, ServiceLinkLocal], frames.Arp) : PacketSets.None);

    private int Questions(ImmutableArray<UInt128> four, ImmutableArray<UInt128> six, int arp) => frames.Any(
        frames.All(arp, frames.IsAny(HeaderField.ArpTarget, four)),
        frames.All(frames.Icmp6(135), frames.IsAny(HeaderField.NeighbourTarget, six)));

    private int ToGateway(GatewayPlan gateway) => frames.All(
        frames.Is(HeaderField.OutName, NftValues.OfName(gateway.BridgePort)),
        frames.Any(
            Questions(Gateways4, Gateways6, frames.All(frames.Arp, frames.Is(HeaderField.ArpOperation, 1))),
            frames.All(
                frames.Is(HeaderField.EtherDestination, GatewayMac),
                frames.Any(
                    frames.All(frames.Ipv4, Pairs(HeaderField.Source4, HeaderField.Destination4, isIpv6: false)),
                    frames.All(frames.Ipv6, Pairs(HeaderField.Source6, HeaderField.Destination6, isIpv6: true))))));

    private int FromGateway(GatewayPlan gateway) => frames.All(
        frames.Is(HeaderField.InName, NftValues.OfName(gateway.BridgePort)),
        frames.Is(HeaderField.EtherSource, GatewayMac),
        frames.Any(
            frames.All(
                frames.Arp, frames.Is(HeaderField.ArpOperation, 2), frames.Is(HeaderField.ArpSenderMac, GatewayMac),
                frames.IsAny(HeaderField.ArpSender, Gateways4)),
            frames.All(
                frames.OnLink6(136), frames.IsAny(HeaderField.Source6, Gateways6),
                frames.IsAny(HeaderField.NeighbourTarget, Gateways6)),
            // It tells its own machines what a passage takes at most (RFC 1191, RFC 8201).
            frames.All(
                frames.Icmp4(3), frames.Is(HeaderField.IcmpCode, 4), frames.IsAny(HeaderField.Source4, Gateways4)),
            frames.All(frames.Icmp6(2), frames.IsAny(HeaderField.Source6, Gateways6)),
            frames.All(frames.Ipv4, Pairs(HeaderField.Destination4, HeaderField.Source4, isIpv6: false)),
            frames.All(frames.Ipv6, Pairs(HeaderField.Destination6, HeaderField.Source6, isIpv6: true))));

    /// <summary>A machine here and one of another domain between which anything is open, either way.</summary>
    private int Pairs(HeaderField own, HeaderField other, bool isIpv6) =>
        frames.Rows([own, other], isIpv6 ? _pairs6.Value : _pairs4.Value);

    private static Lazy<List<UInt128[]>> Pairs(
        ProofScene scene, HostPlan plan, DomainPlan domain, bool isIpv6) => new(() =>
    [
        .. from across in scene.Open(plan.Host, domain.Domain).GroupBy(pair => pair.Other.Domain)
           let known = scene.Known(across.Key, domain.Domain)
           from pair in across
           let near = pair.Own.Address(isIpv6)
           let far = pair.Other.Address(isIpv6)
           where near is not null && far is not null
           select new[] { NftValues.OfAddress(near), known(far) },
    ]);

    private int ToService(ServicePointPlan point)
    {
        var names = frames.All(
            frames.Is(HeaderField.EtherDestination, ServiceMac), NamePort(HeaderField.DestinationPort),
            frames.Any(
                frames.All(frames.Ipv4, frames.IsAny(HeaderField.Destination4, Services4)),
                frames.All(frames.Ipv6, frames.IsAny(HeaderField.Destination6, Services6))));
        var addresses = frames.Any(
            frames.All(
                frames.Ipv4, frames.Udp(HeaderField.DestinationPort, 67),
                frames.IsAny(HeaderField.Destination4, [0xffff_ffff, .. Services4])),
            frames.All(
                frames.Ipv6, frames.Udp(HeaderField.DestinationPort, 547),
                frames.Is(HeaderField.Destination6, NftValues.OfAddress("ff02::1:2"))),
            frames.All(frames.Icmp6(133), frames.Is(HeaderField.Destination6, NftValues.OfAddress("ff02::2"))));
        return frames.All(
            frames.Is(HeaderField.OutName, NftValues.OfName(point.BridgePort)),
            // Not more than the host's limit of questions.
            frames.Is(HeaderField.Flooding, 0),
            // What is for the gateway goes to the gateway.
            domain.Gateway is null ? PacketSets.All
                : frames.But(PacketSets.All, frames.Is(HeaderField.EtherDestination, GatewayMac)),
            frames.Any(
                Questions(
                    Services4, [.. Services6, ServiceLinkLocal],
                    frames.All(frames.Arp, frames.Is(HeaderField.ArpOperation, 1))),
                FromHost ? addresses : PacketSets.None,
                _model.Services.Names == ServiceProvider.Host ? names : PacketSets.None));
    }

    private int FromService(ServicePointPlan point)
    {
        // Each answer leaves by the port of the machine that it is for.
        var toOne = frames.Rows(
            [HeaderField.OutName, HeaderField.EtherDestination],
            _stations.Where(one => one.IsHere).Select(one => new[] { one.Device, one.Mac }));
        var any = frames.IsAny(HeaderField.OutName, Local);
        var targets = frames.IsAny(HeaderField.NeighbourTarget, [.. Services6, ServiceLinkLocal]);
        var four = frames.All(frames.Ipv4, frames.IsAny(HeaderField.Source4, Services4));
        var six = frames.All(frames.Ipv6, frames.IsAny(HeaderField.Source6, Services6));
        var local = frames.Is(HeaderField.Source6, ServiceLinkLocal);
        var addresses = frames.Any(
            frames.All(frames.OnLink6(134), local, any),
            frames.All(
                four, frames.Udp(HeaderField.SourcePort, 67), frames.Udp(HeaderField.DestinationPort, 68),
                frames.Rows(
                    [HeaderField.OutName, HeaderField.DhcpMac],
                    _stations.Where(one => one.IsHere).Select(one => new[] { one.Device, one.Mac }))),
            frames.All(
                frames.Ipv6, local, frames.Udp(HeaderField.SourcePort, 547),
                frames.Udp(HeaderField.DestinationPort, 546), toOne));
        return frames.All(
            frames.Is(HeaderField.InName, NftValues.OfName(point.BridgePort)),
            frames.Is(HeaderField.EtherSource, ServiceMac),
            frames.Any(
                frames.All(
                    frames.Arp, frames.Is(HeaderField.ArpOperation, 2),
                    frames.Is(HeaderField.ArpSenderMac, ServiceMac), frames.IsAny(HeaderField.ArpSender, Services4),
                    toOne),
                frames.All(frames.OnLink6(136), targets, toOne),
                FromHost ? addresses : PacketSets.None,
                _model.Services.Names == ServiceProvider.Host
                    ? frames.All(frames.Any(four, six), NamePort(HeaderField.SourcePort), toOne) : PacketSets.None));
    }

    private int NamePort(HeaderField end) => frames.All(
        frames.Is(HeaderField.Protocol, HeaderFields.Tcp, HeaderFields.Udp), frames.Is(HeaderField.LaterFragment, 0),
        frames.Is(end, 53));

    private ImmutableArray<UInt128> Own(Func<IPNetwork, IPAddress> address, bool isIpv6) =>
    [
        .. _model.Network.Subnets.Select(address)
            .Where(one => one.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 == isIpv6)
            .Select(NftValues.OfAddress),
    ];
}
