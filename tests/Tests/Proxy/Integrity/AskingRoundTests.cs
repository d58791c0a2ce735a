using Bailiwick.Proxy.Integrity;

namespace Bailiwick.Tests.Proxy.Integrity;

/// <summary>One party that is silent delays nothing that concerns the others.</summary>
public sealed class AskingRoundTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);
    private readonly AskingRound<string, int> _round = new(TimeProvider.System);

    [Fact]
    public async Task A_round_ends_as_soon_as_all_have_answered()
    {
        Task<IReadOnlyList<int>> round = _round.AskAsync(["a", "b"], _ => Task.FromResult(1), Long);
        Assert.Equal([1, 1], await round.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task One_that_is_silent_delays_nobody_and_is_not_asked_again_before_it_has_answered()
    {
        TaskCompletionSource<int> silent = new();
        int asked = 0;
        Task<int> Ask(string party)
        {
            asked += party == "silent" ? 1 : 0;
            return party == "silent" ? silent.Task : Task.FromResult(1);
        }

        Assert.Equal([1], await _round.AskAsync(["silent", "other"], Ask, Short));
        Assert.Equal([1], await _round.AskAsync(["silent", "other"], Ask, Short));
        Assert.Equal(1, asked);
        silent.SetResult(2);
        Assert.Equal([1, 2], (await _round.AskAsync(["silent", "other"], Ask, Short)).Order());
        Assert.Equal(1, asked);
        await _round.AskAsync(["silent", "other"], Ask, Short);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task The_answer_of_one_that_is_no_longer_asked_still_comes()
    {
        TaskCompletionSource<int> slow = new();
        Assert.Empty(await _round.AskAsync(["slow"], _ => slow.Task, Short));
        slow.SetResult(3);
        Assert.Equal([3], await _round.AskAsync([], _ => throw new InvalidOperationException(), Short));
    }

    [Fact]
    public async Task What_an_asker_throws_the_round_throws()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _round.AskAsync(
            ["a"], _ => Task.FromException<int>(new InvalidOperationException()), Short));
        Assert.Equal([1], await _round.AskAsync(["a"], _ => Task.FromResult(1), Short));
    }
}
