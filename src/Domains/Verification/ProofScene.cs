using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>A machine's port where it runs.</summary>
internal sealed record PlacedPort(
    HostPlan Host, DomainPlan Plan, LocalPort Port, CompartmentModel Machine, NicModel Nic)
{
    public DomainRef Domain => Plan.Domain;

    public UInt128 Device => NftValues.OfName(Port.Device);

    public UInt128 Mac => NftValues.OfMac(Port.Member.Mac);

    public IPAddress? Address(bool isIpv6) => isIpv6 ? Nic.Ipv6 : Nic.Ipv4;
}

/// <summary>What may pass between a machine here and one of another domain, as policies say it.</summary>
/// <param name="Own">Here.</param>
/// <param name="Other">There.</param>
/// <param name="Outward">Whether the one here opens connections.</param>
/// <param name="Flows">The open flows.</param>
internal sealed record OpenPair(PlacedPort Own, PlacedPort Other, bool Outward, ImmutableArray<OpenFlow> Flows);

/// <summary>
/// Which devices there are and which machine is behind which, by the plans; and what may pass, by the statements alone.
/// </summary>
internal sealed class ProofScene
{
    private readonly CheckedDatacentre _datacentre;
    private readonly Dictionary<(string Host, string Domain), List<PlacedPort>> _ports = [];
    private readonly Dictionary<(string Host, string Domain), List<OpenPair>> _open = [];

    public ProofScene(IEnumerable<HostPlan> plans, CheckedDatacentre datacentre)
    {
        _datacentre = datacentre;
        Plans = [.. plans];
        Flows = FlowMatrix.Of(datacentre);
        foreach (var plan in Plans)
        {
            foreach (var domain in plan.Domains)
            {
                _ports[(plan.Host.ToString(), domain.Domain.ToString())] = [.. Placed(plan, domain)];
            }
        }

        OpenPairs();
    }

    public ImmutableArray<HostPlan> Plans { get; }

    public FlowMatrix Flows { get; }

    public DomainModel Model(DomainRef domain) => _datacentre.Domains[domain.ToString()];

    /// <summary>A domain's ports on a host.</summary>
    public IReadOnlyList<PlacedPort> Ports(HostRef host, DomainRef domain) =>
        _ports.GetValueOrDefault((host.ToString(), domain.ToString()), []);

    /// <summary>What may pass between a domain's machines here and others.</summary>
    public IReadOnlyList<OpenPair> Open(HostRef host, DomainRef domain) =>
        _open.GetValueOrDefault((host.ToString(), domain.ToString()), []);

    /// <summary>The domain's stations, each behind the ports of this host's switch by which its frames come.</summary>
    public List<Station> Stations(HostPlan plan, DomainPlan domain)
    {
        var server = Model(domain.Domain).Services.Addresses is AddressService.Machine named ? named.Name : null;
        List<Station> stations = [.. Ports(plan.Host, domain.Domain).Select(port => At(port, port.Device, true))];
        foreach (var peer in domain.Network.Peers)
        {
            stations.AddRange(Tunnels.To(domain.Network, peer.Protection).SelectMany(tunnel =>
                Ports(peer.Host, domain.Domain).Select(port => At(port, NftValues.OfName(tunnel), false))));
        }

        return stations;

        Station At(PlacedPort port, UInt128 device, bool isHere) => new(
            device, port.Mac, port.Nic.Ipv4 is { } four ? NftValues.OfAddress(four) : null,
            port.Nic.Ipv6 is { } six ? NftValues.OfAddress(six) : null,
            NftValues.OfAddress(DeviceNames.LinkLocal(port.Port.Member.Mac)), isHere,
            port.Machine.Ref.Name == server);
    }

    /// <summary>The address by which a domain knows a machine of another.</summary>
    public UInt128 Known(PlacedPort machine, DomainRef by, IPAddress address) => NftValues.OfAddress(
        Translations.Known(Model(machine.Domain), Model(by), address));

    private IEnumerable<PlacedPort> Placed(HostPlan plan, DomainPlan domain) =>
        from port in domain.Network.Ports
        let machine = _datacentre.Machinery.Compartments.GetValueOrDefault(port.Member.Ref.ToString())
        where machine is not null
        let nic = machine.Nics.FirstOrDefault(nic => nic.Domain == domain.Domain.Name
            && domain.Domain.Tenant == machine.Ref.Tenant)
        where nic is not null
        select new PlacedPort(plan, domain, port, machine, nic);

    /// <summary>The cells of the matrix that are not closed, for machines that run somewhere.</summary>
    private void OpenPairs()
    {
        var byMachine = _ports.Values.SelectMany(ports => ports).ToLookup(port => port.Machine.Ref.ToString());
        var pairs = Flows.Open.Where(flow => flow.Resource is FlowResource.Network)
            .SelectMany(flow => flow.Senders.SelectMany(_ => flow.Receivers, (from, to) => (from, to, flow)))
            .GroupBy(cell => (cell.from, cell.to, cell.flow.From, cell.flow.To));
        foreach (var cell in pairs)
        {
            // The matrix itself is asked: two machines with a domain in common have no flow between others of theirs.
            if (Flows.Expect(cell.Key.from, cell.Key.to) is FlowExpectation.Nothing)
            {
                continue;
            }

            var flows = cell.Select(one => one.flow).ToImmutableArray();
            foreach (var client in byMachine[cell.Key.from.ToString()].Where(one => one.Domain == cell.Key.From))
            {
                foreach (var server in byMachine[cell.Key.to.ToString()].Where(one => one.Domain == cell.Key.To))
                {
                    Add(client, new OpenPair(client, server, Outward: true, flows));
                    Add(server, new OpenPair(server, client, Outward: false, flows));
                }
            }
        }
    }

    private void Add(PlacedPort at, OpenPair pair)
    {
        var key = (at.Host.Host.ToString(), at.Domain.ToString());
        if (!_open.TryGetValue(key, out var list))
        {
            _open[key] = list = [];
        }

        list.Add(pair);
    }
}
