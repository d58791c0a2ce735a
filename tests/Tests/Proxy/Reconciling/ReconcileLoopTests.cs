using System.Collections.Concurrent;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Tests.Proxy.Reconciling;

public sealed class ReconcileLoopTests
{
    private const int Rounds = 8;

    [Theory]
    [InlineData(true, new[] { 1, 2, 4, 5, 5, 5, 5 })]
    [InlineData(false, new[] { 5, 5, 5, 5, 5, 5, 5 })]
    public async Task What_fails_is_tried_again_soon_and_never_looked_at_less_often_than_what_holds(
        bool fails, int[] seconds)
    {
        HastyTime time = new();
        Unit unit = new(fails);
        await using (ReconcileLoop loop = new(unit, time))
        {
            loop.Start();
            await unit.Turned.WaitAsync(TimeSpan.FromSeconds(15), TestContext.Current.CancellationToken);
        }

        Assert.Equal(seconds, time.Rests.Take(Rounds - 1).Select(rest => (int)rest.TotalSeconds));
        Assert.Equal(fails ? UnitHealth.Failing : UnitHealth.Converged, unit.Status.Health);
    }

    /// <summary>What is to be waited for is written down, and over at once.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public ConcurrentQueue<TimeSpan> Rests { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Rests.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }

    private sealed class Unit(bool fails) : IReconciled
    {
        private readonly TaskCompletionSource _turned = new();
        private int _rounds;

        public Task Turned => _turned.Task;

        public UnitStatus Status { get; } = new("unit", TimeProvider.System);

        public Task ReconcileAsync(CancellationToken stop)
        {
            if (++_rounds == Rounds)
            {
                _turned.SetResult();
            }

            if (fails)
            {
                throw new WorldException(["try"], 1, "the test wants it to fail");
            }

            Status.Turn(UnitHealth.Converged, "");
            return Task.CompletedTask;
        }

        public Task CloseAsync() => Task.CompletedTask;
    }
}
