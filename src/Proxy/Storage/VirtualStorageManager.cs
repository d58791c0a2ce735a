using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.MachineTpms;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Provisioning;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// Puts a machine's disks and boot files in place for one start, and gives the keys back after it has stopped. A key
/// is in libvirt only for as long as a <see cref="StartTicket"/> lives: it is set just before the start and forgotten
/// right after, whatever the start came to. A start of a machine and a return of its volumes exclude each other.
/// </summary>
public sealed class VirtualStorageManager(
    HypervisorLink hypervisor, IVolumeKeys keys, VolumeFiles files, BootFiles boot, HeldVolumes held,
    IntegrityManager integrity)
{
    private readonly VolumeOpening _opening = new(keys, files, held, integrity);
    private readonly ConcurrentDictionary<Guid, ReadyVolume> _ready = new();
    private readonly ConcurrentDictionary<string, string> _closed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MeasuredFile> _volumes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _tpms = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new(StringComparer.Ordinal);

    /// <summary>The TPMs of the machines.</summary>
    public required MachineTpmKeeper Tpms { get; init; }

    /// <summary>Reads boot volumes.</summary>
    public required BootVolumes BootVolumes { get; init; }

    /// <summary>Fills volumes that begin with content.</summary>
    public required VolumeFillings Fillings { get; init; }

    /// <summary>
    /// What the machine is about to boot from: its files as they are now, and its boot volume as it was measured for
    /// this start. For the hook, which has no time to read a volume.
    /// </summary>
    public async Task<ImmutableArray<MeasuredFile>> MeasureAsync(CompartmentPlan machine, CancellationToken stop)
    {
        ImmutableArray<MeasuredFile> measured = await boot.MeasureAsync(machine.Boot, stop).ConfigureAwait(false);
        return _volumes.TryGetValue(machine.MachineName, out MeasuredFile? volume) ? measured.Add(volume) : measured;
    }

    /// <summary>The volumes whose keys this host has not given back.</summary>
    public ImmutableArray<HeldVolume> Held => held.All;

    /// <summary>Whether the key of an encrypted disk is in libvirt now, set by us for this machine's start.</summary>
    public bool KeyReady(CompartmentPlan machine, DiskPlan disk) =>
        _ready.TryGetValue(disk.SecretUuid, out ReadyVolume? ready) && ready.MachineName == machine.MachineName;

    /// <summary>
    /// Every reason against the files of the machine's encrypted volumes as they lie in the pool now. For the hook,
    /// after which nothing but QEMU's start remains.
    /// </summary>
    public ImmutableArray<string> HeaderFaults(CompartmentPlan machine) =>
    [
        .. machine.Disks.SelectMany(disk => _ready.TryGetValue(disk.SecretUuid, out ReadyVolume? ready)
            ? _opening.Exchanged(machine, disk, ready.Header) : []),
    ];

    /// <summary>Whether the machine's own TPM waits for it now, started by us for this start.</summary>
    public bool TpmReady(CompartmentPlan machine) => _tpms.ContainsKey(machine.MachineName);

    /// <summary>Begins a start of the machine; the ticket's disposal takes the keys out of libvirt again.</summary>
    public async Task<StartTicket> BeginAsync(CompartmentPlan machine, CancellationToken stop)
    {
        SemaphoreSlim turn = TurnOf(machine.MachineName);
        await turn.WaitAsync(stop).ConfigureAwait(false);
        return new StartTicket(() => End(machine, turn));
    }

    /// <summary>Puts everything in place for one start of the machine, for which a ticket is held.</summary>
    /// <exception cref="WorldException">The disk, a program or libvirt refused.</exception>
    public async Task<StartReadiness> PrepareAsync(
        EnforcedPlan plan, CompartmentPlan machine, CancellationToken stop)
    {
        if (machine.Disks.Select(Fillings.Look).OfType<FillState.Busy>().FirstOrDefault() is { } filling)
        {
            return new StartReadiness.BeingFilled(filling.Sentence);
        }

        await boot.PrepareAsync(machine.Boot, stop).ConfigureAwait(false);
        ImmutableArray<string>.Builder refusals = ImmutableArray.CreateBuilder<string>();
        // All are looked at before a key is asked for, and before any program opens one.
        (DiskPlan Disk, VolumeState State)[] disks = [.. machine.Disks.Select(disk => (disk, files.Inspect(disk)))];
        refusals.AddRange(disks.SelectMany(one => _opening.Differing(machine, one.Disk, one.State)));
        if (refusals.Count > 0)
        {
            return new StartReadiness.Refused(refusals.ToImmutable());
        }

        if (await MakeAsync(plan, machine, [.. disks.Where(one => ToBeFilled(one.Disk, one.State))], stop)
            .ConfigureAwait(false) is { } unmade)
        {
            return unmade;
        }

        foreach (var (disk, state) in disks.Select(
            one => ToBeFilled(one.Disk, one.State) ? (one.Disk, files.Inspect(one.Disk)) : one))
        {
            if (disk.Encrypted)
            {
                refusals.AddRange(await OpenAsync(plan, machine, disk, state, stop).ConfigureAwait(false));
            }
            else
            {
                if (!state.Exists)
                {
                    files.CreatePlain(disk);
                }

                _opening.Grow(machine, disk, state);

                await MeasureAsync(machine, disk, null, stop).ConfigureAwait(false);
            }

            if (refusals.Count == 0 && IsUnmeasured(machine))
            {
                return new StartReadiness.BeingMeasured(BootVolumes.Progress(machine));
            }
        }

        if (machine.Tpm is not null && refusals.Count == 0)
        {
            TpmOpening opening = new(keys, held, integrity, Tpms);
            ImmutableArray<string> against = await opening.OpenAsync(plan, machine, stop).ConfigureAwait(false);
            refusals.AddRange(against);
            if (against.IsEmpty)
            {
                _tpms[machine.MachineName] = true;
            }
        }

        return refusals.Count == 0 ? StartReadiness.InPlace.It : new StartReadiness.Refused(refusals.ToImmutable());
    }

    private static bool ToBeFilled(DiskPlan disk, VolumeState state) => disk.BeginsWithContent && !state.Exists;

    /// <summary>
    /// Makes the volumes that begin with content, before any other of the machine is open: one of those may be what
    /// another is a copy of. Null when all are there.
    /// </summary>
    private async Task<StartReadiness?> MakeAsync(
        EnforcedPlan plan, CompartmentPlan machine, (DiskPlan Disk, VolumeState State)[] disks, CancellationToken stop)
    {
        foreach (var (disk, _) in disks)
        {
            ContentOpening making = new(keys, files, held, integrity, Fillings);
            using OpenedVolume made = await making.MakeAsync(plan, machine, disk, stop).ConfigureAwait(false);
            if (!made.Refusals.IsEmpty || made.Waiting is null && made.Header is null)
            {
                return new StartReadiness.Refused(made.Refusals);
            }

            if (made.Waiting is { } waiting)
            {
                return new StartReadiness.BeingFilled(waiting);
            }
        }

        return null;
    }

    /// <summary>Gives a volume back if its machine does not run, or nothing more of it is copied.</summary>
    /// <param name="plan">The plan in force: it says where a tenant's key service is.</param>
    /// <param name="volume">The volume.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Empty when it is given back or still in use; else why it could not be, to be tried again.</returns>
    public async Task<string> ReturnAsync(EnforcedPlan plan, HeldVolume volume, CancellationToken stop)
    {
        SemaphoreSlim turn = TurnOf(volume.Machine);
        await turn.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (volume.CopiedInto.Length > 0)
            {
                GiveUpUnwanted(plan, volume.Machine);
                return Fillings.IsCopying(volume.Volume, volume.CopiedInto) ? ""
                    : await new CopyOpening(keys, files, held, integrity).ReturnAsync(plan, volume, stop)
                        .ConfigureAwait(false);
            }

            if (hypervisor.Current.Find(volume.Machine) is { IsActive: true } || IsMeasured(plan, volume.Machine)
                || keys.IsKept(plan, volume))
            {
                return "";
            }

            RecordClosed(volume);
            CompartmentRef? tpm = KeySubject.Read(volume.Volume) is KeySubject.MachineTpm one ? one.Ref : null;
            Digest32? state = tpm is null ? null : Tpms.Close(tpm);
            string problem = await keys.ReturnAsync(plan, volume, state, stop).ConfigureAwait(false);
            if (problem.Length == 0)
            {
                integrity.Record(
                    IntegrityKind.VolumeReturned, volume.Readers, volume.Volume,
                    "The key is given back" + (tpm is null ? "." : $", in the state {state?.Hex ?? "blank"}."));
                held.Release(volume);
                _closed.TryRemove(ClosingOf(volume), out _);
                if (tpm is not null)
                {
                    Tpms.Forget(tpm);
                }
            }

            return problem;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>
    /// Whether a volume of the machine is being read or filled for a start; that is given up when none is wanted.
    /// </summary>
    private bool IsMeasured(EnforcedPlan plan, string machineName)
    {
        GiveUpUnwanted(plan, machineName);
        return BootVolumes.IsBusy(machineName) || Fillings.IsBusy(machineName);
    }

    private void GiveUpUnwanted(EnforcedPlan plan, string machineName)
    {
        if (plan.Machine(machineName) is not { } machine || !plan.WantsRunning(machine))
        {
            BootVolumes.GiveUp(machineName);
            Fillings.GiveUp(machineName);
        }
    }

    private bool IsUnmeasured(CompartmentPlan machine) =>
        machine.Boot.VolumeSha256 is not null && !_volumes.ContainsKey(machine.MachineName);

    /// <summary>Measures a disk if it is the boot volume, for this start; it may take longer than this turn.</summary>
    private async Task MeasureAsync(CompartmentPlan machine, DiskPlan disk, SecretBytes? key, CancellationToken stop)
    {
        if (disk == machine.Disks[0] && IsUnmeasured(machine)
            && await BootVolumes.MeasureAsync(machine, key, stop).ConfigureAwait(false) is { } measured)
        {
            _volumes[machine.MachineName] = measured;
        }
    }

    /// <summary>Once for each opening, however often the return has to be tried.</summary>
    private void RecordClosed(HeldVolume volume)
    {
        if (_closed.GetValueOrDefault(ClosingOf(volume)) != volume.Nonces[0])
        {
            integrity.Record(
                IntegrityKind.VolumeClosed, volume.Readers, volume.Volume, $"{volume.Compartment} has stopped.");
            _closed[ClosingOf(volume)] = volume.Nonces[0];
        }
    }

    private static string ClosingOf(HeldVolume volume) => $"{volume.Volume} {volume.Compartment}";

    private SemaphoreSlim TurnOf(string machineName) => _turns.GetOrAdd(machineName, _ => new SemaphoreSlim(1));

    private void End(CompartmentPlan machine, SemaphoreSlim turn)
    {
        _tpms.TryRemove(machine.MachineName, out _);
        _volumes.TryRemove(machine.MachineName, out _);
        try
        {
            foreach (DiskPlan disk in machine.Disks.Where(d => d.Encrypted))
            {
                if (_ready.TryRemove(disk.SecretUuid, out _))
                {
                    hypervisor.Current.RemoveSecret(disk.SecretUuid);
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<ImmutableArray<string>> OpenAsync(
        EnforcedPlan plan, CompartmentPlan machine, DiskPlan disk, VolumeState state, CancellationToken stop)
    {
        using OpenedVolume opened = await _opening.OpenAsync(plan, machine, disk, state, stop).ConfigureAwait(false);
        if (opened.Key is not { } key)
        {
            return opened.Refusals;
        }

        await MeasureAsync(machine, disk, key, stop).ConfigureAwait(false);
        if (IsUnmeasured(machine))
        {
            return [];
        }

        // The key is for this header alone, and the pool had time to put another file in its place.
        if (_opening.Exchanged(machine, disk, opened.Header) is { IsEmpty: false } exchanged)
        {
            return exchanged;
        }

        byte[] passphrase = VolumeFiles.Passphrase(key);
        try
        {
            _ready[disk.SecretUuid] = new ReadyVolume(machine.MachineName, opened.Header);
            hypervisor.Current.DefineSecret(disk.SecretUuid, $"{files.PathOf(disk)}/{machine.MachineName}");
            hypervisor.Current.SetSecret(disk.SecretUuid, passphrase);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passphrase);
        }

        return [];
    }
}

/// <summary>Whether a machine's disks, TPM and boot files are in place for a start. A closed set.</summary>
public abstract class StartReadiness
{
    private StartReadiness()
    {
    }

    /// <summary>They are.</summary>
    public sealed class InPlace : StartReadiness
    {
        private InPlace()
        {
        }

        /// <summary>The only one.</summary>
        public static InPlace It { get; } = new();
    }

    /// <summary>Not yet: what it boots from is still being measured. The machine's next turn asks again.</summary>
    public sealed class BeingMeasured(string sentence) : StartReadiness
    {
        /// <summary>How far it has come.</summary>
        public string Sentence { get; } = sentence;
    }

    /// <summary>Not yet: a volume is still being filled. The machine's next turn asks again.</summary>
    public sealed class BeingFilled(string sentence) : StartReadiness
    {
        /// <summary>How far it has come.</summary>
        public string Sentence { get; } = sentence;
    }

    /// <summary>They are not.</summary>
    public sealed class Refused(ImmutableArray<string> reasons) : StartReadiness
    {
        /// <summary>Every reason.</summary>
        public ImmutableArray<string> Reasons { get; } = reasons;
    }
}

/// <summary>A volume whose key is in libvirt.</summary>
/// <param name="MachineName">The machine it is there for.</param>
/// <param name="Header">The digest of the header that the key is for.</param>
internal sealed record ReadyVolume(string MachineName, Digest32? Header);

/// <summary>One start of one machine: as long as it is held, the machine's volumes are not given back.</summary>
public sealed class StartTicket(Action end) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => end();
}
