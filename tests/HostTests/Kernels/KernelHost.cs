using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Durable.Files;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.HostTests.Kernels;

/// <summary>One host as namespaces, whose domains' switches the product's own keepers bring to a plan.</summary>
internal sealed class KernelHost : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("bw-kh-").FullName;
    private readonly PlanOnNamespaces _spaces = new();
    private readonly PrivateDirectory _directory;
    private readonly IntegrityManager _integrity;
    private readonly NetworkTools _tools;
    private readonly TableKeeper _tables;
    private readonly HostGuard _guard;
    private readonly SegmentKeeper _segments;
    private readonly HostSweep _sweep;
    private readonly TunnelKeeper _tunnels;
    private readonly HashSet<string> _machines = [];

    public KernelHost()
    {
        _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        _integrity = IntegrityManager.Open(_directory, Guid.NewGuid());
        InsideHost host = new(_spaces);
        RulesWatch watch = new(host);
        _tools = new NetworkTools(host, watch);
        _tables = new TableKeeper(_tools, watch, TimeProvider.System);
        PlannedNames planned = new();
        HostGuard guard = _guard = new(_tools, _tables, _integrity, planned);
        _segments = new SegmentKeeper(_tools, _tables, guard, _integrity, planned);
        _tunnels = new TunnelKeeper(new WireGuardTools(host), new PeerTunnelKeys(), TimeProvider.System);
        _sweep = new HostSweep(_tools, _tables, _tunnels, guard, _integrity);
    }

    public int Pid => _spaces.Pid;

    public NetSpace Space => _spaces.Space;

    /// <summary>Runs lines inside.</summary>
    public string Run(params string[] lines) => _spaces.Run(lines);

    public NetSpace Machine(CompartmentPlan machine) => _spaces.Machine(machine);

    /// <summary>What the Proxy does in a round: each domain's switch, then what no plan names.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="again">Whether others have named their keys since, and nothing else is new.</param>
    /// <exception cref="WorldException">The world refused.</exception>
    public void Bring(HostPlan plan, bool again = false)
    {
        foreach (DomainPlan domain in plan.Domains.Where(one => !again || one.Network.Encrypted is not null))
        {
            _tunnels.Bring(domain.Network.Encrypted, TunnelKeeper.PeersOf(domain));
            Apply apply = new(new UnitStatus("domain", TimeProvider.System));
            _segments.Bring(plan, Wanted(plan, domain), new WantedRules(domain), apply);
            Plug(domain);
            _segments.Confirm(plan, Wanted(plan, domain), new WantedRules(domain));
        }

        if (!again)
        {
            _sweep.KillStrayPorts(plan, _ => true);
            _sweep.RemoveLeftovers(plan, () => true);
        }
    }

    /// <summary>What another host names is taken, as if its evidence had been accepted.</summary>
    public void Hear(KernelHost other, HostRef from, HostPlan plan)
    {
        foreach (DomainPlan domain in plan.Domains.Where(domain => domain.Network.Encrypted is not null
            && domain.Network.Peers.Any(peer => peer.Host == from && peer.Protection == LinkProtection.Encrypted)))
        {
            string segment = domain.Network.Encrypted?.Segment ?? "";
            _tunnels.Peers.Take(from, domain.Domain, other._tunnels.Named([segment]));
        }
    }

    /// <summary>The place of a domain's newest key pair that stands.</summary>
    public EncryptedTunnel Newest(DomainPlan domain)
    {
        EncryptedTunnels tunnels = Assert.IsType<EncryptedTunnels>(domain.Network.Encrypted);
        return tunnels.Generations[_tunnels.Standing(tunnels).Generations[^1]];
    }

    /// <summary>The ports that carry frames.</summary>
    public IEnumerable<string> Live() => _guard.Live().Keys;

    /// <summary>How a domain's table is held, and what is wrong with its switch.</summary>
    public (RulesState Rules, string Faults) State(HostPlan plan, DomainPlan domain) =>
        (_tables.State(new WantedRules(domain)),
            string.Join("; ", Wanted(plan, domain).Faults(_tools.Observe())
                .Select(fault => $"{fault.Device}: {fault.Sentence}")));

    public void Dispose()
    {
        _integrity.Dispose();
        _directory.Dispose();
        _spaces.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    private WantedSegment Wanted(HostPlan plan, DomainPlan domain)
    {
        WantedSegment wanted = WantedSegment.Of(
            domain, plan.Underlay, _tunnels.Standing(domain.Network.Encrypted));
        return wanted with { Vlan = wanted.Vlan is { } vlan ? vlan with { Parent = "under0" } : null };
    }

    /// <summary>As libvirt starts machines: a name among the namespaces, and a port that is up in its bridge.</summary>
    private void Plug(DomainPlan domain)
    {
        foreach (CompartmentPlan machine in domain.Compartments.Where(one => _machines.Add(one.MachineName)))
        {
            string name = machine.MachineName;
            Run(
            [
                $"ip netns add {name}", $"ip -n {name} link set lo up",
                .. PlanOnNamespaces.PortLines(name, machine.Ports[0], "eth0"),
            ]);
        }
    }
}
