using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>What isolation costs on the way of a frame, and how fast rules follow a policy.</summary>
public sealed class NetworkBench : IBench
{
    private const int Members = 10_000;

    private static readonly Goal Path = new(1.05, "isolation is not a reason to go without it");

    private static readonly (SceneKind Kind, string Name, string Peer)[] Scenes =
    [
        (SceneKind.SameHost, "same-host", "a bare bridge"),
        (SceneKind.Vxlan, "vxlan", "bare bridges and VXLAN"),
        (SceneKind.Encrypted, "encrypted", "bare VXLAN in wireguard-go"),
    ];

    private static readonly (string Test, string What)[] Tests = [("tcp_bw", "bytes"), ("tcp_lat", "turns")];

    /// <inheritdoc/>
    public string Name => "network";

    /// <inheritdoc/>
    public string? Obstacle => Environment.UserName != "root" ? "namespaces need root"
        : LabPrograms.Find("qperf") is null ? "qperf is missing; apt-get install qperf" : null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(tell);
        BenchSpace.Sweep();
        // A round is two seconds. On a quiet machine single ones differ by a tenth, the medians of forty by a fiftieth.
        Effort rounds = effort with { Rounds = (effort.Rounds * 6) - 1 };
        List<Figure> figures = [.. await RuleFigures.Measure(Members, effort, tell)];
        foreach (var (kind, name, peer) in Scenes)
        {
            tell($"measuring {name}");
            using NetworkScene ours = NetworkScene.Make(kind, isGuarded: true, Members);
            using NetworkScene theirs = NetworkScene.Make(kind, isGuarded: false, Members);
            foreach (var (test, what) in Tests)
            {
                cancel.ThrowIfCancellationRequested();
                double[] medians = await Race.Run(
                    rounds, _ => Task.FromResult(ours.Seconds(test)), _ => Task.FromResult(theirs.Seconds(test)));
                figures.Add(Figure.Rate($"network.{name}-{what}", medians[0], peer, medians[1], Path));
            }
        }

        return figures;
    }
}
