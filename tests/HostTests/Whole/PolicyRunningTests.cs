using System.Text.Json;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>What is asked of policies is answered by a running datacentre: why, and what a change would do.</summary>
[Collection(WholeCollection.Name)]
public sealed class PolicyRunningTests(WholeLab lab)
{
    private const string Grant = "    - {to: hospital/records, network: {protocol: tcp, ports: [443]}}\n";

    private CommandLine Cli => new(lab.Paths);

    [Theory]
    [InlineData("bank", "bank/web-1 bank/ledger-1 tcp/5432", true)]
    [InlineData("bank", "bank/web-1 bank/ledger-1 tcp/5433", false)]
    [InlineData("alpine", "bank/web-1 bank/ledger-1 tcp/5432", true)]
    [InlineData("bank", "bank/web-1 host-1", true)]
    [InlineData("bank", "bank/web-1 host-2", false)]
    [InlineData("bank", "bank/web-1-data bank/web-1", true)]
    [InlineData("hospital", "bank/web-1 hospital/records-1 tcp/80", false)]
    public async Task Why_is_answered_by_a_host_to_a_tenant_and_from_the_board_to_the_operator(
        string reader, string question, bool yes)
    {
        await lab.Ready();

        LabProgramResult told = await Cli.Run(reader, ["policy", "why", .. question.Split(' '), "--json"]);

        Assert.True(told.ExitCode == (yes ? 0 : 1), told.Error);
        JsonElement answer = JsonElement.Parse(told.Output);
        Assert.Equal(yes, answer.GetProperty("yes").GetBoolean());
        Assert.NotEqual(0, answer.GetProperty("chain").GetArrayLength());
        if (reader == "hospital")
        {
            Assert.DoesNotContain("bank/", told.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_change_that_is_signed_and_not_published_says_what_it_would_do_and_whose_signature_is_missing()
    {
        await lab.Ready();
        string signed = Path.Combine(lab.Paths.Signed, "bank");
        JsonElement before = await Cli.Json("alpine", "policy", "diff", signed);
        Assert.Empty(Lines(before, "signatures"));
        Assert.Equal(0, before.GetProperty("changes").GetArrayLength());
        Assert.Equal(0, before.GetProperty("machines").GetArrayLength());

        string file = Path.Combine(lab.Paths.Policies, "bank", "web.yaml");
        string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        try
        {
            await File.WriteAllTextAsync(
                file, text.Replace("  grants:\n", "  grants:\n" + Grant, StringComparison.Ordinal),
                TestContext.Current.CancellationToken);
            Assert.NotEmpty(lab.Deployment.Desks.Sign("bank", lab.Deployment.LogKey()));

            JsonElement after = await Cli.Json("alpine", "policy", "diff", signed);

            Assert.Contains("opens nothing until the owner of records", Assert.Single(Lines(after, "signatures")),
                StringComparison.Ordinal);
            Assert.DoesNotContain("opens", after.GetProperty("changes").ToString(), StringComparison.Ordinal);
            JsonElement own = await Cli.Json("bank", "policy", "diff", signed);
            Assert.True(own.GetProperty("whole").GetBoolean());
            Assert.Equal(Lines(after, "signatures"), Lines(own, "signatures"));
            Assert.Equal(0, after.GetProperty("machines").GetArrayLength());
        }
        finally
        {
            await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
            lab.Deployment.Desks.Sign("bank", lab.Deployment.LogKey());
            Assert.Equal(0, (await Cli.Run("bank", "policy", "apply", signed)).ExitCode);
        }

        // The folder holds every revision; the older ones, which the board has too, must not be taken for a rollback.
        JsonElement history = await Cli.Json("alpine", "policy", "diff", signed);
        Assert.Equal(0, history.GetProperty("changes").GetArrayLength());
        Assert.Equal(0, (await Cli.Run("bank", "policy", "apply", signed)).ExitCode);
        await lab.Settled();
    }

    [Fact]
    public async Task What_is_published_is_checked_by_a_host_for_a_tenant_and_at_its_desk_for_the_operator()
    {
        await lab.Ready();
        string Said(LabProgramResult told) => JsonElement.Parse(told.Output).ToString();
        string all = Said(await Cli.Run("alpine", "policy", "check", "--at", "2046-01-01T00:00:00Z", "--json"));
        string bank = Said(await Cli.Run("bank", "policy", "check", "--at", "2046-01-01T00:00:00Z", "--json"));

        Assert.Contains("Domain hospital/", all, StringComparison.Ordinal);
        Assert.Contains("Domain bank/web", all, StringComparison.Ordinal);
        Assert.Contains("Domain bank/web", bank, StringComparison.Ordinal);
        Assert.DoesNotContain("hospital", bank, StringComparison.Ordinal);
    }

    private static string[] Lines(JsonElement run, string name) =>
        [.. run.GetProperty(name).EnumerateArray().Select(line => line.GetString() ?? "")];
}
