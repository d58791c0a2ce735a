using System.Diagnostics;
using Bailiwick.Domains.Flows;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Measuring;

namespace Bailiwick.Lab.Demonstration;

/// <summary>What a demonstration shall be.</summary>
/// <param name="Directory">The lab's directory.</param>
/// <param name="Policies">The directory of policies to play.</param>
/// <param name="Keep">Leave everything running at the end.</param>
public sealed record DemoOptions(string Directory, string Policies, bool Keep);

/// <summary>
/// The main job from an empty machine to the last proof: hosts, keys, signed policies, machines, and then packets
/// between every ordered pair beside what the policies promise.
/// </summary>
public sealed class DemoRun(DemoOptions options, IDemoAudience audience)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly DateTimeOffset _start = TimeProvider.System.GetUtcNow();
    private readonly List<Cell> _cells = [];
    private readonly List<DemoCheck> _checks = [];

    /// <summary>Plays all acts.</summary>
    /// <exception cref="LabException">Something of the lab itself did not work.</exception>
    public async Task<DemoReport> Play(CancellationToken cancellation)
    {
        var paths = new LabPaths(Path.GetFullPath(options.Directory));
        await LabDatacentre.Down(paths.Root, null, cancellation).ConfigureAwait(false);
        var steps = new StepProgress(audience);
        audience.Act("Three hosts on one machine");
        Task<GuestImage> guest = GuestImage.Build(paths.Cache, null, cancellation);
        using var measuring = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<HostMeasurements> measured = Measure(paths, guest, steps, measuring.Token);
        try
        {
            return await Play(paths, guest, measured, steps, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await measuring.CancelAsync().ConfigureAwait(false);
            await ((Task)measured).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Both are made of one kernel package: the guests' image fetches it.</summary>
    private static async Task<HostMeasurements> Measure(
        LabPaths paths, Task<GuestImage> guest, StepProgress steps, CancellationToken cancellation)
    {
        await guest.ConfigureAwait(false);
        return await MeasuredStart.Take(paths.Cache, steps, cancellation).ConfigureAwait(false);
    }

    private async Task<DemoReport> Play(
        LabPaths paths, Task<GuestImage> guest, Task<HostMeasurements> measured, StepProgress steps,
        CancellationToken cancellation)
    {
        LabDatacentre datacentre = await LabBuilder.Up(paths, options.Policies, hosts: null, steps, cancellation)
            .ConfigureAwait(false);
        await using (datacentre.ConfigureAwait(false))
        {
            GuestImage image = await guest.ConfigureAwait(false);
            audience.Act("Keys, signed policies, Master, key services, Proxies");
            LabDeployment deployment = await LabDeployment.Create(
                paths, new LabHosts(datacentre, image, measured), options.Policies, steps, cancellation)
                .ConfigureAwait(false);
            audience.Act("Machines start, each admitted by its host's Proxy, "
                + (deployment.Acceleration == GuestAcceleration.Kvm ? "with KVM" : "by QEMU's translator"));
            DemoStage stage = await DemoStage.Open(deployment, audience, cancellation).ConfigureAwait(false);
            await using (stage.ConfigureAwait(false))
            {
                await PlayActs(stage, cancellation).ConfigureAwait(false);
                DemoReport report = Report(stage);
                if (options.Keep)
                {
                    datacentre.Detach();
                }

                return report;
            }
        }
    }

    private async Task PlayActs(DemoStage stage, CancellationToken cancellation)
    {
        audience.Act("Packets between every ordered pair");
        FlowMatrix matrix = FlowMatrix.Of(stage.Policies);
        var measure = new MatrixMeasure(stage.Machines, matrix);
        var wire = new WireAct(stage);
        await wire.Begin(cancellation).ConfigureAwait(false);
        _cells.AddRange(await measure.Measure(
            (done, all) => audience.Progress($"{done} of {all} machines have asked everyone", (double)done / all),
            cancellation).ConfigureAwait(false));
        _cells.AddRange(await measure.MeasureShouts(cancellation).ConfigureAwait(false));
        audience.Matrix([.. stage.Machines.Select(m => m.Name)], _cells);
        Add(MatrixCheck());
        Add(await wire.End(cancellation).ConfigureAwait(false));
        var silence = new SilenceAct(stage);
        await silence.Begin(cancellation).ConfigureAwait(false);
        audience.Tell("From here on one host says nothing: its Proxy has ended, and its machines run on.");
        audience.Act("A volume that two domains share");
        Add(await new SharedVolumeAct(stage).Play(cancellation).ConfigureAwait(false));

        // Two tenants, two machines, and most of both acts is waiting for a guest to boot: they are played at once.
        Task<IReadOnlyList<DemoCheck>> restart = new RestartAct(stage).Play(cancellation);
        Task<IReadOnlyList<DemoCheck>> storage = new StorageAct(stage).Play(cancellation);
        audience.Act("A stolen volume");
        await Task.WhenAll(restart, storage).ConfigureAwait(false);
        Add(await storage.ConfigureAwait(false));
        audience.Act("A machine restarts without its key service, until its owner withdraws the key");
        Add(await restart.ConfigureAwait(false));
        audience.Act("Root on a host lies about it");
        Add(await new EvidenceAct(stage).Play(cancellation).ConfigureAwait(false));
        audience.Act("Root on a host starts a machine nobody admitted");
        Add(await new StartAct(stage).Play(cancellation).ConfigureAwait(false));
        audience.Act("A host falls silent");
        Add(await silence.End(cancellation).ConfigureAwait(false));
        audience.Act("A wire loses its trust");
        Add(await wire.Distrust(cancellation).ConfigureAwait(false));
        audience.Act("One owner withdraws a flow");
        Add(await new FlowAct(stage).Play(cancellation).ConfigureAwait(false));
        audience.Act("An erasure, proven");
        Add(await new ErasureAct(stage).Play(cancellation).ConfigureAwait(false));
        audience.Act("The operator forges a policy");
        Add(await new ForgeryAct(stage).Play(cancellation).ConfigureAwait(false));
        audience.Act("What runs is what the policies say, and what is slipped in is found");
        Add(await new VerifyAct(stage).Play(cancellation).ConfigureAwait(false));
        if (options.Keep)
        {
            audience.Tell(
                "The lying Master is left out with --keep: it leaves the hosts with a ledger nobody continues.");
        }
        else
        {
            Add(await new LyingMasterAct(stage).Play(cancellation).ConfigureAwait(false));
        }
    }

    private void Add(IReadOnlyList<DemoCheck> checks)
    {
        foreach (DemoCheck check in checks)
        {
            Add(check);
        }
    }

    private DemoCheck MatrixCheck()
    {
        int passed = _cells.Count(c => c.Passed && c.Matches), leaks = _cells.Count(c => c.Leaks);
        return new DemoCheck("the measured matrix is the promised one",
            _cells.All(c => c.Matches) && passed > 0 && leaks == 0,
            $"{_cells.Count} cells, {_cells.Count(c => c.Matches)} as promised, of which {passed} open "
            + $"(the positive control); {leaks} leaks");
    }

    private void Add(DemoCheck check)
    {
        _checks.Add(check);
        audience.Check(check);
    }

    private DemoReport Report(DemoStage stage) => new()
    {
        Hosts = stage.Deployment.Datacentre.Hosts.Count,
        Machines = stage.Machines.Count,
        Domains = stage.Policies.Domains.Count,
        Cells = _cells,
        Checks = _checks,
        SecondsToFirstMachine = (stage.FirstAnswer - _start).TotalSeconds,
        SecondsTotal = _clock.Elapsed.TotalSeconds,
    };
}

/// <summary>Turns the lab's steps into progress of an act.</summary>
public sealed class StepProgress(IDemoAudience audience) : IProgress<LabStep>
{
    private int _steps;

    /// <inheritdoc/>
    public void Report(LabStep value)
    {
        // About twenty steps make an act; the bar only shows that it moves.
        double done = 1 - Math.Pow(0.9, Interlocked.Increment(ref _steps));
        audience.Progress($"{value.Place}: {value.Sentence}", done);
    }
}
