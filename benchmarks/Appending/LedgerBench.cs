using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Benchmarks.Proving;

namespace Bailiwick.Benchmarks.Appending;

/// <summary>The ledger: durable appends, proofs, and the checking of statements.</summary>
public sealed class LedgerBench : IBench
{
    /// <inheritdoc/>
    public string Name => "ledger";

    /// <inheritdoc/>
    public string? Obstacle => null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(tell);
        var own = Path.Combine(directory, Guid.NewGuid().ToString("N")[..8]);
        try
        {
            tell("ledger: durable appends");
            List<Figure> figures = [.. await new AppendFigures(Path.Combine(own, "log"), effort).Measure()];
            cancel.ThrowIfCancellationRequested();
            tell("ledger: statements posted to a Master");
            figures.AddRange(await new PostFigure(Path.Combine(own, "post"), effort).Measure());
            cancel.ThrowIfCancellationRequested();
            tell("ledger: proofs and statements checked");
            figures.AddRange(await new ProofFigures(effort).Measure());
            figures.Add(await new StatementFigure(effort).Measure());
            return figures;
        }
        finally
        {
            if (Directory.Exists(own))
            {
                Directory.Delete(own, recursive: true);
            }
        }
    }
}
