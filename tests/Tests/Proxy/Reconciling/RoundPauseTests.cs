using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Tests.Proxy.Reconciling;

public sealed class RoundPauseTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly RoundPause _pause = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pause_ends_when_somebody_wakes_it_and_the_next_one_does_not()
    {
        Task first = Rest();
        Assert.False(first.IsCompleted);
        _pause.Wake();
        _pause.Wake();
        await first.WaitAsync(Patience, Stop);
        Assert.False(Rest().IsCompleted);
    }

    [Fact]
    public async Task Who_wakes_during_a_round_shortens_the_pause_after_it()
    {
        _pause.Wake();
        await Rest().WaitAsync(Patience, Stop);
    }

    [Fact]
    public async Task A_pause_ends_by_itself_and_with_its_loop()
    {
        await _pause.RestAsync(TimeSpan.FromMilliseconds(1), TimeProvider.System, Stop).WaitAsync(Patience, Stop);
        using CancellationTokenSource end = new();
        Task rest = _pause.RestAsync(Long, TimeProvider.System, end.Token);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rest.WaitAsync(Patience, Stop));
    }

    private Task Rest() => _pause.RestAsync(Long, TimeProvider.System, Stop);
}
