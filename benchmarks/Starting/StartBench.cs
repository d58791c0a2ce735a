using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;

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
        StartScene scene = await StartScene.Make(directory, tell, cancel);
        await using var guarded = await scene.Guarded(cancel);
        await using var plain = await scene.Plain(guarded, isEncrypted: false, cancel);
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
}
