using System.Text.Json;

namespace Bailiwick.Tests.Cli;

/// <summary>The verbs of policies, on a datacentre that a seed draws.</summary>
public sealed class GeneratedPolicyTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_drawn_datacentre_is_checked_planned_shown_asked_about_and_compared()
    {
        const string Size = "--domains 40 --machines 160 --hosts 8 --flows 10 --seed 7";
        Assert.Equal((0, ""), (Run($"lab generate drawn {Size}") is var made ? made.Code : -1, made.Error));
        Assert.Equal(0, Run($"lab generate again {Size}").Code);
        Assert.Equal("Nothing opens and nothing closes.", Run("policy diff drawn again").Output.Trim());

        Ending check = Run("policy check drawn --json");
        string[] codes = [.. check.Json.EnumerateArray().Select(one => Text(one, "code"))];
        Assert.Equal(1, check.Code);
        Assert.Contains("flow-not-accepted", codes);
        Assert.All(codes, code => Assert.StartsWith("flow-", code, StringComparison.Ordinal));

        JsonElement flow = Run("policy show drawn --json --svg drawn.svg").Json.EnumerateArray()
            .First(one => Text(one, "what").StartsWith("tcp", StringComparison.Ordinal));
        Assert.StartsWith(
            "<svg", File.ReadAllText(Path.Combine(_root.FullName, "drawn.svg")), StringComparison.Ordinal);
        Assert.StartsWith("host-8", Run("policy plan drawn --host host-8").Output, StringComparison.Ordinal);

        string from = Text(flow, "from"), to = Text(flow, "to"), port = Text(flow, "what").Split(' ')[1];
        string why = $"policy why {Machine(from, "senders")} {Machine(to, "receivers")} tcp/{port} --policies ";
        Assert.Contains(": yes\n", Run(why + "drawn").Output, StringComparison.Ordinal);
        DrawnTerms.Withdraw(Path.Combine(_root.FullName, "again"), from, to);
        Assert.Contains(": no\n", Run(why + "again").Output, StringComparison.Ordinal);
        Assert.Contains($"closes   {from} (", Run("policy diff drawn again").Output, StringComparison.Ordinal);

        string Machine(string domain, string side) => $"{domain.Split('/')[0]}/{flow.GetProperty(side)[0]}";
    }

    [Theory]
    [InlineData("--domains 9 --machines 8", "8 are too few for 9 domains")]
    [InlineData("--hosts 0", "1 to 60000 hosts, not 0")]
    [InlineData("--flows 201", "0 to 200 flows, not 201")]
    public void What_no_datacentre_has_is_refused_with_what_it_may_have(string size, string said)
    {
        Ending refused = Run($"lab generate drawn {size}");
        Assert.Equal((2, ""), (refused.Code, refused.Output));
        Assert.Contains(said, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_root.FullName, "drawn")));
    }

    [Fact]
    public void Nothing_is_written_beside_what_is_there()
    {
        Assert.Equal(0, Run("lab generate drawn").Code);
        Ending refused = Run("lab generate drawn");
        Assert.Equal(2, refused.Code);
        Assert.Contains("drawn is not empty", refused.Error, StringComparison.Ordinal);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private Ending Run(string line) => CommandLine.Run(_root.FullName, line.Split(' '));
}
