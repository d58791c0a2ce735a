using System.Collections.Concurrent;
using System.Globalization;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Provisioning;

/// <summary>What is known of the filling of a volume. Closed.</summary>
public abstract record FillState
{
    private FillState()
    {
    }

    /// <summary>It is not being filled here.</summary>
    public sealed record None : FillState;

    /// <summary>It is.</summary>
    /// <param name="Sentence">How far it has come.</param>
    public sealed record Busy(string Sentence) : FillState;

    /// <summary>All of it was written and read back.</summary>
    /// <param name="Header">The digest of the filled file's header.</param>
    public sealed record Filled(Digest32 Header) : FillState;

    /// <summary>It came to nothing.</summary>
    /// <param name="Reason">Why.</param>
    public sealed record Failed(string Reason) : FillState;
}

/// <summary>
/// Fills volumes beside everything else that a domain's delegate does, since that takes minutes. A machine that waits
/// for a volume asks at each of its turns how far it is.
/// </summary>
public sealed class VolumeFillings(VolumeFiller filler, MachineLayout layout, TimeProvider time)
{
    /// <summary>How long after its end a filling keeps its volume from being given back, in seconds.</summary>
    public const int FreshSeconds = 60;

    private const UnixFileMode Private =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly ConcurrentDictionary<string, Run> _runs = new(StringComparer.Ordinal);

    /// <summary>Called when a filling that somebody may wait for has ended.</summary>
    public Action Ended { get; set; } = () => { };

    /// <summary>What fills.</summary>
    public VolumeFiller Filler => filler;

    /// <summary>What is known of a volume.</summary>
    public FillState Look(DiskPlan disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        if (!_runs.TryGetValue(disk.Volume.ToString(), out Run? run))
        {
            return new FillState.None();
        }

        if (!run.Result.IsCompleted)
        {
            return new FillState.Busy(string.Create(
                CultureInfo.InvariantCulture,
                $"The volume {disk.Volume.Name} is being filled: {run.Bytes >> 20} of {2L * run.SizeMib} MiB written "
                + $"and read back."));
        }

        return IsSame(run.Disk, disk) ? run.State : new FillState.None();
    }

    /// <summary>Begins to fill a volume; its key is copied before this returns.</summary>
    public void Begin(CompartmentPlan machine, DiskPlan disk, SecretBytes key)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(key);
        Run run = new(machine.MachineName, disk);
        if (!_runs.TryAdd(disk.Volume.ToString(), run))
        {
            throw new InvalidOperationException($"{disk.Volume} is being filled already.");
        }

        SecretBytes own = SecretBytes.Create(key.Length, target =>
        {
            using SecretLoan loan = key.Borrow();
            loan.Bytes.CopyTo(target);
        });
        run.Result = Task.Run(() => FillAsync(run, own));
    }

    /// <summary>Takes what came of a filling away.</summary>
    public void Forget(DiskPlan disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        _runs.TryRemove(disk.Volume.ToString(), out _);
    }

    /// <summary>Whether a volume of the machine is open here, or filled and waiting for its start.</summary>
    public bool IsBusy(string machineName) => _runs.Values.Any(run => run.MachineName == machineName
        && !(run.EndedAt is { } ended && time.GetElapsedTime(ended) > TimeSpan.FromSeconds(FreshSeconds)));

    /// <summary>Gives a machine's fillings up; they go on until <see cref="IsBusy"/> says otherwise.</summary>
    public void GiveUp(string machineName)
    {
        foreach (var (volume, run) in _runs.Where(one => one.Value.MachineName == machineName))
        {
            if (run.Result.IsCompleted)
            {
                _runs.TryRemove(volume, out _);
            }
            else
            {
                run.Stop.Cancel();
            }
        }
    }

    /// <summary>Whether what was filled is what is wanted; why it is wanted does not matter.</summary>
    private static bool IsSame(DiskPlan one, DiskPlan other) =>
        one.SizeMib == other.SizeMib && one.Content?.Sha256 == other.Content?.Sha256
        && one.Content?.SizeMib == other.Content?.SizeMib;

    private async Task FillAsync(Run run, SecretBytes key)
    {
        try
        {
            string directory = layout.DirectoryOf(run.MachineName);
            Directory.CreateDirectory(directory, Private);
            Digest32 header = await filler.FillAsync(
                run.Disk, key, directory, bytes => run.Bytes = bytes, run.Stop.Token).ConfigureAwait(false);
            run.State = new FillState.Filled(header);
        }
        catch (Exception error) when (error is WorldException or IOException or UnauthorizedAccessException)
        {
            run.State = new FillState.Failed(error is WorldException world ? world.Stderr.Trim() : error.Message);
        }
        catch (OperationCanceledException)
        {
            // What was written stays; the next start goes on.
            run.State = new FillState.None();
        }
        finally
        {
            key.Dispose();
            run.EndedAt = time.GetTimestamp();
            Ended();
        }
    }

    // Its source of cancellation has neither a timer nor a handle: there is nothing to dispose of.
    private sealed class Run(string machineName, DiskPlan disk)
    {
        private long _bytes;
        private long _ended = -1;

        public string MachineName => machineName;

        public DiskPlan Disk => disk;

        public int SizeMib => disk.Content?.SizeMib ?? 0;

        public CancellationTokenSource Stop { get; } = new();

        public Task Result { get; set; } = Task.CompletedTask;

        public FillState State { get; set; } = new FillState.None();

        public long Bytes
        {
            get => Volatile.Read(ref _bytes);
            set => Volatile.Write(ref _bytes, value);
        }

        /// <summary>On the clock of the fillings; null while it goes on.</summary>
        public long? EndedAt
        {
            get => Volatile.Read(ref _ended) is var ended && ended == -1 ? null : ended;
            set => Volatile.Write(ref _ended, value ?? -1);
        }
    }
}
