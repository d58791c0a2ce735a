using System.Text.Json;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Seeing;
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
    public async Task A_tenant_is_told_by_its_own_host_where_its_packets_go_and_the_operator_by_the_board()
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
        // The operator follows it over the board, without a host's word.
        JsonElement whole = await Cli.Json(WholeLab.Operator, open);
        Assert.True(whole.GetProperty("open").GetBoolean());
        Assert.Equal(
            way.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("rule").GetString()),
            whole.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("rule").GetString()));
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
            (SmallPolicies.Web, "out", Server, SmallPolicies.Ledger),
            (Text(asked, "machine"), Text(asked, "direction"), Text(asked, "peer"), Text(asked, "peerName")));
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

    [Fact]
    public async Task A_tenant_captures_its_own_machines_port_and_nobody_else_does()
    {
        await lab.Ready();
        string file = Path.Combine(Path.GetTempPath(), $"bailiwick-{Guid.NewGuid():N}.pcap");
        string[] words = ["network", "capture", SmallPolicies.Web, "--port", "tcp/5432", "--out", file];
        foreach (string other in new[] { WholeLab.Operator, "hospital" })
        {
            Assert.NotEqual(0, (await Cli.Run(other, words)).ExitCode);
            Assert.False(File.Exists(file));
        }

        try
        {
            Task<JsonElement> capture = Cli.Json("bank", [.. words, "--for", "60s", "--packets", "4"]);
            await WholeLab.Until(
                async () => capture.IsCompleted ? null : await lab.Flows() ? "no four packets yet" : "no flow yet",
                "four packets are captured");
            Assert.Equal(4, (await capture).GetProperty("packets").GetInt32());
            byte[] kept = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
            Assert.True(PcapFormat.IsHeader(kept));
            var filter = new FrameFilter(FlowProtocol.Tcp, SmallPolicies.FlowPort);
            int packets = 0;
            for (int at = PcapFormat.HeaderBytes; at < kept.Length; packets++)
            {
                int length = Assert.NotNull(PcapFormat.LengthOf(kept.AsSpan(at)));
                Assert.True(filter.Takes(kept.AsSpan(at + PcapFormat.RecordBytes, length)));
                at += PcapFormat.RecordBytes + length;
            }

            Assert.Equal(4, packets);
            // A file that is there is nobody's to overwrite.
            Assert.Equal(2, (await Cli.Run("bank", words)).ExitCode);
        }
        finally
        {
            File.Delete(file);
        }
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
