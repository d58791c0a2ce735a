using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Provisioning;

/// <summary>
/// The making of a volume that begins with content and has no file yet. That a volume is whole is known in one place,
/// at its tenant's key service, and by the header that is bound to its key: it is bound only after all of the content
/// was read back, and before the file gets its name; and until then the key service releases the key for no file of
/// that name. So neither a crash, nor another host, nor whoever writes to the pool can start a machine on a part of it.
/// </summary>
internal sealed class ContentOpening(
    IVolumeKeys keys, VolumeFiles files, HeldVolumes held, IntegrityManager integrity, VolumeFillings fillings)
{
    private const string HeaderMissing = "[header-missing]";

    private readonly CopyOpening _copies = new(keys, files, held, integrity);

    /// <summary>Makes it; the file that it will be was looked for before. It is opened like any other when it is there.
    /// </summary>
    /// <returns>Neither refused nor waiting when it has its name.</returns>
    /// <exception cref="Host.WorldException">No answer, or the disk or a program refused.</exception>
    public async Task<OpenedVolume> MakeAsync(
        EnforcedPlan plan, CompartmentPlan machine, DiskPlan disk, CancellationToken stop)
    {
        FillState state = fillings.Look(disk);
        switch (state)
        {
            case FillState.Busy busy:
                return new OpenedVolume(null, null, []) { Waiting = busy.Sentence };
            case FillState.Failed failed:
                fillings.Forget(disk);
                await _copies.ReturnAsync(plan, disk, stop).ConfigureAwait(false);
                return Refused($"The volume {disk.Volume}: {failed.Reason}");
            case FillState.None:
                fillings.Forget(disk);
                break;
        }

        (VolumeKeyAnswer answer, string asked) = await AskAsync(plan, machine, disk, null, stop).ConfigureAwait(false);
        if (answer is VolumeKeyAnswer.Released released)
        {
            using SecretBytes key = released.Key;
            if (state is not FillState.Filled filled)
            {
                return await BeginAsync(plan, machine, disk, key, stop).ConfigureAwait(false);
            }

            await _copies.ReturnAsync(plan, disk, stop).ConfigureAwait(false);
            return await BindAsync(machine, disk, filled.Header, asked, stop).ConfigureAwait(false);
        }

        ImmutableArray<string> reasons = ((VolumeKeyAnswer.Refused)answer).Reasons;
        if (!reasons.All(reason => reason.EndsWith(HeaderMissing, StringComparison.Ordinal))
            || files.InspectFilling(disk) is not { Refusals.IsEmpty: true, Header: { } header })
        {
            return new OpenedVolume(null, null, reasons);
        }

        // A header is bound: somebody confirmed the content and died before the file had its name.
        (answer, _) = await AskAsync(plan, machine, disk, header, stop).ConfigureAwait(false);
        if (answer is not VolumeKeyAnswer.Released bound)
        {
            return new OpenedVolume(null, null, ((VolumeKeyAnswer.Refused)answer).Reasons);
        }

        bound.Key.Dispose();
        return Complete(machine, disk, header);
    }

    private async Task<OpenedVolume> BeginAsync(
        EnforcedPlan plan, CompartmentPlan machine, DiskPlan disk, SecretBytes key, CancellationToken stop)
    {
        (CopySource? opened, ImmutableArray<string> against) =
            await _copies.OpenAsync(plan, machine, disk, stop).ConfigureAwait(false);
        if (!against.IsEmpty)
        {
            return new OpenedVolume(null, null, against);
        }

        using CopySource? source = opened;
        FillOrder order = new(disk, key, source);
        integrity.Record(
            IntegrityKind.VolumeOpened, Readers(machine, disk), disk.Volume.ToString(),
            $"For {machine.Ref}, to be filled with {order.Identity}.");
        fillings.Begin(machine, order);
        return new OpenedVolume(null, null, [])
        {
            Waiting = $"The volume {disk.Volume.Name} begins with {order.Bytes >> 20} MiB, which are being written.",
        };
    }

    private async Task<OpenedVolume> BindAsync(
        CompartmentPlan machine, DiskPlan disk, Digest32 header, string asked, CancellationToken stop)
    {
        fillings.Forget(disk);
        if (files.InspectFilling(disk) is not { Refusals.IsEmpty: true } now || now.Header != header)
        {
            fillings.Filler.Drop(disk);
            return Refused(
                $"The volume {disk.Volume}: the file that was filled was exchanged. It is filled anew. "
                + "[header-exchanged]");
        }

        ImmutableArray<string> against = await keys.BindAsync(
            new KeySubject.Volume(disk.Volume), asked, header, stop).ConfigureAwait(false);
        return against.IsEmpty ? Complete(machine, disk, header) : new OpenedVolume(null, null, against);
    }

    private OpenedVolume Complete(CompartmentPlan machine, DiskPlan disk, Digest32 header)
    {
        fillings.Filler.Complete(disk);
        integrity.Record(
            IntegrityKind.VolumeOpened, Readers(machine, disk), disk.Volume.ToString(),
            $"For {machine.Ref}, as {disk.Target}; filled with "
            + $"{disk.Content?.Sha256 ?? $"a copy of {disk.CopyOf?.Volume}"}, its header is {header}.");
        return new OpenedVolume(null, header, []);
    }

    private Task<(VolumeKeyAnswer Answer, string Asked)> AskAsync(
        EnforcedPlan plan, CompartmentPlan machine, DiskPlan disk, Digest32? header, CancellationToken stop) =>
        keys.AskNotedAsync(
            held,
            new VolumeKeyQuestion(plan, new KeySubject.Volume(disk.Volume), machine.Ref, header)
            {
                Access = disk.Access,
            },
            machine, stop);

    private static IntegrityReaders Readers(CompartmentPlan machine, DiskPlan disk) =>
        IntegrityReaders.Of(disk.Volume.Tenant, machine.Ref.Tenant);

    private static OpenedVolume Refused(string reason) => new(null, null, [reason]);
}
