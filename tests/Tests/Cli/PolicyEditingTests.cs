using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Tests.Custody;

namespace Bailiwick.Tests.Cli;

/// <summary>What helps whoever writes policies: schemas, findings while one writes, findings for code review.</summary>
public sealed class PolicyEditingTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public PolicyEditingTests() => SigningScene.CopyExample(Path.Combine(_root.FullName, "old"));

    [Fact]
    public void A_schema_is_printed_of_each_kind_and_of_all()
    {
        Ending all = Run("policy", "schema"), one = Run("policy", "schema", "Domain");
        Ending none = Run("policy", "schema", "KeyChange");

        Assert.Equal(8, all.Json.GetProperty("definitions").EnumerateObject().Count());
        Assert.True(one.Json.GetProperty("properties").TryGetProperty("legalOwner", out _));
        Assert.Equal((2, ""), (none.Code, none.Output));
        Assert.Contains("Nobody writes documents of the kind KeyChange", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Findings_are_results_at_their_places_for_code_review()
    {
        Ending clean = Run("policy", "check", "old", "--sarif");
        Assert.Equal((0, ""), (clean.Code, clean.Error));
        Assert.Equal("2.1.0", clean.Json.GetProperty("version").GetString());
        Assert.Equal(0, Results(clean).GetArrayLength());

        Edit("confidentiality: untrusted-links", "confidentialty: untrusted-links");
        Ending faulty = Run("policy", "check", "old", "--sarif"), plain = Run("policy", "check", "old", "--json");

        Assert.Equal(1, faulty.Code);
        JsonElement[] results = [.. Results(faulty).EnumerateArray()];
        Assert.Equal(
            plain.Json.EnumerateArray().Select(finding =>
                $"{Text(finding, "code")} old/{Text(finding, "file")} {finding.GetProperty("line")} "
                + Text(finding, "sentence")),
            results.Select(result =>
            {
                JsonElement place = result.GetProperty("locations")[0].GetProperty("physicalLocation");
                return $"{Text(result, "ruleId")} {Text(place.GetProperty("artifactLocation"), "uri")} "
                    + $"{place.GetProperty("region").GetProperty("startLine")} "
                    + Text(result.GetProperty("message"), "text");
            }));
        Assert.Equal(2, Run("policy", "check", "old", "--sarif", "--json").Code);
    }

    [Fact]
    public async Task Findings_come_and_go_while_somebody_writes()
    {
        using Process watching = CommandLine.Begin(
            CommandLine.Executable, _root.FullName, "policy", "check", "old", "--watch", "--json");
        try
        {
            Assert.Equal(0, await Next(watching));
            Edit("confidentiality: untrusted-links", "confidentialty: untrusted-links");
            Assert.NotEqual(0, await Next(watching));
            Edit("confidentialty: untrusted-links", "confidentiality: untrusted-links");
            Assert.Equal(0, await Next(watching));
        }
        finally
        {
            watching.Kill(entireProcessTree: true);
            await watching.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    public void Dispose() => _root.Delete(recursive: true);

    private static async Task<int> Next(Process watching)
    {
        string line = await watching.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask()
            .WaitAsync(Patience, TestContext.Current.CancellationToken)
            ?? throw new InvalidOperationException("it stopped watching");
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetArrayLength();
    }

    private static JsonElement Results(Ending ending) => ending.Json.GetProperty("runs")[0].GetProperty("results");

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";

    private void Edit(string old, string changed)
    {
        string path = Path.Combine(_root.FullName, "old", "bank", "web.yaml"), text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        // As an editor does: the new file takes the old one's name whole.
        File.WriteAllText(path + ".new", text.Replace(old, changed, StringComparison.Ordinal));
        File.Move(path + ".new", path, overwrite: true);
    }

    private Ending Run(params string[] arguments) => CommandLine.Run(_root.FullName, arguments);
}
