using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>A machine's port where it runs.</summary>
/// <param name="Number">Another for each port of a scene.</param>
/// <param name="IsAsked">Whether its host's tables are what is asked about.</param>
/// <param name="Host">The host that runs it.</param>
/// <param name="Plan">Its domain's part of the host's plan.</param>
/// <param name="Port">The port.</param>
/// <param name="Machine">The machine, by its statement.</param>
/// <param name="Nic">Its network card in the domain, by the same.</param>
internal sealed record PlacedPort(
    int Number, bool IsAsked, HostPlan Host, DomainPlan Plan, LocalPort Port, CompartmentModel Machine, NicModel Nic)
{
    public DomainRef Domain => Plan.Domain;

    public UInt128 Device { get; } = NftValues.OfName(Port.Device);

    public UInt128 Mac { get; } = NftValues.OfMac(Port.Member.Mac);

    public IPAddress? Address(bool isIpv6) => isIpv6 ? Nic.Ipv6 : Nic.Ipv4;
}

/// <summary>What may pass between a machine here and one of another domain, as policies say it.</summary>
/// <param name="Own">Here.</param>
/// <param name="Other">There.</param>
/// <param name="Outward">Whether the one here opens connections.</param>
/// <param name="Flows">The open flows.</param>
internal sealed record OpenPair(PlacedPort Own, PlacedPort Other, bool Outward, ImmutableArray<OpenFlow> Flows)
{
    /// <summary>What they open.</summary>
    public IEnumerable<FlowResource.Network> Networks =>
        Flows.Select(flow => flow.Resource).OfType<FlowResource.Network>();
}

/// <summary>
/// Which devices there are and which machine is behind which, by the plans; and what may pass, by the statements alone.
/// </summary>
internal sealed class ProofScene
{
    private readonly CheckedDatacentre _datacentre;
    private readonly Dictionary<(string Host, string Domain), List<PlacedPort>> _ports = [];
    private readonly Dictionary<(string Host, string Domain), List<OpenPair>> _open = [];
    private int _placed;

    /// <param name="plans">The plans of all hosts that have a part in each other's domains.</param>
    /// <param name="datacentre">The policies.</param>
    /// <param name="host">The host about whose tables is asked; null for all.</param>
    public ProofScene(IEnumerable<HostPlan> plans, CheckedDatacentre datacentre, HostRef? host = null)
    {
        _datacentre = datacentre;
        Plans = [.. plans];
        Flows = FlowMatrix.Of(datacentre);
        foreach (var plan in Plans)
        {
            foreach (var domain in plan.Domains)
            {
                _ports[(plan.Host.ToString(), domain.Domain.ToString())] =
                    Placed(plan, domain, host is null || plan.Host == host);
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

    /// <summary>What may pass between a domain's machines on a host that is asked about and others.</summary>
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

    /// <summary>The addresses by which a domain knows machines of another.</summary>
    public Func<IPAddress, UInt128> Known(DomainRef machines, DomainRef by)
    {
        var (model, other) = (Model(machines), Model(by));
        return address => NftValues.OfAddress(Translations.Known(model, other, address));
    }

    private List<PlacedPort> Placed(HostPlan plan, DomainPlan domain, bool isAsked) =>
    [
        .. from port in domain.Network.Ports
           let machine = _datacentre.Machinery.Compartments.GetValueOrDefault(port.Member.Ref.ToString())
           where machine is not null
           let nic = machine.Nics.FirstOrDefault(nic => nic.Domain == domain.Domain.Name
               && domain.Domain.Tenant == machine.Ref.Tenant)
           where nic is not null
           select new PlacedPort(_placed++, isAsked, plan, domain, port, machine, nic),
    ];

    /// <summary>
    /// The cells of the matrix that are not closed, for machines that run somewhere: those that a flow names and that
    /// have a port in its domain.
    /// </summary>
    private void OpenPairs()
    {
        var ports = _ports.Values.SelectMany(ports => ports).ToLookup(port => (port.Domain, port.Machine.Ref));
        var joined = Flows.Open.Where(flow => flow.Resource is FlowResource.Network)
            .GroupBy(flow => (flow.From, flow.To));
        foreach (var flows in joined)
        {
            Dictionary<(int, int), (PlacedPort Client, PlacedPort Server, List<OpenFlow> Flows)> cells = [];
            foreach (var flow in flows)
            {
                var servers = flow.Receivers.SelectMany(to => ports[(flow.To, to)]).ToList();
                foreach (var client in flow.Senders.SelectMany(from => ports[(flow.From, from)]))
                {
                    foreach (var server in servers.Where(server => client.IsAsked || server.IsAsked))
                    {
                        if (!cells.TryGetValue((client.Number, server.Number), out var cell))
                        {
                            cells[(client.Number, server.Number)] = cell = (client, server, []);
                        }

                        cell.Flows.Add(flow);
                    }
                }
            }

            foreach (var (client, server, open) in cells.Values)
            {
                Add(client, new OpenPair(client, server, Outward: true, [.. open]));
                Add(server, new OpenPair(server, client, Outward: false, [.. open]));
            }
        }
    }

    private void Add(PlacedPort at, OpenPair pair)
    {
        if (!at.IsAsked)
        {
            return;
        }

        var key = (at.Host.Host.ToString(), at.Domain.ToString());
        if (!_open.TryGetValue(key, out var list))
        {
            _open[key] = list = [];
        }

        list.Add(pair);
    }
}
