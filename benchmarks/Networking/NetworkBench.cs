using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>What isolation costs on the way of a frame, and how fast rules follow a policy.</summary>
public sealed class NetworkBench : IBench
{
    private const int Members = 10_000;

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
        return [.. await RuleFigures.Measure(Members, effort, tell)];
    }
}
