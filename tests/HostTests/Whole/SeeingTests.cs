using System.Text.Json;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>Real machines on real hosts: the tenant sees its network, and the operator and other tenants do not.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class SeeingTests(WholeLab lab)
{
    private const string Server = "10.20.2.11";

    private CommandLine Cli => new(lab.Paths);

    [Fact]
    public async Task A_tenant_is_told_by_its_own_host_where_its_packets_go_and_nobody_else_is()
    {
        await lab.Ready();
        string[] open = ["network", "trace", SmallPolicies.Web, SmallPolicies.Ledger, "tcp/5432"];
        JsonElement way = await Cli.Json("bank", open);
        Assert.True(way.GetProperty("open").GetBoolean());
        Assert.Equal(
            ["host-1", "host-2"],
            way.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("host").GetString()).Distinct());

        LabProgramResult closed = await Cli.Run(
            "bank", "network", "trace", SmallPolicies.Web, SmallPolicies.Ledger, "tcp/5433");
        Assert.Equal(1, closed.ExitCode);
        Assert.Contains("would need this among its accepts", closed.Output, StringComparison.Ordinal);

        LabProgramResult stranger = await Cli.Run("hospital", open);
        Assert.NotEqual(0, stranger.ExitCode);
        Assert.DoesNotContain("10.20.", stranger.Output + stranger.Error, StringComparison.Ordinal);
        LabProgramResult refused = await Cli.Run(WholeLab.Operator, open);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("wrong-caller", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenant_reads_who_spoke_with_whom_and_neither_the_operator_nor_another_tenant_does()
    {
        await lab.Ready();
        await WholeLab.Until(
            async () => await Flow("bank", "bank/web") is { } seen && seen.GetProperty("packets").GetInt64() > 0
                ? null : await lab.Flows() ? "no record yet" : "no flow yet", "the web's host has counted the flow");
        JsonElement asked = Assert.NotNull(await Flow("bank", "bank/web"));
        Assert.Equal(
            (SmallPolicies.Web, "out", Server, SmallPolicies.Ledger, 0L),
            (Text(asked, "machine"), Text(asked, "direction"), Text(asked, "peer"), Text(asked, "peerName"),
                asked.GetProperty("dropped").GetInt64()));
        JsonElement answered = Assert.NotNull(await Flow("bank", "bank/ledger"));
        Assert.Equal(
            (SmallPolicies.Ledger, "in", SmallPolicies.Web),
            (Text(answered, "machine"), Text(answered, "direction"), Text(answered, "peerName")));

        LabProgramResult refused = await Cli.Run(WholeLab.Operator, "network", "flows", "bank/web");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("wrong-caller", refused.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, (await Cli.Run("hospital", "network", "flows", "bank/web")).ExitCode);
        Assert.Equal(
            JsonValueKind.Array, (await Cli.Json("hospital", "network", "flows", "hospital/records")).ValueKind);
    }

    private async Task<JsonElement?> Flow(string party, string domain)
    {
        foreach (JsonElement host in (await Cli.Json(party, "network", "flows", domain)).EnumerateArray())
        {
            foreach (JsonElement flow in host.GetProperty("flows").EnumerateArray())
            {
                if (Text(flow, "service") == "tcp/5432")
                {
                    return flow;
                }
            }
        }

        return null;
    }

    private static string? Text(JsonElement flow, string name) => flow.GetProperty(name).GetString();
}
