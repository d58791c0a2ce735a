using Bailiwick.Benchmarks.Networking;
using Bailiwick.Proxy.Networking;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Networking;

/// <summary>Tables are known to be as they were without being read each time, and changed without being replaced.
/// </summary>
public sealed class TableKeeperTests
{
    private const string Place = $"- bridge {LargeDomain.Table}";
    private readonly FakeHost _host = new();
    private readonly MovedClock _time = new();
    private readonly NetworkTools _tools;
    private readonly TableKeeper _tables;

    public TableKeeperTests()
    {
        RulesWatch watch = new(_host);
        _tools = new NetworkTools(_host, watch);
        _tables = new TableKeeper(_tools, watch, _time);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(2000)]
    public void A_slipped_in_rule_is_seen_at_once_and_what_is_loaded_again_is_held(int members)
    {
        WantedRules rules = Rules(members);
        Assert.Equal(RulesState.New, _tables.State(rules));
        _tables.Load(rules);
        Assert.Equal(RulesState.Held, _tables.State(rules));
        _time.Move(5);
        Assert.Equal(RulesState.Held, _tables.State(rules));

        _host.Network.Tables[Place].Insert(3, "accept");

        Assert.Equal(RulesState.Drifted, _tables.State(rules));
        Assert.Equal(RulesState.Drifted, _tables.State(rules));
        _tables.Load(rules);
        Assert.Equal(RulesState.Held, _tables.State(rules));
        Assert.DoesNotContain("accept", _host.Network.Tables[Place]);
    }

    [Fact]
    public void A_rule_slipped_in_before_a_large_table_was_read_makes_it_loaded_again()
    {
        WantedRules rules = Rules(2000);
        _tables.Load(rules);
        _host.Network.Tables[Place].Insert(3, "accept");

        Assert.Equal(RulesState.New, _tables.State(rules));
    }

    [Fact]
    public void What_others_do_to_other_tables_is_no_drift()
    {
        WantedRules rules = Rules(20);
        _tables.Load(rules);
        _host.Network.Tables["- inet somebody"] = ["accept"];

        Assert.Equal(RulesState.Held, _tables.State(rules));
    }

    [Fact]
    public void One_machine_is_some_elements_and_not_the_table_unless_somebody_else_was_there()
    {
        _tables.Load(Rules(2000));
        long before = _host.LoadedBytes;
        _tables.Load(Rules(2001));
        Assert.InRange(_host.LoadedBytes - before, 1, 1000);
        Assert.Equal(RulesState.Held, _tables.State(Rules(2001)));
        Assert.Equal(RulesState.New, _tables.State(Rules(2000)));

        _host.Network.Tables[Place].Insert(3, "accept");
        _tables.Load(Rules(2000));

        Assert.DoesNotContain("accept", _host.Network.Tables[Place]);
        Assert.Equal(RulesState.Held, _tables.State(Rules(2000)));
    }

    [Fact]
    public void A_change_that_the_kernel_refuses_is_followed_by_the_whole()
    {
        _tables.Load(Rules(20));
        _host.FailAt = _host.Changes + 1;
        Assert.Throws<Bailiwick.Proxy.Host.WorldException>(() => _tables.Load(Rules(21)));
        Assert.Equal(RulesState.New, _tables.State(Rules(20)));

        _tables.Load(Rules(21));

        FakeNetwork fresh = new();
        fresh.Load("-", Rules(21).Text);
        Assert.Equal(fresh.Tables[Place], _host.Network.Tables[Place]);
        Assert.Equal(RulesState.Held, _tables.State(Rules(21)));
    }

    [Fact]
    public void Tables_are_read_again_once_in_a_while_even_if_nobody_was_counted()
    {
        WantedRules rules = Rules(20);
        _tables.Load(rules);
        _host.Network.Hide(() => _host.Network.Tables[Place].Insert(3, "accept"));
        Assert.Equal(RulesState.Held, _tables.State(rules));

        _time.Move(TableKeeper.Longest.TotalSeconds);

        Assert.Equal(RulesState.Drifted, _tables.State(rules));
    }

    private static WantedRules Rules(int members) =>
        new(new LargeDomain(members, 4).Plan());
}
