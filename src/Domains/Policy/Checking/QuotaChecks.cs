using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Adds up what each domain's statements ask for. A member of two domains counts in both.</summary>
internal static class QuotaChecks
{
    /// <summary>So many are named of those that exceed a quota.</summary>
    private const int Named = 3;

    /// <summary>Runs the check; nothing is left out, since admission refuses whatever exceeds the quota.</summary>
    public static void Run(StatementSet statements, CheckedDatacentre datacentre, DomainNotes notes)
    {
        var (members, machines) = (datacentre.Index.Members, datacentre.Machinery.Compartments);
        var volumes = new Lazy<ILookup<DomainRef, VolumeModel>>(() => datacentre.Machinery.Volumes.Values
            .Where(volume => notes.Summed?.Contains(volume.Colour) != false).ToLookup(volume => volume.Colour));
        Uplinks(statements, datacentre);
        foreach (var domain in datacentre.Domains.Values)
        {
            notes.Sums(statements, domain, () => Sums(
                statements, domain, [.. members.All(domain.Ref).Select(machine => machines[machine.ToString()])],
                volumes.Value[domain.Ref]));
        }
    }

    private static void Sums(
        StatementSet statements, DomainModel domain, CompartmentModel[] members, IEnumerable<VolumeModel> volumes)
    {
        Over(statements, domain, "machines", "machines", domain.Quota.Machines,
            [.. members.Select(one => (one.Ref.Name.Text, 1L))]);
        Over(statements, domain, "cpus", "processors", domain.Quota.Cpus,
            [.. members.Select(one => (one.Ref.Name.Text, (long)one.Cpus))]);
        Over(statements, domain, "memoryMiB", "MiB of memory", domain.Quota.MemoryMib,
            [.. members.Select(one => (one.Ref.Name.Text, (long)one.MemoryMib))]);
        Over(statements, domain, "storageMiB", "MiB of storage", domain.Quota.StorageMib,
            [.. volumes.Select(volume => (volume.Ref.Name.Text, (long)volume.SizeMib))]);
    }

    /// <summary>The fewest that exceed the quota are the largest.</summary>
    private static void Over(
        StatementSet statements, DomainModel domain, string member, string what, int quota,
        (string Name, long Amount)[] uses)
    {
        long sum = uses.Sum(use => use.Amount);
        if (sum <= quota)
        {
            return;
        }

        long used = 0;
        var largest = uses.OrderByDescending(use => use.Amount).ThenBy(use => use.Name, StringComparer.Ordinal)
            .ToArray();
        int fewest = largest.TakeWhile(use => (used += use.Amount) <= quota).Count() + 1;
        statements.Note(
            domain.Origin, FindingCode.QuotaExceeded, $"/quota/{member}",
            $"The domain's statements ask for {sum} {what}, the quota is {quota}. Not all of them will be admitted: "
            + string.Join(", ", largest.Take(Math.Min(fewest, Named)).Select(use => use.Name))
            + (fewest > Named ? $" and {fewest - Named} others" : "")
            + $" alone exceed it. The least change: a quota of {sum}, or {sum - quota} less.");
    }

    /// <summary>Only of domains that must be there: where the others' machines will run, nobody knows yet.</summary>
    private static void Uplinks(StatementSet statements, CheckedDatacentre datacentre)
    {
        HostModel[] limited = [.. datacentre.Inventory.Hosts.Values.Where(one => one.UplinkMbit is not null)];
        var boundTo = (limited.Length == 0 ? [] : datacentre.Machinery.Compartments.Values)
            .Where(machine => machine.Placement.Hosts is [_]).ToLookup(machine => machine.Placement.Hosts?[0]);
        foreach (var host in limited)
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
