using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// How policies are checked, refined and proven at the size of a datacentre, beside limits, beside OVN and beside z3.
/// </summary>
public sealed class PolicyBench : IBench
{
    /// <inheritdoc/>
    public string Name => "policy";

    /// <inheritdoc/>
    public string? Obstacle => LabPrograms.Find("ovn-northd") is null || LabPrograms.Find("ovsdb-server") is null
        ? "ovn-northd is missing; apt-get install ovn-central"
        : LabPrograms.Find("z3") is null ? "z3 is missing; apt-get install z3" : null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(tell);
        List<Figure> figures = [];
        Take(await CheckFigures.Measure(effort, tell));
        Take(await RefinementFigures.Measure(effort, tell));
        Take(await ListFigures.Measure(effort, tell, cancel));
        Take(await OvnFigures.Measure(directory, effort, tell));
        Take(PlanFigures.Measure(effort, tell, cancel));
        return figures;

        // Minutes pass until all are there: each is told as soon as it is.
        void Take(IEnumerable<Figure> measured)
        {
            foreach (var figure in measured)
            {
                tell(figure.ToString());
                figures.Add(figure);
            }

            cancel.ThrowIfCancellationRequested();
        }
    }
}
