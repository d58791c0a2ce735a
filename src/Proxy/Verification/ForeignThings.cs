using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Proxy.Verification;

/// <summary>
/// What is on the host, is in no plan, and could pass, change or copy what is a tenant's: devices with our names,
/// tables that see bridges' frames or stand in our namespaces, queues that can mirror a port, and block devices made of
/// volumes. The host's own firewall is its operator's business: no frame of a domain comes to it.
/// </summary>
/// <param name="tools">Asks the host.</param>
/// <param name="pool">Where the volumes lie.</param>
public sealed class ForeignThings(NetworkTools tools, string pool)
{
    private const string BlockDevices = "/sys/block";

    /// <summary>Each of them, as a sentence.</summary>
    /// <exception cref="WorldException">The host does not answer.</exception>
    public ImmutableArray<string> Find(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return [.. Devices(plan), .. Tables(plan), .. Mirrors(plan), .. OpenVolumes()];
    }

    private IEnumerable<string> Devices(HostPlan plan)
    {
        HashSet<string> planned = HostSweep.Devices(plan);
        return tools.Links().Values.Where(link => HostSweep.IsOurs(link.Name) && !planned.Contains(link.Name))
            .Select(link => $"The device {link.Name} has a name of ours and is in no plan.");
    }

    private IEnumerable<string> Tables(HostPlan plan)
    {
        HashSet<string> planned =
        [
            "bridge " + HostGuard.Table,
            .. plan.Domains.SelectMany(d => new[] { $"bridge {d.Network.Table}", $"bridge {FlowTables.TableOf(d)}" }),
            .. plan.Passages.Select(passage => $"bridge {passage.Network.Table}"),
        ];
        foreach ((string family, string name) in tools.AllTables(null))
        {
            if (family is "bridge" or "netdev" && !planned.Contains($"{family} {name}"))
            {
                yield return $"The table {family} {name} is in no plan, and frames of domains come to its chains.";
            }
        }

        foreach ((string space, HashSet<string> own) in Spaces(plan))
        {
            foreach ((string family, string name) in tools.AllTables(space).Where(t => !own.Contains(t.Name)))
            {
                yield return $"The table {family} {name} in the namespace {space} is in no plan.";
            }
        }
    }

    private IEnumerable<(string Space, HashSet<string> Tables)> Spaces(HostPlan plan)
    {
        IReadOnlySet<string> there = tools.Namespaces();
        return plan.Domains.Select(domain => domain.Gateway).OfType<GatewayPlan>()
            .Select(gateway => (gateway.Namespace, new HashSet<string> { "bw_gateway", FlowTables.GatewayTable }))
            .Concat(plan.Domains.Select(domain => domain.ServicePoint).OfType<ServicePointPlan>()
                .Select(point => (point.Namespace, new HashSet<string> { "bw_service" })))
            .Where(space => there.Contains(space.Namespace));
    }

    /// <summary>What comes in by a port is redirected only where its plan limits it.</summary>
    private IEnumerable<string> Mirrors(HostPlan plan)
    {
        HashSet<string> limited =
        [
            .. plan.Domains.SelectMany(domain => domain.Network.Ports)
                .Where(port => port.Limit is not null).Select(port => port.Device),
        ];
        return tools.IngressDevices().Where(device => HostSweep.IsOurs(device) && !limited.Contains(device))
            .Select(device => $"What comes in by {device} passes queues of somebody's, which can copy it.");
    }

    private IEnumerable<string> OpenVolumes()
    {
        string under = Path.GetFullPath(pool) + Path.DirectorySeparatorChar;
        foreach (string device in Directory.Exists(BlockDevices) ? Directory.GetDirectories(BlockDevices) : [])
        {
            string backing = Path.Combine(device, "loop", "backing_file");
            string file;
            try
            {
                file = File.ReadAllText(backing).TrimEnd('\n');
            }
            catch (IOException)
            {
                // It is no loop device, or has gone.
                continue;
            }

            if (file.StartsWith(under, StringComparison.Ordinal))
            {
                yield return $"The block device {Path.GetFileName(device)} is made of the volume file "
                    + $"{Path.GetFileName(file)}.";
            }
        }
    }
}
