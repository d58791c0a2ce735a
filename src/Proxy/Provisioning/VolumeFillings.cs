using System.Collections.Concurrent;
using System.Globalization;
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
                $"The volume {disk.Volume.Name} is being filled: {run.Bytes >> 20} of {2 * run.Order.Bytes >> 20} MiB "
                + $"written and read back."));
        }

        return IsSame(run.Order.Disk, disk) ? run.State : new FillState.None();
    }

    /// <summary>Begins to fill a volume; its keys are copied before this returns.</summary>
    public void Begin(CompartmentPlan machine, FillOrder order)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(order);
        FillOrder own = order.Keep();
        Run run = new(machine.MachineName, own);
        if (!_runs.TryAdd(order.Disk.Volume.ToString(), run))
        {
            own.Dispose();
            throw new InvalidOperationException($"{order.Disk.Volume} is being filled already.");
        }

        run.Result = Task.Run(() => FillAsync(run));
    }

    /// <summary>Whether a volume is being read to make a copy of it.</summary>
    /// <param name="source">What is copied: <c>tenant id/name</c>.</param>
    /// <param name="into">The copy.</param>
    public bool IsCopying(string source, string into) =>
        _runs.GetValueOrDefault(into) is { Result.IsCompleted: false } run
        && run.Order.Disk.CopyOf?.Volume.ToString() == source;

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
        && one.Content?.SizeMib == other.Content?.SizeMib && one.CopyOf?.Volume == other.CopyOf?.Volume
        && one.CopyOf?.SizeMib == other.CopyOf?.SizeMib;

    private async Task FillAsync(Run run)
    {
        try
        {
            string directory = layout.DirectoryOf(run.MachineName);
            Directory.CreateDirectory(directory, Private);
            Digest32 header = await filler.FillAsync(
                run.Order, directory, bytes => run.Bytes = bytes, run.Stop.Token).ConfigureAwait(false);
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
            run.Order.Dispose();
            run.EndedAt = time.GetTimestamp();
            Ended();
        }
    }

    // Its source of cancellation has neither a timer nor a handle: there is nothing to dispose of.
    private sealed class Run(string machineName, FillOrder order)
    {
        private long _bytes;
        private long _ended = -1;

        public string MachineName => machineName;

        public FillOrder Order => order;

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
