using Bailiwick.Channel.Wire;

namespace Bailiwick.Tests.Channel.Wire;

public class BodyBudgetTests
{
    private readonly BodyBudget _budget = new(100);

    [Fact]
    public void An_owner_holds_no_more_than_its_share_over_all_its_bodies()
    {
        using BodyLease first = _budget.Open("one", 60);
        using (BodyLease second = _budget.Open("one", 60))
        {
            Assert.True(first.TryGrow(40));
            Assert.True(second.TryGrow(20));
            Assert.False(second.TryGrow(1));
        }

        Assert.True(first.TryGrow(20));
        Assert.False(first.GaveWay);
    }

    [Fact]
    public void Whoever_holds_most_gives_way_to_whoever_holds_less()
    {
        using BodyLease greedy = _budget.Open("greedy", 90);
        using BodyLease other = _budget.Open("other", 90);
        using BodyLease modest = _budget.Open("modest", 90);
        Assert.True(greedy.TryGrow(80));
        Assert.True(other.TryGrow(20));
        Assert.True(modest.TryGrow(10));
        Assert.True(greedy.GaveWay);
        Assert.False(greedy.TryGrow(1));
        Assert.False(other.GaveWay);
    }

    [Fact]
    public void Nobody_gives_way_to_whoever_would_hold_as_much()
    {
        using BodyLease first = _budget.Open("first", 90);
        using BodyLease second = _budget.Open("second", 90);
        Assert.True(first.TryGrow(50));
        Assert.True(second.TryGrow(50));
        Assert.False(second.TryGrow(1));
        Assert.False(first.GaveWay);
    }

    [Fact]
    public void What_gave_way_is_told_and_its_place_is_free_when_it_is_closed()
    {
        BodyLease greedy = _budget.Open("greedy", 90);
        Assert.True(greedy.TryGrow(90));
        using BodyLease modest = _budget.Open("modest", 90);
        Assert.True(modest.TryGrow(20));
        Assert.True(greedy.GivesWay.IsCancellationRequested);
        greedy.Dispose();
        using BodyLease again = _budget.Open("greedy", 90);
        Assert.True(again.TryGrow(80));
    }
}
