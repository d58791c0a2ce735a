using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>How policies are checked and refined at the size of a datacentre, beside limits and beside OVN.</summary>
public sealed class PolicyBench : IBench
{
    /// <inheritdoc/>
    public string Name => "policy";

    /// <inheritdoc/>
    public string? Obstacle => LabPrograms.Find("ovn-northd") is null || LabPrograms.Find("ovsdb-server") is null
        ? "ovn-northd is missing; apt-get install ovn-central" : null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(tell);
        List<Figure> figures = [.. await CheckFigures.Measure(effort, tell)];
        cancel.ThrowIfCancellationRequested();
        figures.AddRange(await OvnFigures.Measure(directory, effort, tell));
        cancel.ThrowIfCancellationRequested();
        figures.AddRange(PlanFigures.Measure(effort, tell, cancel));
        return figures;
    }
}
