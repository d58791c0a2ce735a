using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks.Starting;

/// <summary>A machine's start with everything that we add to it, and without.</summary>
public sealed class StartBench : IBench
{
    private const int Runs = 5;

    private static readonly Goal Within = new(1.25,
        "whoever waits for a machine should not notice who checks it: a quarter of a start is less than starts vary");

    private static readonly Goal Added = new(0.25, "the same limit, told as what is added to a plain start");

    /// <inheritdoc/>
    public string Name => "start";

    /// <inheritdoc/>
    public string? Obstacle => Environment.UserName == "root"
        ? null
        : "it makes namespaces and needs root: sudo ./bench, or ./bench ledger without it.";

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(tell);
        // Both labs and the demonstration's take the kernel, the guest and the compiled programs from one cache.
        var cache = Path.Combine(Checkout.Root, ".lab", "cache");
        var paths = new LabPaths(Path.Combine(directory, "with"));
        Directory.CreateDirectory(cache);
        Directory.CreateDirectory(paths.Root);
        if (!Path.Exists(paths.Cache))
        {
            Directory.CreateSymbolicLink(paths.Cache, cache);
        }

        var steps = new Steps(tell);
        var image = await GuestImage.Build(cache, steps, cancel);
        await GuestAccelerator.Find(cache, image, cancel);
        await using var guarded = await GuardedSide.Up(paths, image, steps, cancel);
        var description = (await guarded.Host.Virsh("dumpxml", "--inactive", guarded.MachineName))
            .Expect("virsh dumpxml", "read the Proxy's log").Output;
        await using var plain = await PlainSide.Up(
            Path.Combine(directory, "without"), cache, description, steps, cancel);
        var runs = new Effort(1, Math.Max(3, effort.Count(Runs)), 1);
        var medians = await Race.Run(runs,
            Told("with Bailiwick", _ => guarded.Start(cancel), tell),
            Told("plain", _ => plain.Start(cancel), tell));
        return Figures(medians[0], medians[1]);
    }

    /// <summary>The figures of two medians in seconds.</summary>
    internal static IReadOnlyList<Figure> Figures(double guarded, double plain) =>
    [
        Figure.Time("start.ready", guarded, "virsh start without us", plain, Within),
        Figure.Time("start.overhead", guarded - plain, "virsh start without us", plain, Added),
    ];

    private static Func<int, Task<double>> Told(
        string side, Func<int, Task<double>> start, Action<string> tell) => async round =>
    {
        var seconds = await start(round);
        tell(string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"start {side}: {seconds * 1000:0} ms{(round == 0 ? " (warm-up, not counted)" : "")}"));
        return seconds;
    };

    private sealed class Steps(Action<string> tell) : IProgress<LabStep>
    {
        public void Report(LabStep value) => tell($"{value.Place}: {value.Sentence}");
    }
}
