using System.Text.Json;
using Bailiwick.HostTests.Verification;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>What runs is read back from real hosts and proven to be what the policies say; what is not is named.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class VerifyTests(WholeLab lab, ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private CommandLine Cli => new(lab.Paths);

    [Fact]
    public async Task All_that_runs_is_proven_to_be_as_planned_to_the_operator_and_to_each_tenant_its_own()
    {
        await lab.Ready();
        await Proven();

        JsonElement[] all = await Verified("alpine"), bank = await Verified("bank");

        Assert.Superset(
            new HashSet<string> { "host", "machine", "switch", "volume" },
            all.Select(thing => Text(thing, "kind")).ToHashSet());
        Assert.Contains(all, thing => Text(thing, "subject") == "hospital/records");
        Assert.Contains(bank, thing => Text(thing, "subject") == SmallPolicies.Web);
        Assert.DoesNotContain(bank, thing => thing.ToString().Contains("hospital", StringComparison.Ordinal));
        output.WriteLine(string.Join('\n', all.Select(thing => thing.ToString())));
    }

    [Fact]
    public async Task A_rule_slipped_in_is_named_with_its_line_and_time_and_stays_in_the_integrity_log()
    {
        await lab.Ready();
        await Proven();
        WholeHost host = lab.Host("host-1");
        string table = WholeHost.TableOf(await host.BridgeOf(await host.TapOf(SmallPolicies.Web)));
        string chain = (await host.Space.Must("nft", "list", "table", "bridge", table)).Split('\n')
            .First(l => l.TrimStart().StartsWith("chain ", StringComparison.Ordinal)).Trim().Split(' ')[1];

        await host.Space.Must(
            "nft", "insert", "rule", "bridge", table, chain, "ether", "type", "ip", "tcp", "dport", "22", "accept");

        await WholeLab.Until(
            async () => (await Drifts("bank")).Any(drift => Text(drift, "sentence") is var said
                && said.Contains($"bridge {table}, chain {chain}: the rule ", StringComparison.Ordinal)
                && said.Contains("tcp dport 22 accept", StringComparison.Ordinal)
                && said.Contains("It opens tcp/22 from ", StringComparison.Ordinal)
                && said.Contains("found at 20", StringComparison.Ordinal))
                ? null : "no drift names the rule", "the drift is told", Limit);
        await Proven();
        output.WriteLine((await Drifts("bank"))[^1].ToString());
        Assert.DoesNotContain(
            await Drifts("hospital"), drift => drift.ToString().Contains(table, StringComparison.Ordinal));
        await lab.Settled();
    }

    [Fact]
    public async Task A_rule_slipped_into_a_gateway_is_told_by_what_it_opens_between_which_domains()
    {
        await lab.Ready();
        await Proven();
        WholeHost host = lab.Host("host-1");

        await host.SlipIntoGateway("tcp", "dport", "22", "accept");

        await WholeLab.Until(
            async () => (await Drifts("bank")).Any(drift => Text(drift, "sentence") is var said
                && said.Contains("inet bw_gateway, chain forward: the rule ", StringComparison.Ordinal)
                && said.Contains("It opens tcp/22 from ", StringComparison.Ordinal))
                ? null : string.Join('\n', await Drifts("bank")), "the drift is told", Limit);
        await Proven();
        output.WriteLine((await Drifts("bank"))[^1].ToString());
        await lab.Settled();
    }

    [Fact]
    public async Task A_table_of_somebodys_that_sees_domains_frames_is_a_difference_until_it_is_gone()
    {
        await lab.Ready();
        await Proven();
        WholeHost host = lab.Host("host-1");
        await host.Space.Must("nft", "add", "table", "bridge", "somebodys");
        try
        {
            (int code, JsonElement[] things) = await Run("bank");

            Assert.Equal(1, code);
            JsonElement differing = Assert.Single(
                things, thing => thing.GetProperty("differences").GetArrayLength() > 0);
            Assert.Contains("The table bridge somebodys is in no plan", differing.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            await host.Space.Must("nft", "delete", "table", "bridge", "somebodys");
        }

        await Proven();
        await lab.Settled();
    }

    [Fact]
    public async Task A_program_in_netfilter_is_a_difference_until_it_is_gone()
    {
        await lab.Ready();
        await Proven();
        using (LoadedProgram.InNetfilter())
        {
            (int code, JsonElement[] things) = await Run("bank");

            Assert.Equal(1, code);
            Assert.Contains(things, thing => thing.ToString().Contains(
                "A BPF program is linked into netfilter", StringComparison.Ordinal));
        }

        await Proven();
    }

    /// <summary>What is changed by other tests is repaired first.</summary>
    private Task Proven() => WholeLab.Until(
        async () =>
        {
            (int code, JsonElement[] things) = await Run("alpine");
            return code == 0 ? null : string.Join('\n', things.Where(
                thing => thing.GetProperty("differences").GetArrayLength() > 0).Select(thing => thing.ToString()));
        },
        "all hosts are as planned", Limit);

    private async Task<JsonElement[]> Verified(string reader)
    {
        (int code, JsonElement[] things) = await Run(reader);
        Assert.Equal(0, code);
        return things;
    }

    private async Task<(int Code, JsonElement[] Things)> Run(string reader)
    {
        LabProgramResult result = await Cli.Run(reader, "verify", "--json");
        Assert.True(result.ExitCode is 0 or 1, result.Error);
        return (
            result.ExitCode,
            [.. JsonElement.Parse(result.Output).EnumerateArray()
                .SelectMany(host => host.GetProperty("things").EnumerateArray())]);
    }

    private async Task<JsonElement[]> Drifts(string reader) =>
    [
        .. JsonElement.Parse((await Cli.Run(reader, "verify", "--json")).Output).EnumerateArray()
            .SelectMany(host => host.GetProperty("drifts").EnumerateArray()),
    ];

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";
}
