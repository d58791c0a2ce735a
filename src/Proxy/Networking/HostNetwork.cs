using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Services;
using Bailiwick.Proxy.Traffic;

namespace Bailiwick.Proxy.Networking;

/// <summary>The parts of this host's network, which share one guard and one memory of what was loaded.</summary>
public sealed class HostNetwork
{
    /// <summary>Puts the parts together.</summary>
    /// <param name="host">Runs the tools.</param>
    /// <param name="integrity">Where drift is recorded.</param>
    /// <param name="planned">Whom a name of a plan concerns; what leaves the plan is no drift.</param>
    /// <param name="tunnels">The encrypted tunnels.</param>
    /// <param name="time">When tables are compared again.</param>
    public HostNetwork(
        IHost host, IntegrityManager integrity, PlannedNames planned, TunnelKeeper tunnels, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(tunnels);
        tunnels.Vanished = tunnel => integrity.RecordOrOwe(
            IntegrityKind.Drift, planned.ReadersOf(tunnel.Vxlan), tunnel.WireGuard, "The encrypted tunnel was gone.");
        Observed = new ObservedHost(host);
        RulesWatch watch = new(Observed);
        NetworkTools tools = Tools = new(Observed, watch);
        TableKeeper tables = Tables = new(tools, watch, time);
        Guard = new HostGuard(tools, tables, integrity, planned);
        SegmentKeeper segments = new(tools, tables, Guard, integrity, planned);
        GatewayKeeper gateways = new(tools, tables, Guard, integrity, planned);
        ServicePointKeeper points = new(tools, tables, Guard, new ServiceServer(host, tools), (integrity, planned));
        Domains = new VirtualNetworkManager(segments, gateways, points, Guard, tunnels)
        {
            Limits = new PortLimits(tools, integrity, planned),
        };
        Passages = new PassageKeeper(segments, tunnels);
        Uplink = new UplinkShares(tools, tables, tunnels, integrity);
        Sweep = new HostSweep(tools, tables, tunnels, Guard, integrity);
    }

    /// <summary>The host, for who looks at all of it at once.</summary>
    public ObservedHost Observed { get; }
    /// <summary>What all of them ask the host with.</summary>
    public NetworkTools Tools { get; }
    /// <summary>What was loaded, and whether it still stands.</summary>
    public TableKeeper Tables { get; }
    /// <summary>Live and dead ports, and accepted tunnels.</summary>
    public HostGuard Guard { get; }
    /// <summary>The domains' switches and gateways.</summary>
    public VirtualNetworkManager Domains { get; }
    /// <summary>How the way to other hosts is shared out.</summary>
    public UplinkShares Uplink { get; }
    /// <summary>The passages between domains.</summary>
    public PassageKeeper Passages { get; }
    /// <summary>What no plan names.</summary>
    public HostSweep Sweep { get; }
}
