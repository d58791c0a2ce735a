using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Traffic;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// Removes what no plan names: left behind by a domain that has gone, by a Proxy that died, or put there by somebody.
/// Only things with our own name prefixes are touched.
/// </summary>
public sealed class HostSweep(
    NetworkTools tools, TableKeeper tables, TunnelKeeper tunnels, HostGuard guard, IntegrityManager integrity)
{
    private static readonly string[] Prefixes = ["bwb", "bwx", "bwt", "bwp", "bwq", "bwy", "bww", "bwn", "bwi", "bwv"];

    private static readonly string[] Spaces = ["bwg", "bws", "bwn"];

    /// <summary>Makes dead every live port that the plan does not name.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="wasPlanned">Whether an earlier plan named a device; one that none did is a drift.</param>
    public void KillStrayPorts(HostPlan plan, Func<string, bool> wasPlanned)
    {
        string[] strays = [.. guard.Live().Keys.Except(Devices(plan)).Order()];
        foreach (string stray in strays.Where(s => !wasPlanned(s)))
        {
            // Nobody knows whose it is: it is committed, and shown to no tenant.
            integrity.RecordOrOwe(
                IntegrityKind.Drift, IntegrityReaders.Nobody, stray, "The port is live and not in this host's plan.");
        }

        guard.Kill(strays, "The port is not in this host's plan.");
    }

    /// <summary>Removes devices, namespaces and tables that the plan does not name, in that order.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="isInForce">
    /// Whether the plan is still the one in force. It is asked after listing and before removing, so that what a newer
    /// plan has made is never taken for a leftover.
    /// </param>
    public void RemoveLeftovers(HostPlan plan, Func<bool> isInForce)
    {
        HashSet<string> devices = Devices(plan);
        // A tap goes with its machine. One that could not be ended yet keeps its dead port, and may be planned again.
        string[] links = [.. tools.Links().Values
            .Where(l => l.Kind != "tun" && IsOurs(l.Name) && !devices.Contains(l.Name)).Select(l => l.Name)];
        HashSet<string> spaces =
        [
            .. plan.Domains.Select(d => d.Gateway?.Namespace).OfType<string>(),
            .. plan.Domains.Select(d => d.ServicePoint?.Namespace).OfType<string>(),
            .. Encrypted(plan).SelectMany(e => e.Generations.Select(one => one.Namespace)),
        ];
        string[] namespaces = [.. tools.Namespaces()
            .Where(n => Spaces.Any(p => n.StartsWith(p, StringComparison.Ordinal)) && !spaces.Contains(n))];
        if (!isInForce())
        {
            return;
        }

        foreach (string link in links)
        {
            tools.RunIgnoringAbsence(SegmentCommands.Remove(link));
        }

        foreach (string space in namespaces)
        {
            tables.Forget(space);
            tunnels.Forget(space);
            // A namespace lives on with the last program in it.
            tools.EndPrograms(space);
            tools.RunIgnoringAbsence(SegmentCommands.RemoveNamespace(space));
        }

        // Rules last: as long as a bridge may stand, so do its rules.
        HashSet<string> names =
        [
            .. plan.Domains.Select(d => d.Network.Table), .. plan.Passages.Select(p => p.Network.Table),
            HostGuard.Table,
        ];
        string[] left = [.. tools.Tables("bridge")
            .Where(t => t.StartsWith("bw_", StringComparison.Ordinal) && !names.Contains(t))];
        foreach (string table in isInForce() ? left : [])
        {
            tables.Remove(table);
        }
    }

    private static IEnumerable<EncryptedTunnels> Encrypted(HostPlan plan) =>
        plan.Domains.Select(d => d.Network.Encrypted).Concat(plan.Passages.Select(p => p.Network.Encrypted))
            .OfType<EncryptedTunnels>();

    internal static bool IsOurs(string device) =>
        device.Length is 13 or 14 && Prefixes.Any(p => device.StartsWith(p, StringComparison.Ordinal));

    internal static HashSet<string> Devices(HostPlan plan)
    {
        HashSet<string> devices = new(StringComparer.Ordinal);
        foreach (DomainPlan domain in plan.Domains)
        {
            devices.UnionWith([domain.Network.Bridge, .. domain.Network.Ports.Select(p => p.Device)]);
            devices.UnionWith(domain.Network.Ports.Select(p => PortLimits.Redirector(p.Device)));
            devices.UnionWith(Tunnels.Of(domain.Network));
            devices.UnionWith(domain.Gateway is { } gateway
                ? [gateway.BridgePort, .. gateway.Legs.Select(l => l.Port)] : []);
            devices.UnionWith(domain.ServicePoint is { } point ? [point.BridgePort] : []);
        }

        foreach (PassagePlan passage in plan.Passages)
        {
            devices.UnionWith([passage.Network.Bridge, .. passage.Ports.Select(p => p.Device)]);
            devices.UnionWith(Tunnels.Of(passage.Network));
        }

        return devices;
    }
}
