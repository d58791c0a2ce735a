using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// Checks what volumes begin with: an image's disk, or another volume of the same domain. Only a key service knows
/// whether a volume was filled to its end (docs/volumes.md), so what is filled is under a key.
/// </summary>
internal static class ContentChecks
{
    /// <summary>Leaves out the volumes that cannot be made as their statements say.</summary>
    public static void Volumes(StatementSet statements)
    {
        foreach (var (_, volume) in statements.Usable<VolumeModel>().ToArray())
        {
            Ciphertext(statements, volume);
            Image(statements, volume);
            if (volume is { Access: VolumeAccess.Read, BeginsWithContent: false })
            {
                statements.Reject(
                    volume.Origin, FindingCode.SnapshotOfNothing, "/access",
                    "Nobody may write this volume, and it begins with nothing. Say from what it is made.");
            }
        }

        var all = statements.Usable<VolumeModel>().Select(pair => pair.Model)
            .ToImmutableDictionary(volume => volume.Ref);
        foreach (var volume in all.Values.Where(one => one.FromVolume is not null)
            .OrderBy(one => one.Ref.ToString(), StringComparer.Ordinal))
        {
            Copy(statements, all, volume);
        }

        // What is left out takes its copies along, and those theirs; each turn leaves out at least one.
        while (statements.Usable<VolumeModel>().Select(pair => pair.Model).FirstOrDefault(one =>
            one.FromVolume is { } source && !statements.Has(StatementKind.Volume, one.Ref.Tenant, source)) is { } orphan
            && orphan.FromVolume is { } missing)
        {
            statements.Need(
                orphan.Origin, StatementKind.Volume, missing, FindingCode.UnknownVolume, "/from/volume");
        }
    }

    /// <summary>Says of each machine that would write what is only read; its tenant's own are left out.</summary>
    public static void Written(StatementSet statements, IEnumerable<CompartmentModel> machines)
    {
        foreach (var machine in machines)
        {
            for (var i = 0; i < machine.Disks.Length; i++)
            {
                var disk = machine.Disks[i];
                if (disk.Access != VolumeAccess.Write || statements.Find<VolumeModel>(
                    StatementKind.Volume, disk.Volume.Tenant, disk.Volume.Name) is not { Access: VolumeAccess.Read })
                {
                    continue;
                }

                string sentence = $"The volume {disk.Volume.Name} is only read, and its key goes to no machine that "
                    + "writes. Say access: read.";
                if (disk.Volume.Tenant == machine.Ref.Tenant)
                {
                    statements.Reject(machine.Origin, FindingCode.SnapshotWritten, $"/disks/{i}/access", sentence);
                }
                else
                {
                    statements.Note(machine.Origin, FindingCode.SnapshotWritten, $"/disks/{i}/access", sentence);
                }
            }
        }
    }

    private static void Ciphertext(StatementSet statements, VolumeModel volume)
    {
        if (volume.BeginsWithContent
            && statements.Find<DomainModel>(StatementKind.Domain, volume.Ref.Tenant, volume.Domain) is { } colour
            && (colour.Storage == StorageConfidentiality.None || !colour.TrustedMedia.IsEmpty))
        {
            statements.Reject(
                volume.Origin, FindingCode.ContentNeedsCiphertext, "/from",
                $"The domain {volume.Domain} leaves its volumes in clear, or may on a medium that it trusts, and only "
                + "what is under a key is filled.");
        }
    }

    private static void Image(StatementSet statements, VolumeModel volume)
    {
        if (volume.FromImage is not { } name)
        {
            return;
        }

        statements.Need(volume.Origin, StatementKind.Image, name, FindingCode.UnknownImage, "/from/image");
        var image = statements.Find<ImageModel>(StatementKind.Image, volume.Ref.Tenant, name);
        if (image is { Disk: null })
        {
            statements.Reject(
                volume.Origin, FindingCode.ImageWithoutDisk, "/from/image",
                $"The image {name} states no disk to begin with. Add disk to the image.");
        }
        else if (image is { Disk.SizeMib: var size } && size > volume.SizeMib)
        {
            statements.Reject(
                volume.Origin, FindingCode.VolumeTooSmall, "/sizeMiB",
                $"The disk of the image {name} has {size} MiB, and the volume only {volume.SizeMib}.");
        }
    }

    private static void Copy(
        StatementSet statements, ImmutableDictionary<VolumeRef, VolumeModel> all, VolumeModel volume)
    {
        if (Source(all, volume) is not { } source)
        {
            return;
        }

        if (IsOfItself(all, volume))
        {
            statements.Reject(
                volume.Origin, FindingCode.CopyOfItself, "/from/volume",
                $"The volume {source.Ref.Name} is, by what it is a copy of, a copy of this one: nobody can make "
                + "either.");
        }

        if (source.Colour != volume.Colour)
        {
            statements.Reject(
                volume.Origin, FindingCode.CopyOfAnotherDomain, "/from/volume",
                $"The volume {source.Ref.Name} is of the domain {source.Domain} and this one of {volume.Domain}: a "
                + "copy stays in its domain.");
        }

        if (source.SizeMib > volume.SizeMib)
        {
            statements.Reject(
                volume.Origin, FindingCode.VolumeTooSmall, "/sizeMiB",
                $"The volume {source.Ref.Name} has {source.SizeMib} MiB, and its copy only {volume.SizeMib}.");
        }
    }

    /// <summary>Whether following what volumes are copies of leads back to it, in at most as many steps.</summary>
    private static bool IsOfItself(ImmutableDictionary<VolumeRef, VolumeModel> all, VolumeModel volume)
    {
        VolumeModel? at = volume;
        for (int steps = 0; steps < all.Count; steps++)
        {
            at = Source(all, at);
            if (at is null || at.Ref == volume.Ref)
            {
                return at is not null;
            }
        }

        return false;
    }

    private static VolumeModel? Source(ImmutableDictionary<VolumeRef, VolumeModel> all, VolumeModel volume) =>
        volume.FromVolume is { } name ? all.GetValueOrDefault(new VolumeRef(volume.Ref.Tenant, name)) : null;
}
