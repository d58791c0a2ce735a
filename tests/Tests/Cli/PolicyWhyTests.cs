using Bailiwick.Tests.Custody;

namespace Bailiwick.Tests.Cli;

/// <summary>Why, from the command line, over a folder of policies.</summary>
public sealed class PolicyWhyTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public PolicyWhyTests() => SigningScene.CopyExample(Path.Combine(_root.FullName, "old"));

    [Theory]
    [InlineData("bank/web-1 bank/ledger-1 tcp/5432", 0, "bank/ledger accepts (/flows/accepts/0)")]
    [InlineData("bank/web-1 bank/ledger-1 tcp/5433", 1, "would need this among its grants")]
    [InlineData("bank/ledger-archive regulator/inspector-1", 0, "bank/ledger grants (/flows/grants/0)")]
    [InlineData("bank/web-1-data regulator/inspector-1", 1, "would need this among its disks")]
    [InlineData("bank/web-1 host-1", 0, "Datacentre alpine/alpine")]
    [InlineData("bank/web-1 host-2", 1, "may run on host-1, not on alpine/host-2")]
    public void Each_question_has_its_chain_in_words_and_for_programs(string question, int code, string said)
    {
        Ending text = Run(question), json = Run(question, "--json");

        Assert.Equal((code, code, "", ""), (text.Code, json.Code, text.Error, json.Error));
        Assert.Contains(said, text.Output, StringComparison.Ordinal);
        Assert.Equal(code == 0, json.Json.GetProperty("yes").GetBoolean());
        Assert.Equal(
            code == 0,
            json.Json.GetProperty("chain").EnumerateArray().All(link => link.GetProperty("holds").GetBoolean()));
    }

    [Theory]
    [InlineData("bank/web-9 bank/ledger-1 tcp/5432", "describe no machine, volume or host bank/web-9")]
    [InlineData("bank/web-1 bank/ledger-1 tcp", "'tcp' is no service")]
    [InlineData("bank/web-1 host-1 tcp/5432", "A host is no end of a flow")]
    [InlineData("bank/web-1 bank/ledger-1 tcp/5432 --reader regulator", "Nothing in it is regulator's")]
    [InlineData("bank/web-1 bank/ledger-1 tcp/5432 --reader nobody", "No party is called nobody")]
    public void What_is_no_question_is_said_to_be_none(string question, string why)
    {
        Ending refused = Run(question);

        Assert.Equal((2, ""), (refused.Code, refused.Output));
        Assert.Contains(why, refused.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _root.Delete(recursive: true);

    private Ending Run(string question, params string[] more) => CommandLine.Run(
        _root.FullName, ["policy", "why", .. question.Split(' '), "--policies", "old", .. more]);
}
