using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Adds up what each domain's statements ask for. A member of two domains counts in both.</summary>
internal static class QuotaChecks
{
    /// <summary>Runs the check; nothing is left out, since admission refuses whatever exceeds the quota.</summary>
    public static void Run(StatementSet statements, CheckedDatacentre datacentre)
    {
        var machines = datacentre.Machinery.Compartments.Values
            .SelectMany(machine => FlowMatrix.Domains(machine).Select(domain => (domain, machine)))
            .ToLookup(pair => pair.domain, pair => pair.machine);
        var volumes = datacentre.Machinery.Volumes.Values
            .ToLookup(volume => new DomainRef(volume.Ref.Tenant, volume.Domain));
        Uplinks(statements, datacentre);
        foreach (var domain in datacentre.Domains.Values)
        {
            var members = machines[domain.Ref].ToArray();
            var asked = new[]
            {
                ("machines", "machines", (long)members.Length, domain.Quota.Machines),
                ("cpus", "processors", members.Sum(machine => (long)machine.Cpus), domain.Quota.Cpus),
                ("memoryMiB", "MiB of memory", members.Sum(machine => (long)machine.MemoryMib), domain.Quota.MemoryMib),
                ("storageMiB", "MiB of storage", volumes[domain.Ref].Sum(volume => (long)volume.SizeMib),
                    domain.Quota.StorageMib),
            };
            foreach (var (member, what, sum, quota) in asked.Where(row => row.Item3 > row.Item4))
            {
                statements.Note(
                    domain.Origin, FindingCode.QuotaExceeded, $"/quota/{member}",
                    $"The domain's statements ask for {sum} {what}, the quota is {quota}. Not all of them will be "
                    + $"admitted.");
            }
        }
    }

    /// <summary>Only of domains that must be there: where the others' machines will run, nobody knows yet.</summary>
    private static void Uplinks(StatementSet statements, CheckedDatacentre datacentre)
    {
        var boundTo = datacentre.Machinery.Compartments.Values
            .Where(machine => machine.Placement.Hosts is [_]).ToLookup(machine => machine.Placement.Hosts?[0]);
        foreach (var host in datacentre.Inventory.Hosts.Values.Where(one => one.UplinkMbit is not null))
        {
            var bound = boundTo[host.Ref.Name]
                .SelectMany(FlowMatrix.Domains).Distinct()
                .Select(one => datacentre.Domains.GetValueOrDefault(one.ToString()))
                .Where(domain => domain?.Bandwidth is { ReserveMbit: > 0 }).ToArray();
            var sum = bound.Sum(domain => (long)(domain?.Bandwidth?.ReserveMbit ?? 0));
            var shared = UplinkShare.Of(host.UplinkMbit ?? 0);
            if (sum > shared)
            {
                statements.Note(
                    host.Origin, FindingCode.UplinkOverReserved, "/capacity/uplinkMbit",
                    $"{bound.Length} domains whose machines are bound to this host reserve {sum} Mbit/s of its uplink, "
                    + $"which shares out {shared}. Each gets an equal part of it at most, and a machine of one that "
                    + "reserves more than that part does not start there.");
            }
        }

        foreach (var domain in datacentre.Domains.Values.Where(one => one.Bandwidth is { ReserveMbit: > 0 }))
        {
            var hosts = datacentre.Inventory.Hosts.Values.Where(host => HostChecks.Accepts(domain, host)).ToArray();
            var most = hosts.Length == 0 || hosts.Any(host => host.UplinkMbit is null)
                ? int.MaxValue : hosts.Max(host => UplinkShare.Of(host.UplinkMbit ?? 0));
            if (domain.Bandwidth?.ReserveMbit > most)
            {
                statements.Note(
                    domain.Origin, FindingCode.UplinkOverReserved, "/bandwidth/reserveMbit",
                    $"No host that the domain accepts shares out as much; the largest shares out {most} Mbit/s. None "
                    + "of its machines will start.");
            }
        }
    }
}
