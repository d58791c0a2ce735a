using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Tests.Proxy.Reconciling;

public sealed class ApplyTests
{
    private readonly UnitStatus _status = new("bank/web", TimeProvider.System);

    [Fact]
    public async Task A_unit_as_planned_tells_the_steps_that_made_it_so_and_no_failure_of_a_machine_that_left()
    {
        Apply first = new(_status);
        Assert.True(first.Try("network", () => { }));
        Assert.False(await first.TryAsync("run web-2", Refuse));
        Assert.Throws<WorldException>(first.End);
        Assert.Equal([("run web-2", false), ("network", true)], Steps());
        Assert.Equal(UnitHealth.Pending, _status.Health);

        Apply next = new(_status);
        Assert.True(next.Try("network", () => { }));
        next.End();
        Assert.Equal([("network", true)], Steps());
        Assert.Equal(UnitHealth.Converged, _status.Health);
    }

    [Fact]
    public async Task A_run_that_fails_forgets_nothing_that_it_did_not_come_to()
    {
        Apply first = new(_status);
        Assert.False(await first.TryAsync("run web-2", Refuse));
        Apply next = new(_status);
        Assert.False(next.Try("network", () => throw Refusal()));
        Assert.Throws<WorldException>(next.End);
        Assert.Equal([("network", false), ("run web-2", false)], Steps());
    }

    private IEnumerable<(string Name, bool Ok)> Steps() => _status.Steps.Select(step => (step.Name, step.Ok));

    private static Task Refuse() => Task.FromException(Refusal());

    private static WorldException Refusal() => new(["try"], 1, "the test wants it to fail");
}
