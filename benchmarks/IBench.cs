using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;

namespace Bailiwick.Benchmarks;

/// <summary>One bench: figures that are measured together, each beside its peer.</summary>
public interface IBench
{
    /// <summary>What it is called on the command line; its figures' names begin with it.</summary>
    string Name { get; }

    /// <summary>Why it cannot run here, or null.</summary>
    string? Obstacle { get; }

    /// <summary>Measures. What it makes in the directory is its own to keep or remove.</summary>
    /// <param name="directory">An existing directory on a real disk.</param>
    /// <param name="effort">How much is measured.</param>
    /// <param name="tell">Takes a sentence on what is going on.</param>
    /// <param name="cancel">Ends it early, with everything taken down.</param>
    Task<IReadOnlyList<Figure>> Run(
        string directory, Effort effort, Action<string> tell, CancellationToken cancel);
}
