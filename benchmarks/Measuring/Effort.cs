namespace Bailiwick.Benchmarks.Measuring;

/// <summary>How much is measured.</summary>
/// <param name="WarmUps">Rounds that are not counted: the runtime compiles and the caches fill in them.</param>
/// <param name="Rounds">Rounds that are; the median of them is the value.</param>
/// <param name="Share">The share of the full number of operations in a round.</param>
public sealed record Effort(int WarmUps, int Rounds, double Share)
{
    /// <summary>For figures to believe.</summary>
    public static Effort Full { get; } = new(2, 7, 1);

    /// <summary>To see all figures soon: few rounds of small sizes, of which nothing follows for large ones.</summary>
    public static Effort Quick { get; } = new(1, 3, 0.05);

    /// <summary>Only whether it runs at all: one round of few operations.</summary>
    public static Effort Glance { get; } = new(0, 1, 0.02);

    /// <summary>All rounds, counted or not.</summary>
    public int All => WarmUps + Rounds;

    /// <summary>How many operations a round has.</summary>
    public int Count(int full) => Math.Max(1, (int)(full * Share));
}
