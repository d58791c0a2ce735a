using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;

namespace Bailiwick.HostTests.Whole;

/// <summary>Root on a host changes by hand what the Proxy holds.</summary>
[Collection(WholeCollection.Name)]
public sealed class DriftTests(WholeLab lab, ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

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
            "nft", "add", "element", "bridge", WholeHost.TableOf(bridge), "ports", "{ \"stranger\" }"));
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
        await Repaired(host, tap, () => host.Space.Must("nft", "delete", "table", "bridge", "bw_guard"), closes: false);
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
                host, tap, () => host.Space.Must("ip", "link", "set", "foreign", "master", bridge), closes: false);
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

    /// <summary>Within the limit all is as before, the drift is recorded, and the port was dead meanwhile.</summary>
    private async Task Repaired(WholeHost host, string tap, Func<Task> change, bool closes = true)
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
                : Changes(rules, await host.Rules()), "what was changed is repaired", 3 * Limit);
        output.WriteLine($"repaired after {clock.Elapsed.TotalSeconds:F1} s");
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Limit);
        IReadOnlyList<Happening> since = await host.Log(mark);
        output.WriteLine(string.Join('\n', since));
        long opened = since.LastOrDefault(h => h.Kind == IntegrityKind.PortOpened && h.Subject == tap)?.Number ?? -1;
        Assert.Single(since, h => h.Kind == IntegrityKind.Drift);
        if (closes)
        {
            Assert.Contains(since, h => h.Kind == IntegrityKind.PortClosed && h.Subject == tap && h.Number < opened);
            Assert.Contains(since, h => h.Kind == IntegrityKind.Drift && h.Number < opened);
        }

        await lab.Settled();
        Assert.True(await lab.Flows());
    }

    private static string? Changes(string before, string now) => before == now
        ? null : "other rules: " + string.Join('\n', before.Split('\n').Zip(now.Split('\n'))
            .Where(l => l.First != l.Second).Take(3).Select(l => $"{l.First} is now {l.Second}"));
}
