using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Refinement;
using Bailiwick.Durable.Files;
using Bailiwick.HostTests.Rendering;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Proxy.Services;
using Bailiwick.Proxy.Traffic;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.HostTests.Services;

/// <summary>
/// Two hosts, on which the bank's web machines ask for addresses and names; the hospital's records on the same hosts
/// have the same addresses and no services. The service points are the Proxy's own work.
/// </summary>
public sealed class ServicedHosts : IDisposable
{
    internal const string Web = "bank/web.yaml";
    internal const string Here = "groups: {front: [web-1, web-2]}";
    private readonly ServedHost[] _served;

    public ServicedHosts()
    {
        Hosts = TwoHosts.Under(Policies);
        _served = [new(Hosts.Host(1)), new(Hosts.Host(2))];
        foreach (int number in (int[])[1, 2])
        {
            Build(number);
        }
    }

    /// <summary>Makes a host's service point, or makes sure of it.</summary>
    internal void Build(int host)
    {
        DomainPlan web = Hosts.Domain(host, "bank/web");
        Point(host).Bring(Plan(host), web.Network.Mtu, Apply);
        string port = Plan(host).BridgePort;
        Hosts.Host(host).Run([$"ip link set {port} addrgenmode none master {web.Network.Bridge} up"]);
        Hosts.Host(host).Revive([port]);
        Serve(host);
    }

    internal static Example Policies { get; } =
        TwoHosts.Policies.With(Web, Here, "services: {addresses: host, names: host}\n" + Here);

    internal static Apply Apply => new(new UnitStatus("test", TimeProvider.System));

    internal TwoHosts Hosts { get; }

    internal ServicePointKeeper Point(int host) => _served[host - 1].Keeper;

    internal NetworkTools Tools(int host) => _served[host - 1].Tools;

    internal PortLimits Limits(int host) => _served[host - 1].Limits;

    internal UplinkShares Uplink(int host) => _served[host - 1].Uplink;

    internal HostSweep Sweep(int host) => _served[host - 1].Sweep;

    internal IntegrityManager Log(int host) => _served[host - 1].Integrity;

    internal ServicePointPlan Plan(int host) => Hosts.Domain(host, "bank/web").ServicePoint
        ?? throw new InvalidOperationException("bank/web has a service point");

    internal void Serve(int host) => Point(host).Serve(Plan(host), Hosts.Domain(host, "bank/web").Network.Mtu);

    public void Dispose()
    {
        foreach (int number in (int[])[1, 2])
        {
            Tools(number).EndPrograms(Plan(number).Namespace);
            _served[number - 1].Dispose();
        }

        Hosts.Dispose();
    }

    /// <summary>What the Proxy has of one host.</summary>
    private sealed class ServedHost : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("bailiwick-services-").FullName;
        private readonly PrivateDirectory _directory;

        public ServedHost(PlanOnNamespaces space)
        {
            _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
            Integrity = IntegrityManager.Open(_directory, Guid.NewGuid());
            InsideHost host = new(space.Pid);
            RulesWatch watch = new(host);
            Tools = new NetworkTools(host, watch);
            TableKeeper tables = new(Tools, watch, TimeProvider.System);
            PlannedNames names = new();
            HostGuard guard = new(Tools, tables, Integrity, names);
            Keeper = new ServicePointKeeper(
                Tools, tables, guard, new ServiceServer(host, Tools), (Integrity, names));
            Limits = new PortLimits(Tools, Integrity, names);
            TunnelKeeper tunnels = new(new WireGuardTools(host), new PeerTunnelKeys(), TimeProvider.System);
            Sweep = new HostSweep(Tools, tables, tunnels, guard, Integrity);
            Uplink = new UplinkShares(Tools, tables, tunnels, Integrity);
        }

        public IntegrityManager Integrity { get; }

        public NetworkTools Tools { get; }

        public ServicePointKeeper Keeper { get; }

        public PortLimits Limits { get; }

        public HostSweep Sweep { get; }

        public UplinkShares Uplink { get; }

        public void Dispose()
        {
            Integrity.Dispose();
            _directory.Dispose();
            Directory.Delete(_path, recursive: true);
        }
    }
}

/// <summary>The real host's programs, run inside a namespace pair.</summary>
internal sealed class InsideHost(int holder) : IHost
{
    private readonly RealHost _real = new();

    public uint RulesGeneration() => new NetSpace($"/proc/{holder}/ns/net").Inside(_real.RulesGeneration);

    public ImmutableArray<AttachedPrograms> Programs(IReadOnlyCollection<int> devices, string? inNamespace = null) =>
        new NetSpace(inNamespace is null ? $"/proc/{holder}/ns/net" : $"/proc/{holder}/root/run/netns/{inNamespace}")
            .Inside(() => _real.Programs(devices));

    public ProgramResult Run(ProgramCall call) => _real.Run(call with
    {
        Argv =
        [
            "nsenter", "-t", holder.ToString(CultureInfo.InvariantCulture), "-m", "-n", "--",
            .. call.NetworkNamespace is { } space ? new[] { "ip", "netns", "exec", space } : [], .. call.Argv,
        ],
        NetworkNamespace = null,
    });
}

/// <summary>Tests that share these hosts run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class ServicedHostsGroup : ICollectionFixture<ServicedHosts>
{
    public const string Name = "Serviced hosts";
}
