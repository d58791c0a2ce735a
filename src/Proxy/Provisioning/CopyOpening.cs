using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Provisioning;

/// <summary>
/// The opening of a volume to copy it: asks for its key for that alone, as a holder that only reads, and gives it back
/// as soon as it is read. While it is held nobody gets the key to write: that is its key service's to see to.
/// </summary>
internal sealed class CopyOpening(
    IVolumeKeys keys, VolumeFiles files, HeldVolumes held, IntegrityManager integrity)
{
    /// <summary>Opens what a volume is a copy of; neither a source nor a reason where it is none.</summary>
    /// <exception cref="Host.WorldException">No answer, or the disk refused.</exception>
    public async Task<(CopySource? Source, ImmutableArray<string> Against)> OpenAsync(
        EnforcedPlan plan, CompartmentPlan machine, DiskPlan disk, CancellationToken stop)
    {
        if (disk.CopyOf is not { } from)
        {
            return (null, []);
        }

        VolumeState state = files.Inspect(from);
        if (state.Header is not { } header)
        {
            return (null, Sentences(disk, state.Exists ? state.Refusals
                : ["It has no file here: nobody made it yet, or it is in another pool. [source-missing]"]));
        }

        if (state.FormerMib is { } former)
        {
            return (null, Sentences(
                disk,
                [$"It has {former} MiB yet, and is stated to have {from.SizeMib}. Start a machine that writes it "
                    + "first. [source-not-grown]"]));
        }

        VolumeKeyQuestion question = new(plan, new KeySubject.Volume(from.Volume), machine.Ref, header)
        {
            Access = from.Access,
            Copy = disk.Volume,
        };
        (VolumeKeyAnswer answer, _) = await keys.AskNotedAsync(held, question, machine, stop).ConfigureAwait(false);
        if (answer is not VolumeKeyAnswer.Released { Key: var key })
        {
            return (null, Sentences(disk, ((VolumeKeyAnswer.Refused)answer).Reasons));
        }

        if (files.Inspect(from) is not { Refusals.IsEmpty: true } now || now.Header != header)
        {
            key.Dispose();
            return (null, Sentences(
                disk, ["Its file was exchanged while its key was asked for. [header-exchanged]"]));
        }

        return (Recorded(machine, disk, from, new CopySource(key, header)), []);
    }

    /// <summary>
    /// Gives back what is held to make a copy; what could not be given back now stays held, to be tried again.
    /// </summary>
    /// <exception cref="Host.WorldException">The disk refused.</exception>
    public async Task ReturnAsync(EnforcedPlan plan, DiskPlan copy, CancellationToken stop)
    {
        foreach (HeldVolume volume in held.All.Where(one => one.CopiedInto == copy.Volume.ToString()))
        {
            await ReturnAsync(plan, volume, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Gives it back.</summary>
    /// <returns>Empty when it is; else why not, to be tried again.</returns>
    /// <exception cref="Host.WorldException">The disk refused.</exception>
    public async Task<string> ReturnAsync(EnforcedPlan plan, HeldVolume volume, CancellationToken stop)
    {
        string problem = await keys.ReturnAsync(plan, volume, null, stop).ConfigureAwait(false);
        if (problem.Length == 0)
        {
            integrity.Record(
                IntegrityKind.VolumeReturned, volume.Readers, volume.Volume,
                $"Nothing more of it is read for the copy {volume.CopiedInto}; the key is given back.");
            held.Release(volume);
        }

        return problem;
    }

    private CopySource Recorded(CompartmentPlan machine, DiskPlan disk, DiskPlan from, CopySource source)
    {
        try
        {
            integrity.Record(
                IntegrityKind.VolumeOpened, IntegrityReaders.Of(from.Volume.Tenant, machine.Ref.Tenant),
                from.Volume.ToString(),
                $"To be read for the copy {disk.Volume} of {machine.Ref}; its header is {source.Header}.");
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static ImmutableArray<string> Sentences(DiskPlan disk, ImmutableArray<string> reasons) =>
        [.. reasons.Select(one => $"The volume {disk.CopyOf?.Volume}, of which {disk.Volume.Name} is a copy: {one}")];
}
