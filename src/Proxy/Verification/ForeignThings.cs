using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Proxy.Verification;

/// <summary>
/// What is on the host, is in no plan, and could pass, change or copy what is a tenant's: devices with our names,
/// tables that see bridges' frames or stand in our namespaces, queues that can mirror a port, programs and sockets that
/// see what passes one, and block devices made of volumes. The host's own firewall is its operator's business: no frame
/// of a domain comes to it.
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
        ObservedLink[] ours = [.. tools.Links().Values.Where(link => HostSweep.IsOurs(link.Name))];
        return
        [
            .. Devices(plan, ours), .. Tables(plan), .. Mirrors(plan), .. Programs(null, ours),
            .. Listeners(null, ours),
            .. Spaces(plan).SelectMany(space => InSpace(space.Space)), .. OpenVolumes(),
        ];
    }

    private static IEnumerable<string> Devices(HostPlan plan, IEnumerable<ObservedLink> ours)
    {
        HashSet<string> planned = HostSweep.Devices(plan);
        return ours.Where(link => !planned.Contains(link.Name))
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

    /// <summary>Programs that neither nft nor tc lists.</summary>
    private IEnumerable<string> Programs(string? space, ObservedLink[] links)
    {
        Dictionary<int, string> names = links.ToDictionary(link => link.Index, link => link.Name);
        string where = space is null ? "." : $" in the namespace {space}.";
        return links.Where(link => link.HasProgram).Select(link => link.Name).Select(Comes).Concat(
            tools.AttachedPrograms(links, space).Select(one => one.Place switch
            {
                ProgramPlace.Ingress => Comes(names[one.Device]),
                ProgramPlace.Egress => $"A BPF program sees, and can change, what leaves by {names[one.Device]}{where}",
                ProgramPlace.Netfilter => "A BPF program is linked into netfilter; in which namespace the kernel does "
                    + "not tell, so frames of domains may pass it.",
                _ => throw new System.Diagnostics.UnreachableException(),
            }));

        string Comes(string device) => $"A BPF program sees, and can change, what comes in by {device}{where}";
    }

    /// <summary>What tc or XDP sees in a namespace of ours is nobody's but ours.</summary>
    private IEnumerable<string> InSpace(string space)
    {
        ObservedLink[] links = [.. tools.Links(space).Values];
        return Programs(space, links).Concat(Listeners(space, links));
    }

    /// <summary>This program's own listen for captures that are in the integrity log.</summary>
    private IEnumerable<string> Listeners(string? space, ObservedLink[] links)
    {
        Dictionary<int, string> names = links.ToDictionary(link => link.Index, link => link.Name);
        ObservedListener[] found =
            [.. tools.Listeners(space).Where(one => one.Device == 0 || names.ContainsKey(one.Device))];
        HashSet<string> own = found.Length == 0 ? [] : OwnFiles();
        return found.Where(one => !own.Contains($"socket:[{one.Inode}]")).Select(one => one.Device == 0
            ? $"A socket listens to the frames of all devices{(space is null ? "" : $" of {space}")}."
            : $"A socket listens to the frames of {names[one.Device]}.");
    }

    private static HashSet<string> OwnFiles() =>
        [.. Directory.GetFiles("/proc/self/fd").Select(file => new FileInfo(file).LinkTarget ?? "")];

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
