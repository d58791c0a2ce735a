using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;

namespace Bailiwick.HostTests.Whole;

/// <summary>Root on a host changes by hand what the Proxy holds.</summary>
[Collection(WholeCollection.Name)]
public sealed class DriftTests(WholeLab lab, ITestOutputHelper output)
{
    /// <summary>The Proxy looks every 5 s and whenever it is told; the rest is for a machine that does other work.
    /// </summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_rule_slipped_into_a_table_is_found_and_the_table_made_anew()
    {
        (WholeHost host, string tap, string bridge) = await Web();
        string table = WholeHost.TableOf(bridge);
        string chain = (await host.Space.Must("nft", "list", "table", "bridge", table)).Split('\n')
            .First(l => l.TrimStart().StartsWith("chain ", StringComparison.Ordinal)).Trim().Split(' ')[1];
        await Repaired(host, tap, () => host.Space.Must(
            "nft", "insert", "rule", "bridge", table, chain, "ether", "type", "ip", "accept"));
    }

    [Fact]
    public async Task An_address_slipped_into_a_set_is_found_and_the_table_made_anew()
    {
        (WholeHost host, string tap, string bridge) = await Web();
        await Repaired(host, tap, () => host.Space.Must(
            "nft", "add", "element", "bridge", WholeHost.TableOf(bridge), "places",
            "{ \"stranger\" . 02:00:00:00:00:99 }"));
    }

    [Fact]
    public async Task A_deleted_table_is_found_and_made_anew()
    {
        (WholeHost host, string tap, string bridge) = await Web();
        await Repaired(host, tap, () => host.Space.Must("nft", "delete", "table", "bridge", WholeHost.TableOf(bridge)));
    }

    [Fact]
    public async Task A_deleted_guard_is_found_and_made_anew_with_every_port_dead_first()
    {
        (WholeHost host, string tap, _) = await Web();
        await Repaired(
            host, tap, () => host.Space.Must("nft", "delete", "table", "bridge", "bw_guard"), Port.OpenedAnew);
    }

    [Fact]
    public async Task A_tap_moved_to_another_bridge_is_dead_until_it_is_moved_back()
    {
        (WholeHost host, string tap, string bridge) = await Web();
        await host.Space.Must("ip", "link", "add", "elsewhere", "type", "bridge");
        try
        {
            await Repaired(host, tap, () => host.Space.Must("ip", "link", "set", tap, "master", "elsewhere"));
            Assert.Equal(bridge, await host.BridgeOf(tap));
        }
        finally
        {
            await host.Space.Must("ip", "link", "delete", "elsewhere");
        }
    }

    [Fact]
    public async Task A_foreign_port_on_a_domains_bridge_is_unplugged()
    {
        (WholeHost host, string tap, string bridge) = await Web();
        await host.Space.Must("ip", "link", "add", "foreign", "type", "veth", "peer", "name", "foreign-peer");
        try
        {
            await Repaired(
                host, tap, () => host.Space.Must("ip", "link", "set", "foreign", "master", bridge), Port.Untouched);
            Assert.Equal("", await host.BridgeOf("foreign"));
        }
        finally
        {
            await host.Space.Must("ip", "link", "delete", "foreign");
        }
    }

    private async Task<(WholeHost Host, string Tap, string Bridge)> Web()
    {
        await lab.Ready();
        WholeHost host = lab.Host("host-1");
        string tap = await host.TapOf(SmallPolicies.Web);
        return (host, tap, await host.BridgeOf(tap));
    }

    /// <summary>Within the limit all is as before, the drift is recorded, and the port was dead meanwhile, unless it
    /// had nothing to do with the change.</summary>
    private async Task Repaired(
        WholeHost host, string tap, Func<Task> change, Port expected = Port.ClosedAndOpened)
    {
        string rules = await host.Rules();
        string[] live = await host.LivePorts();
        long mark = await host.Mark();
        Assert.Contains(tap, live);
        Assert.True(await lab.Flows());

        await change();
        var clock = Stopwatch.StartNew();
        await WholeLab.Until(
            async () => (await host.Log(mark)).All(h => h.Kind != IntegrityKind.Drift) ? "no drift is recorded"
                : !(await host.LivePorts()).SequenceEqual(live) ? "other ports are live"
                : Changes(rules, await host.Rules()), "what was changed is repaired", Limit);
        output.WriteLine($"repaired after {clock.Elapsed.TotalSeconds:F1} s");
        IReadOnlyList<Happening> since = await host.Log(mark);
        output.WriteLine(string.Join('\n', since));
        long opened = since.LastOrDefault(h => h.Kind == IntegrityKind.PortOpened && h.Subject == tap)?.Number ?? -1;
        long drift = Assert.Single(since, h => h.Kind == IntegrityKind.Drift).Number;
        bool closed = since.Any(h => h.Kind == IntegrityKind.PortClosed && h.Subject == tap && h.Number < opened);
        Port seen = opened < 0 ? Port.Untouched : closed ? Port.ClosedAndOpened : Port.OpenedAnew;
        Assert.Equal(expected, seen);
        Assert.True(expected is Port.Untouched || drift < opened, "it was opened before the drift was recorded");
        await lab.Settled();
        Assert.True(await lab.Flows());
    }

    /// <summary>What becomes of the machine's port.</summary>
    private enum Port
    {
        Untouched,
        ClosedAndOpened,

        /// <summary>The list of live ports was gone with its table; the new one began empty.</summary>
        OpenedAnew,
    }

    private static string? Changes(string before, string now) => before == now
        ? null : "other rules: " + string.Join('\n', before.Split('\n').Zip(now.Split('\n'))
            .Where(l => l.First != l.Second).Take(3).Select(l => $"{l.First} is now {l.Second}"));
}
