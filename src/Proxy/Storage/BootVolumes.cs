using System.Collections.Concurrent;
using System.Globalization;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// Measures boot volumes before their machines start. A large one takes minutes, for which neither libvirt's hook nor a
/// domain's other business can wait: it is read beside them, and its machine's next turn takes what came out. A result
/// is for one start and is forgotten after <see cref="FreshSeconds"/>, since what is in the pool can change.
/// </summary>
public sealed class BootVolumes(VolumeReader reader, MachineLayout layout, TimeProvider time)
{
    /// <summary>How long after the end of a reading its result is good for a start, in seconds.</summary>
    public const int FreshSeconds = 60;

    private const int PatienceMilliseconds = 1000;
    private const UnixFileMode Private =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly ConcurrentDictionary<string, Measurement> _readings = new(StringComparer.Ordinal);

    /// <summary>Called when a reading that somebody may wait for has ended.</summary>
    public Action Ended { get; set; } = () => { };

    /// <summary>
    /// What the first disk of a machine holds. Begins to read it, or takes the result of a reading that has ended.
    /// </summary>
    /// <param name="machine">The machine.</param>
    /// <param name="key">The disk's key, used before this returns; null for a plain one.</param>
    /// <param name="stop">Gives up waiting.</param>
    /// <returns>What was measured; null while it is still being read.</returns>
    public async Task<MeasuredFile?> MeasureAsync(CompartmentPlan machine, SecretBytes? key, CancellationToken stop)
    {
        DiskPlan disk = machine.Disks[0];
        if (_readings.TryGetValue(machine.MachineName, out Measurement? earlier))
        {
            if (HasAged(earlier))
            {
                _readings.TryRemove(machine.MachineName, out _);
            }
            else if (earlier.Disk != disk)
            {
                GiveUp(machine.MachineName);
            }
        }

        Measurement reading = _readings.GetOrAdd(machine.MachineName, _ => Begin(machine, disk, key));
        Task waiting = Task.Delay(TimeSpan.FromMilliseconds(PatienceMilliseconds), time, stop);
        if (await Task.WhenAny(reading.Result, waiting).ConfigureAwait(false) != reading.Result)
        {
            return null;
        }

        _readings.TryRemove(machine.MachineName, out _);
        MeasuredFile measured = await reading.Result.ConfigureAwait(false);
        return reading.Disk == disk ? measured : null;
    }

    /// <summary>How far the reading of a machine's boot volume has come, for people.</summary>
    public string Progress(CompartmentPlan machine) => string.Create(
        CultureInfo.InvariantCulture,
        $"Its boot volume is being measured: {(_readings.TryGetValue(machine.MachineName, out Measurement? reading)
            ? reading.Bytes >> 20 : 0)} of {machine.Disks[0].SizeMib} MiB.");

    /// <summary>Whether the machine's boot volume is open here, or its result waits for a start.</summary>
    public bool IsBusy(string machineName) =>
        _readings.TryGetValue(machineName, out Measurement? reading) && !HasAged(reading);

    /// <summary>
    /// Gives a reading up; the volume is in use until <see cref="IsBusy"/> says otherwise.
    /// </summary>
    public void GiveUp(string machineName)
    {
        if (_readings.TryGetValue(machineName, out Measurement? reading))
        {
            if (reading.Result.IsCompleted)
            {
                _readings.TryRemove(machineName, out _);
            }
            else
            {
                reading.Stop.Cancel();
            }
        }
    }

    private bool HasAged(Measurement reading) =>
        reading.EndedAt is { } ended && time.GetElapsedTime(ended) > TimeSpan.FromSeconds(FreshSeconds);

    private Measurement Begin(CompartmentPlan machine, DiskPlan disk, SecretBytes? key)
    {
        Measurement reading = new(disk);
        SecretBytes? own = key is null ? null : Copy(key);
        reading.Result = Task.Run(() => ReadAsync(machine, reading, own));
        return reading;
    }

    private async Task<MeasuredFile> ReadAsync(CompartmentPlan machine, Measurement reading, SecretBytes? key)
    {
        try
        {
            string directory = layout.DirectoryOf(machine);
            Directory.CreateDirectory(directory, Private);
            string digest = await reader.DigestAsync(
                reading.Disk, key, directory, bytes => reading.Bytes = bytes, reading.Stop.Token)
                .ConfigureAwait(false);
            return new MeasuredFile(BootFileRole.BootVolume, digest, "");
        }
        catch (Exception error) when (error is WorldException or IOException or UnauthorizedAccessException)
        {
            return new MeasuredFile(BootFileRole.BootVolume, null, error.Message);
        }
        catch (OperationCanceledException)
        {
            return new MeasuredFile(BootFileRole.BootVolume, null, "the machine is no longer to start");
        }
        finally
        {
            key?.Dispose();
            reading.EndedAt = time.GetTimestamp();
            Ended();
        }
    }

    private static SecretBytes Copy(SecretBytes key) => SecretBytes.Create(key.Length, target =>
    {
        using SecretLoan loan = key.Borrow();
        loan.Bytes.CopyTo(target);
    });

    // Its source of cancellation has neither a timer nor a handle: there is nothing to dispose of.
    private sealed class Measurement(DiskPlan disk)
    {
        private long _bytes;
        private long _ended = -1;

        public DiskPlan Disk => disk;

        public CancellationTokenSource Stop { get; } = new();

        public Task<MeasuredFile> Result { get; set; } =
            Task.FromResult(new MeasuredFile(BootFileRole.BootVolume, null, "it was not begun"));

        public long Bytes
        {
            get => Volatile.Read(ref _bytes);
            set => Volatile.Write(ref _bytes, value);
        }

        /// <summary>On the clock of the readings; null while it goes on.</summary>
        public long? EndedAt
        {
            get => Volatile.Read(ref _ended) is var ended && ended == -1 ? null : ended;
            set => Volatile.Write(ref _ended, value ?? -1);
        }
    }
}
