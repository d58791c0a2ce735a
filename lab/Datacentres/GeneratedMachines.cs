using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Bailiwick.Lab.Datacentres;

/// <summary>The machines of a <see cref="GeneratedDatacentre"/>, and where each has its place.</summary>
internal sealed class GeneratedMachines
{
    private const int SpareCpus = 8;
    private readonly List<Drawn> _machines = [];

    private readonly record struct Drawn(int Tenant, int Host, int Cpus, int Memory, string[] Nics, bool HasVolume);

    public GeneratedMachines(DatacentreShape shape, Random random, ImmutableArray<GeneratedDomain> domains)
    {
        Cpus = (int)Math.Ceiling(2.5 * shape.Machines / shape.Hosts * 1.4) + 16;
        var free = Enumerable.Repeat(Cpus - SpareCpus, shape.Hosts).ToArray();
        foreach (var domain in domains)
        {
            // A domain is spread over as many hosts as it has machines, near each other.
            var home = random.Next(shape.Hosts);
            var reach = Math.Min(shape.Hosts, Math.Max(4, domain.Size * 2));
            for (var i = 0; i < domain.Size; i++)
            {
                var cpus = 1 + random.Next(4);
                var second = random.Next(50) == 0 && domain.Open.Count > 0
                    ? domain.Open[random.Next(domain.Open.Count)] : null;
                var host = Host(
                    free, home + random.Next(reach), cpus, domain.IsAnywhere && second?.IsAnywhere != false);
                free[host] -= cpus;
                var number = _machines.Count;
                var nics = new List<string>();
                foreach (var member in second is null ? [domain] : new[] { domain, second })
                {
                    nics.Add(member.Nic(member.Machines.Count));
                    member.Machines.Add(number);
                }

                if (domain.Group.Count == 0 || (random.Next(6) == 0 && domain.Group.Count < 5))
                {
                    domain.Group.Add(number);
                }

                _machines.Add(new Drawn(
                    domain.Tenant, host, cpus, 256 * random.Next(1, 9), [.. nics], random.Next(2) == 0));
            }
        }
    }

    /// <summary>Processors of each host.</summary>
    public int Cpus { get; }

    /// <summary>Memory of each host: enough for all that its processors are enough for.</summary>
    public int MemoryMib => Cpus * 2048;

    /// <summary>Hosts of uneven numbers stand in the second country.</summary>
    public static string Country(int host) => host % 2 == 0 ? "CH" : "DE";

    public int HostOf(int machine) => _machines[machine].Host;

    public int TenantOf(int machine) => _machines[machine].Tenant;

    public void Write(StringBuilder text, int machine)
    {
        var drawn = _machines[machine];
        Write(text, machine, drawn.Cpus, drawn.Memory, drawn.Nics, drawn.HasVolume);
        if (drawn.HasVolume)
        {
            var domain = drawn.Nics[0].Split(' ', ',')[1];
            text.Append(CultureInfo.InvariantCulture,
                $"---\nkind: Volume\nname: v{machine:0000000}\ndomain: {domain}\nsizeMiB: 64\nwipe: crypto-erase\n");
        }
    }

    public static void Write(
        StringBuilder text, int machine, int cpus, int memoryMib, IEnumerable<string> nics, bool hasVolume) =>
        text.Append(CultureInfo.InvariantCulture, $"kind: Compartment\nname: ")
            .Append(GeneratedDatacentre.MachineName(machine))
            .Append(CultureInfo.InvariantCulture, $"\ncpus: {cpus}\nmemoryMiB: {memoryMib}\nboot: {{image: guest}}\n")
            .Append(hasVolume
                ? string.Create(CultureInfo.InvariantCulture, $"disks: [{{volume: v{machine:0000000}, access: write}}]")
                : "disks: []")
            .Append(CultureInfo.InvariantCulture, $"\nnics: [{string.Join(", ", nics)}]\n")
            .Append("devices: [console]\nplacement: {}\n");

    private static int Host(int[] free, int from, int cpus, bool isAnywhere)
    {
        for (var i = 0; i < free.Length; i++)
        {
            var host = (from + i) % free.Length;
            if (free[host] >= cpus && (isAnywhere || Country(host) == "CH"))
            {
                return host;
            }
        }

        throw new InvalidOperationException("No host has room; the shape has too many machines for its hosts.");
    }
}
