namespace Bailiwick.Simulation;

/// <summary>Whole datacentres, one for each seed.</summary>
public sealed class SeedTests
{
    private const int Steps = 60;

    [Fact]
    public Task Every_promise_holds_over_forty_seeds() => Sweep(1, 40);

    [Fact]
    [Trait("Category", "Slow")]
    public Task Every_promise_holds_over_a_thousand_seeds() => Sweep(1001, 1000);

    /// <summary>Off the test's own thread, so that what waits for virtual time goes on where time is moved.</summary>
    private static Task Sweep(int first, int count) => Task.Run(
        () =>
        {
            for (int seed = first; seed < first + count; seed++)
            {
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
                using Simulator simulator = new(seed);
                simulator.Run(Steps);
            }
        },
        TestContext.Current.CancellationToken);
}
