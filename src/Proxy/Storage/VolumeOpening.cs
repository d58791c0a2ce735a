using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// The opening of one encrypted volume for one start: notes durably that the key is about to be held, asks for it,
/// records the opening, and makes a blank volume and has its header bound. What its file is, it says to the owner.
/// </summary>
internal sealed class VolumeOpening(
    IVolumeKeys keys, VolumeFiles files, HeldVolumes held, IntegrityManager integrity)
{
    /// <summary>Opens it; the file was looked at before.</summary>
    /// <exception cref="Host.WorldException">No answer, or the disk or a program refused.</exception>
    public async Task<OpenedVolume> OpenAsync(
        EnforcedPlan plan, CompartmentPlan machine, DiskPlan disk, VolumeState state, CancellationToken stop)
    {
        VolumeKeyQuestion question =
            new(plan, new KeySubject.Volume(disk.Volume), machine.Ref, state.Header) { Access = disk.Access };
        (VolumeKeyAnswer answer, string asked) = await keys.AskNotedAsync(held, question, machine, stop)
            .ConfigureAwait(false);
        if (answer is VolumeKeyAnswer.Refused refused)
        {
            return new OpenedVolume(null, null, refused.Reasons);
        }

        OpenedVolume opened = new(((VolumeKeyAnswer.Released)answer).Key, state.Header, []);
        try
        {
            integrity.Record(
                IntegrityKind.VolumeOpened, IntegrityReaders.Of(disk.Volume.Tenant, machine.Ref.Tenant),
                disk.Volume.ToString(),
                $"For {machine.Ref} to {WireText.Of(disk.Access)}, as {disk.Target}; "
                    + (state.Exists ? $"existing, its header is {state.Header}." : "made blank."));
            Grow(machine, disk, state);
            return state.Exists ? opened
                : await MakeAsync(machine, disk, opened, asked, stop).ConfigureAwait(false);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes a volume as large as it is stated now, for a machine that writes it. Where another has it open it keeps
    /// its size until a later start.
    /// </summary>
    /// <exception cref="Host.WorldException">The disk refused.</exception>
    public void Grow(CompartmentPlan machine, DiskPlan disk, VolumeState state)
    {
        if (state.FormerMib is { } former && disk.Access == VolumeAccess.Write && files.TryGrow(disk))
        {
            integrity.Record(
                IntegrityKind.VolumeOpened, IntegrityReaders.Of(disk.Volume.Tenant, machine.Ref.Tenant),
                disk.Volume.ToString(),
                $"For {machine.Ref}, made larger from {former} to {disk.SizeMib} MiB as its statement says.");
        }
    }

    /// <summary>What is against a volume's file, for people; its owner finds it in the log as well.</summary>
    public IEnumerable<string> Differing(CompartmentPlan machine, DiskPlan disk, VolumeState state)
    {
        if (!state.Refusals.IsEmpty)
        {
            integrity.Record(
                IntegrityKind.Drift, IntegrityReaders.Of(disk.Volume.Tenant, machine.Ref.Tenant),
                disk.Volume.ToString(),
                $"Its file in the pool is not what was made: {string.Join(" ", state.Refusals)}");
        }

        return state.Refusals.Select(reason => $"The volume {disk.Volume}: {reason}");
    }

    /// <summary>What is against a volume's file whose header was another when its key was asked for.</summary>
    public ImmutableArray<string> Exchanged(CompartmentPlan machine, DiskPlan disk, Digest32? header)
    {
        VolumeState now = files.Inspect(disk);
        if (now.Refusals.IsEmpty && now.Header != header)
        {
            string[] names = [.. new[] { header, now.Header }.Select(one => one?.Hex[..16] ?? "none")];
            now = now with
            {
                Refusals =
                [
                    $"Its header was {names[0]} when the key was asked for, and is {names[1]} now: the file was "
                    + "exchanged. [header-exchanged]",
                ],
            };
        }

        return [.. Differing(machine, disk, now)];
    }

    private async Task<OpenedVolume> MakeAsync(
        CompartmentPlan machine, DiskPlan disk, OpenedVolume blank, string asked, CancellationToken stop)
    {
        SecretBytes key = blank.Key ?? throw new InvalidOperationException("a volume is made without a key");
        files.CreateEncrypted(disk, key);
        VolumeState state = files.Inspect(disk);
        ImmutableArray<string> against = state.Header is null
            ? [.. Differing(machine, disk, state)]
            : await keys.BindAsync(new KeySubject.Volume(disk.Volume), asked, state.Header, stop)
                .ConfigureAwait(false);
        if (against.IsEmpty)
        {
            return new OpenedVolume(key, state.Header, []);
        }

        blank.Dispose();
        return new OpenedVolume(null, null, against);
    }
}

/// <summary>A volume's key and the header that it is for, or every reason why there is none.</summary>
/// <param name="Key">The key; null when refused.</param>
/// <param name="Header">The digest of the header that the key is for.</param>
/// <param name="Refusals">Every reason against it; empty with a key.</param>
internal sealed record OpenedVolume(SecretBytes? Key, Digest32? Header, ImmutableArray<string> Refusals) : IDisposable
{
    /// <summary>How far it is, when it is neither open nor refused but still being filled; else null.</summary>
    public string? Waiting { get; init; }

    /// <inheritdoc/>
    public void Dispose() => Key?.Dispose();
}
