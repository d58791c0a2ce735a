using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>The checks that depend on the machines already admitted: company and quota.</summary>
internal static class NeighbourChecks
{
    public static void Add(List<AdmissionRefusal> refusals, AdmissionCase admission, Standing standing)
    {
        Company(refusals, admission, standing);
        Sharing(refusals, admission, standing);
        foreach (var domain in admission.Domains)
        {
            Quotas(refusals, admission, standing, domain);
        }

        // A volume beyond its domain's quota is nobody's, not a borrower's either.
        foreach (var domain in admission.Domains.Concat(admission.Lenders))
        {
            Storage(refusals, admission, domain);
        }

        Capacity.Add(refusals, admission, standing);
    }

    private static void Company(List<AdmissionRefusal> refusals, AdmissionCase admission, Standing standing)
    {
        var machine = admission.Machine;
        foreach (var (other, host) in standing.Company(machine))
        {
            var clash = Clash(machine, admission.Host.Ref, other, host.Ref);
            if (clash == AdmissionRefusalCode.NotApart)
            {
                refusals.Add(new(AdmissionRefusalCode.NotApart,
                    $"{admission.MachineText} and {Display.Of(other)} must be on different hosts, and "
                    + $"{Display.Of(other)} is on {Display.Of(host)}.",
                    Demanding(machine, other, machine.Placement.ApartFrom)));
            }

            if (clash == AdmissionRefusalCode.NotTogether)
            {
                refusals.Add(new(AdmissionRefusalCode.NotTogether,
                    $"{admission.MachineText} and {Display.Of(other)} must be on the same host, and "
                    + $"{Display.Of(other)} is on {Display.Of(host)}.",
                    Demanding(machine, other, machine.Placement.TogetherWith)));
            }
        }
    }

    /// <summary>Which demand of the one or the other two machines on these hosts would break; null for none.</summary>
    internal static AdmissionRefusalCode? Clash(
        CompartmentModel machine, HostRef host, CompartmentModel other, HostRef there) => host == there
            ? Demands(machine.Placement.ApartFrom, other.Placement.ApartFrom, machine, other)
                ? AdmissionRefusalCode.NotApart : null
            : Demands(machine.Placement.TogetherWith, other.Placement.TogetherWith, machine, other)
                ? AdmissionRefusalCode.NotTogether : null;

    /// <summary>A volume is open in as many machines as its statement says, and no more.</summary>
    private static void Sharing(List<AdmissionRefusal> refusals, AdmissionCase admission, Standing standing)
    {
        foreach (var disk in admission.Machine.Disks)
        {
            if (!admission.Ground.Datacentre.Machinery.Volumes.TryGetValue(disk.Volume.ToString(), out var volume))
            {
                continue;
            }

            foreach (var (other, host) in standing.Having(disk.Volume))
            {
                if (other.Ref != admission.Machine.Ref
                    && other.Disks.FirstOrDefault(one => one.Volume == disk.Volume) is { } held
                    && SharingRule.Conflict(volume.Sharing, disk.Access, held.Access) is { } rule)
                {
                    refusals.Add(new(AdmissionRefusalCode.VolumeInUse,
                        $"{admission.MachineText} would {WireText.Of(disk.Access)} the volume {volume.Ref.Name} of "
                        + $"{volume.Origin.OwnerName}/{volume.Domain}, and {Display.Of(other)} on {Display.Of(host)} "
                        + $"has it to {WireText.Of(held.Access)}: {rule}",
                        volume.Origin));
                }
            }
        }
    }

    private static bool Demands(
        IReadOnlyCollection<Ledger.Statements.StatementName> own,
        IReadOnlyCollection<Ledger.Statements.StatementName> others,
        CompartmentModel machine, CompartmentModel other) =>
        own.Contains(other.Ref.Name) || others.Contains(machine.Ref.Name);

    private static StatementOrigin Demanding(
        CompartmentModel machine, CompartmentModel other,
        IReadOnlyCollection<Ledger.Statements.StatementName> own) =>
        own.Contains(other.Ref.Name) ? machine.Origin : other.Origin;

    private static void Quotas(
        List<AdmissionRefusal> refusals, AdmissionCase admission, Standing standing, DomainModel domain)
    {
        var (machines, cpus, memory) = standing.Use(domain).With(admission.Machine);
        Quota(refusals, admission, domain, "machines", machines, domain.Quota.Machines);
        Quota(refusals, admission, domain, "cpus", cpus, domain.Quota.Cpus);
        Quota(refusals, admission, domain, "MiB of memory", memory, domain.Quota.MemoryMib);
    }

    /// <summary>Volumes of a domain fill its quota in the order of their names, attached or not.</summary>
    private static void Storage(List<AdmissionRefusal> refusals, AdmissionCase admission, DomainModel domain)
    {
        foreach (var (volume, used) in admission.Ground.Datacentre.Index.OverQuota(domain.Ref))
        {
            if (admission.Machine.Disks.Any(disk => disk.Volume == volume))
            {
                refusals.Add(Exceeded(
                    admission, domain, $"MiB of storage up to the volume {volume.Name}", used,
                    domain.Quota.StorageMib));
            }
        }
    }

    private static void Quota(
        List<AdmissionRefusal> refusals, AdmissionCase admission, DomainModel domain, string what, long used, int most)
    {
        if (used > most)
        {
            refusals.Add(Exceeded(admission, domain, what, used, most));
        }
    }

    private static AdmissionRefusal Exceeded(
        AdmissionCase admission, DomainModel domain, string what, long used, int most) => new(
        AdmissionRefusalCode.QuotaExceeded,
        $"With {admission.MachineText}, {Display.Of(domain)} would use {used} {what}; {domain.Origin} allows {most}.",
        domain.Origin);
}
