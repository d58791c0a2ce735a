using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;

namespace Bailiwick.Proxy.Networking;

/// <summary>The parts of this host's network, which share one guard and one memory of what was loaded.</summary>
public sealed class HostNetwork
{
    /// <summary>Puts the parts together.</summary>
    /// <param name="host">Runs the tools.</param>
    /// <param name="integrity">Where drift is recorded.</param>
    /// <param name="wasPlanned">Whether an earlier plan named a device: what leaves the plan is no drift.</param>
    public HostNetwork(IHost host, IntegrityManager integrity, Func<string, bool> wasPlanned)
    {
        NetworkTools tools = new(host);
        TableKeeper tables = new(tools);
        Guard = new HostGuard(tools, tables, integrity);
        SegmentKeeper segments = new(tools, tables, Guard, integrity, wasPlanned);
        Domains = new VirtualNetworkManager(segments, new GatewayKeeper(tools, tables, Guard, integrity), Guard);
        Passages = new PassageKeeper(segments);
        Sweep = new HostSweep(tools, tables, Guard, integrity);
    }

    /// <summary>Live and dead ports, and accepted tunnels.</summary>
    public HostGuard Guard { get; }
    /// <summary>The domains' switches and gateways.</summary>
    public VirtualNetworkManager Domains { get; }
    /// <summary>The passages between domains.</summary>
    public PassageKeeper Passages { get; }
    /// <summary>What no plan names.</summary>
    public HostSweep Sweep { get; }
}
