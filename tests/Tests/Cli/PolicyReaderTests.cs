using Bailiwick.Tests.Domains.Flows;

namespace Bailiwick.Tests.Cli;

/// <summary>What <c>policy check --reader</c> tells a party of a directory with everybody's policies.</summary>
public sealed class PolicyReaderTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public PolicyReaderTests()
    {
        var land = new Landscape().Domain("bank/web", information: "{notTo: [rival/vault]}").Domain("acme/hub")
            .Domain("rival/vault").Network("bank/web", "acme/hub").Volume("acme/hub", "rival/vault");
        foreach (var (file, text) in land.Files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_root.FullName, "all", file)) ?? "");
            File.WriteAllText(Path.Combine(_root.FullName, "all", file), text);
        }
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_reader_is_told_the_way_without_a_strangers_name_in_text_and_in_json()
    {
        Ending whole = Check(), text = Check("--reader", "bank"), json = Check("--reader", "bank", "--json");

        Assert.Equal((1, 1, 1), (whole.Code, text.Code, json.Code));
        Assert.Contains("lends volume hub-data (read) to rival/vault", whole.Output, StringComparison.Ordinal);
        Assert.All(new[] { text, json }, one =>
        {
            Assert.Contains("acme/hub informs a domain of another tenant", one.Output, StringComparison.Ordinal);
            Assert.Contains("bank/web.yaml", one.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("rival", one.Output + one.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("vault", one.Output + one.Error, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Who_has_no_part_in_it_is_told_nothing_and_who_is_nobody_is_refused()
    {
        Ending rival = Check("--reader", "rival"), nobody = Check("--reader", "nobody");

        Assert.Equal((0, "No findings."), (rival.Code, rival.Output.Trim()));
        Assert.Equal((2, ""), (nobody.Code, nobody.Output));
        Assert.Contains("There is no party 'nobody'", nobody.Error, StringComparison.Ordinal);
    }

    private Ending Check(params string[] more) => CommandLine.Start(
        CommandLine.Executable, _root.FullName,
        ["policy", "check", "all", "--at", "2026-11-21T00:00:00Z", .. more]);
}
