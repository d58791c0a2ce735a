using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;

namespace Bailiwick.Benchmarks.Attesting;

/// <summary>Attestation: how fast a verifier judges what hosts send.</summary>
public sealed class AttestationBench : IBench
{
    /// <inheritdoc/>
    public string Name => "attestation";

    /// <inheritdoc/>
    public string? Obstacle => null;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(effort);
        ArgumentNullException.ThrowIfNull(tell);
        tell("attestation: boot logs and runtime logs");
        var logs = await new LogFigures(effort, tell).Measure();
        tell("attestation: quotes and endorsement certificates");
        var quotes = await new QuoteFigures(effort, tell).Measure(directory);
        tell("attestation: whole appraisals, and 10,000 hosts");
        return [.. logs, .. quotes, .. await new AppraisalFigures(effort, tell).Measure(directory)];
    }
}
