using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Benchmarks.Starting;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Benchmarks.Storing;

/// <summary>What a volume costs: its data path, its key at a start, and its end.</summary>
public sealed class StorageBench : IBench
{
    private const int Starts = 12;
    private const int FirstStarts = 3;
    private const int Mebibyte = 1 << 20;
    private const int Page = 4096;
    private static readonly TimeSpan LoadLimit = TimeSpan.FromMinutes(2);

    private static readonly Goal DataPath = new(1.03, "we add nothing between a machine and its disk");
    private static readonly Goal ReleaseTime = new(1, "nobody notices 150 ms in a start");
    private static readonly Goal ReleaseWork = new(1, "200 releases a second and core");

    private static readonly (string Name, string Words, DiskLoad Load)[] Loads =
    [
        ("write-seq", "sequential writes of 1 MiB", new("/dev/vda", Writes: true, Random: false, Mebibyte, 128)),
        ("read-seq", "sequential reads of 1 MiB", new("/dev/vda", Writes: false, Random: false, Mebibyte, 128)),
        ("write-random", "random writes of 4 KiB", new("/dev/vda", Writes: true, Random: true, Page, 2000)),
        ("read-random", "random reads of 4 KiB", new("/dev/vda", Writes: false, Random: true, Page, 2000)),
    ];

    /// <inheritdoc/>
    public string Name => "storage";

    /// <inheritdoc/>
    public string? Obstacle => new StartBench().Obstacle;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(tell);
        List<Figure> figures = [.. await EraseFigures.Measure(directory, effort, tell)];
        StartScene scene = await StartScene.Make(directory, tell, cancel);
        await using var guarded = await scene.Guarded(cancel);
        await using (var plain = await scene.Plain(guarded, isEncrypted: true, cancel))
        {
            figures.AddRange(await DataPathFigures(guarded, plain, effort, tell, cancel));
        }

        figures.AddRange(await ReleaseFigures(guarded, effort, tell, cancel));
        return figures;
    }

    private static async Task<IReadOnlyList<Figure>> DataPathFigures(
        GuardedSide guarded, PlainSide plain, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        await using ProbeChannel ours = await guarded.Meet(cancel);
        await using ProbeChannel theirs = await plain.Meet(cancel);
        // Every block is there before anything is counted: what is written first costs the file system more.
        foreach (ProbeChannel side in (ProbeChannel[])[ours, theirs])
        {
            await side.DiskIo(new DiskLoad("/dev/vda", true, false, Mebibyte, 64), LoadLimit, cancel);
        }

        List<Figure> figures = [];
        foreach (var (name, words, load) in Loads)
        {
            DiskLoad counted = load with { Count = effort.Count(load.Count) };
            double[] medians = await Race.Run(
                effort,
                async _ => (await ours.DiskIo(counted, LoadLimit, cancel)).TotalSeconds,
                async _ => (await theirs.DiskIo(counted, LoadLimit, cancel)).TotalSeconds);
            tell($"{words}: {medians[0] * 1000:0} ms under Bailiwick, {medians[1] * 1000:0} ms without");
            figures.Add(Figure.Rate(
                $"storage.{name}", medians[0] / counted.Count, $"bare QEMU LUKS, {words}",
                medians[1] / counted.Count, DataPath));
        }

        return figures;
    }

    private static async Task<IReadOnlyList<Figure>> ReleaseFigures(
        GuardedSide guarded, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        int starts = Math.Max(3, effort.Count(Starts));
        List<double> seconds = [];
        for (int start = 0; start < FirstStarts; start++)
        {
            await guarded.Start(cancel);
        }

        // What the key service works without any release: hosts prove themselves to it all the time.
        WorkWatch idle = WorkWatch.Of(guarded.KeyService);
        await Task.Delay(TimeSpan.FromSeconds(20), cancel);
        double idleShare = idle.Seconds / idle.Elapsed;
        WorkWatch work = WorkWatch.Of(guarded.KeyService);
        for (int start = 0; start < starts; start++)
        {
            await guarded.Start(cancel);
            seconds.Add(await guarded.KeySeconds(cancel));
            tell($"key released in {seconds[^1] * 1000:0} ms");
        }

        double worked = Math.Max(0, work.Seconds - (idleShare * work.Elapsed)) / starts;
        return
        [
            Figure.Time("storage.release", Race.Median(seconds), "the limit", 0.150, ReleaseTime),
            Figure.Rate("storage.release-work", worked, "the limit", 1.0 / 200, ReleaseWork),
        ];
    }
}
