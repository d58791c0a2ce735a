using Bailiwick.Benchmarks.Networking;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.HostTests.Rendering;

/// <summary>A large domain's table in a real kernel: changed by elements, and watched by the kernel's own count.
/// </summary>
public sealed class LargeTableTests : IDisposable
{
    private const int Members = 3000;
    private readonly PlanOnNamespaces _spaces = new();
    private readonly RealHost _host = new();

    public void Dispose() => _spaces.Dispose();

    [Fact]
    public void A_table_that_was_changed_by_elements_is_the_table_that_was_loaded_whole()
    {
        WantedRules[] all =
        [
            .. new[] { (Members, 20), (Members + 1, 20), (Members + 1, 21), (Members - 7, 19), (Members, 20) }
                .Select(size => new WantedRules(new LargeDomain(size.Item1, size.Item2).Plan())),
        ];
        string[] contents = Inside(tables =>
        {
            List<string> seen = [];
            foreach (WantedRules rules in all)
            {
                tables.Load(rules);
                Assert.Equal(RulesState.Held, tables.State(rules));
                seen.Add(Content());
            }

            return seen.ToArray();
        });

        Assert.Equal(contents[0], contents[^1]);
        Assert.Equal(4, contents.Distinct().Count());
        for (int i = 0; i < all.Length; i++)
        {
            _spaces.Load(all[i].Text);
            Assert.Equal(_spaces.Space.Inside(Content), contents[i]);
        }
    }

    [Fact]
    public void Somebody_elses_transaction_is_counted_and_ours_is_known()
    {
        WantedRules rules = new(new LargeDomain(Members, 20).Plan());
        Inside(tables =>
        {
            tables.Load(rules);
            Assert.Equal(RulesState.Held, tables.State(rules));
            tables.Load(rules);
            Assert.Equal(RulesState.Held, tables.State(rules));
            uint before = _host.RulesGeneration();
            _host.Run(new ProgramCall("nft", "-f", "-") { Input = "add table inet strange\n"u8.ToArray() });
            Assert.Equal(before + 1, _host.RulesGeneration());
            // Nothing of it had been read before: it is loaded again, whatever was done to it.
            Assert.Equal(RulesState.New, tables.State(rules));
            tables.Load(rules);
            return 0;
        });

        WantedRules small = new(new LargeDomain(20, 20).Plan());
        Inside(tables =>
        {
            tables.Load(small);
            _host.Run(new ProgramCall("nft", "-f", "-") { Input = "add table inet stranger\n"u8.ToArray() });
            Assert.Equal(RulesState.Held, tables.State(small));
            _host.Run(new ProgramCall("nft", "-f", "-")
            {
                Input = System.Text.Encoding.ASCII.GetBytes(
                    $"insert rule bridge {LargeDomain.Table} member4 accept\n"),
            });
            Assert.Equal(RulesState.Drifted, tables.State(small));
            return 0;
        });
    }

    private T Inside<T>(Func<TableKeeper, T> act) => _spaces.Space.Inside(() =>
    {
        RulesWatch watch = new(_host);
        return act(new TableKeeper(new NetworkTools(_host, watch), watch, TimeProvider.System));
    });

    private string Content() =>
        new NetworkTools(_host, new RulesWatch(_host)).Table(null, "bridge", LargeDomain.Table)?.Digest ?? "none";
}
