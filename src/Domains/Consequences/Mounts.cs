using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>Volumes whose own conditions never hold: for anyone, or for a machine that has them.</summary>
internal static class Mounts
{
    /// <summary>Finds them.</summary>
    public static void Find(FindingPlaces places, AdmissionGround ground, ImmutableArray<MachineKind> kinds)
    {
        var search = HostSearch.Over(ground);
        var without = new HashSet<VolumeRef>();
        foreach (var volume in ground.Datacentre.Machinery.Volumes.Values.Where(one => one.Mount is not null))
        {
            if (ground.Domain(volume.Ref.Tenant, volume.Domain) is not { } domain)
            {
                continue;
            }

            if (Images(places, ground, volume, domain))
            {
                without.Add(volume.Ref);
            }

            if (search is not null && search.For(HostTerm.Of(domain)) is null
                && search.For([.. HostTerm.Of(domain), new HostTerm.MountHost(volume)]) is { } none)
            {
                places.Add(
                    volume.Origin, FindingCode.MountNeverHolds, "/mount/hosts",
                    $"No host can open it. {none.Because(places)} {none.Remedy}");
            }

            After(places, volume, domain);
        }

        foreach (var kind in kinds)
        {
            Machine(places, ground, kind, without);
        }
    }

    /// <summary>An image that it is opened for must be one from which a machine of its owner may start.</summary>
    private static bool Images(
        FindingPlaces places, AdmissionGround ground, VolumeModel volume, DomainModel domain)
    {
        if (volume.Mount?.Images is not { } images || ground.Datacentre.Domains.Values.Any(one =>
            one.Ref.Tenant == volume.Ref.Tenant && one.Machines.Images.Any(images.Contains)))
        {
            return false;
        }

        places.Add(
            volume.Origin, FindingCode.MountNeverHolds, "/mount/images",
            $"It is opened for machines that start from {Display.List(images)}, and no domain of its owner accepts "
            + $"such a machine: {Display.Of(domain)} accepts {Display.List(domain.Machines.Images)} "
            + $"({places.At(domain.Origin, "/machines/images")}). The least change: let it be opened for "
            + $"{domain.Machines.Images[0]}.");
        return true;
    }

    /// <summary>What must have happened first is an act that the domain lets nobody do.</summary>
    private static void After(FindingPlaces places, VolumeModel volume, DomainModel domain)
    {
        if (volume.Mount?.After is [MountEvent.Takeover] && !domain.Approvals.ContainsKey(ApprovedAction.Takeover))
        {
            places.Add(
                volume.Origin, FindingCode.MountNeverHolds, "/mount/after",
                $"After its first machine it is opened again only after a takeover, and {Display.Of(domain)} says of "
                + $"none how many keys approve it ({places.At(domain.Origin, "/approvals")}), so it never is. The "
                + "least change: add takeover to that domain's approvals, or returned here.");
        }
    }

    private static void Machine(
        FindingPlaces places, AdmissionGround ground, MachineKind kind, HashSet<VolumeRef> without)
    {
        for (int i = 0; i < kind.First.Disks.Length; i++)
        {
            var reference = kind.First.Disks[i].Volume;
            if (ground.Datacentre.Machinery.Volumes.GetValueOrDefault(reference.ToString()) is { } volume
                && !without.Contains(reference) && !MountControl.TakesImage(volume, kind.First))
            {
                var term = new HostTerm.MountImage(volume, kind.First);
                places.Add(
                    kind.First.Origin, FindingCode.MountNeverHolds, $"/disks/{i}",
                    $"The machine is never admitted with it: {term.Demand} ({places.At(volume.Origin, term.Pointer)}). "
                    + $"The least change: {term.AnyChange}.{kind.Others}");
            }
        }
    }
}
