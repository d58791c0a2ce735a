using System.Text.Json;
using Bailiwick.Tests.Custody;

namespace Bailiwick.Tests.Cli;

/// <summary>A tenant's networks from the command line.</summary>
public sealed class NetworkVerbsTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public NetworkVerbsTests() => SigningScene.CopyExample(Path.Combine(_root.FullName, "old"));

    [Fact]
    public void A_trace_over_a_folder_says_step_by_step_where_a_packet_goes()
    {
        Ending text = Run("bank/web-1", "bank/ledger-1", "tcp/5432");
        Ending json = Run("bank/web-1", "bank/ledger-1", "tcp/5432", "--json");

        Assert.Equal((0, 0, ""), (text.Code, json.Code, json.Error));
        Assert.Contains(
            "Domain bank/web (unsigned) grants it and Domain bank/ledger (unsigned) accepts it.", text.Output,
            StringComparison.Ordinal);
        Assert.True(json.Json.GetProperty("open").GetBoolean());
        JsonElement[] steps = [.. json.Json.GetProperty("steps").EnumerateArray()];
        Assert.Equal(
            ["request 9", "answer 9", "error 2"],
            steps.GroupBy(step => step.GetProperty("way").GetString()).Select(way => $"{way.Key} {way.Count()}"));
        Assert.All(steps, step => Assert.True(step.GetProperty("passes").GetBoolean()));
    }

    [Fact]
    public void A_closed_way_ends_with_the_lines_that_are_missing()
    {
        Ending text = Run("bank/web-1", "bank/ledger-1", "tcp/5433");

        Assert.Equal(1, text.Code);
        Assert.Contains(
            "Domain bank/ledger (unsigned) would need this among its accepts: - {from: bank/web, "
            + "machines: [ledger-1], network: {protocol: tcp, ports: [5433]}}", text.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bank/web-9", "bank/ledger-1", "tcp/5432", "describe no machine bank/web-9")]
    [InlineData("web-1", "bank/ledger-1", "tcp/5432", "describe no machine web-1")]
    [InlineData("bank/web-1", "bank/ledger-1", "tcp", "'tcp' is no service")]
    [InlineData("bank/web-1", "bank/ledger-1", "tcp/5432 ", "is no service")]
    public void What_is_no_machine_or_service_is_said_to_be_none(string from, string to, string service, string why)
    {
        Ending refused = Run(from, to, service);

        Assert.Equal((2, ""), (refused.Code, refused.Output));
        Assert.Contains(why, refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("regulator", 2)]
    [InlineData("bank", 0)]
    public void A_reader_without_a_part_in_it_gets_no_trace(string reader, int code)
    {
        Assert.Equal(code, Run("bank/web-1", "bank/ledger-1", "tcp/5432", "--reader", reader).Code);
    }

    public void Dispose() => _root.Delete(recursive: true);

    private Ending Run(string from, string to, string service, params string[] more) => CommandLine.Run(
        _root.FullName,
        ["network", "trace", from, to, service, "--policies", "old", .. more]);
}
