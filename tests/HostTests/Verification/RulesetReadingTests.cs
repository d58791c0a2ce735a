using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Verification;
using Bailiwick.Tests.Domains;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Verification;

/// <summary>What the kernel lists of a table is what the text of the table says.</summary>
public sealed class RulesetReadingTests
{
    public static TheoryData<string> Tables()
    {
        var data = new TheoryData<string>();
        foreach (string table in Texts().Keys)
        {
            data.Add(table);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public void What_the_kernel_lists_of_a_table_reads_as_its_text(string table)
    {
        string text = Texts()[table];
        string listed = Listed(text);

        Assert.Equal(RulesetWords.Of(Known(RulesetTextReader.Read(text))),
            RulesetWords.Of(Known(RulesetJsonReader.Read(listed))));
    }

    [Theory]
    [InlineData("ether type 0x88cc accept", true)]
    [InlineData("udp dport 53 counter accept", true)]
    [InlineData("numgen inc mod 2 0 accept", false)]
    [InlineData("meta mark 7 accept", false)]
    [InlineData("ip ttl 3 accept", false)]
    public void A_rule_that_somebody_added_makes_it_another_table_or_one_that_is_not_understood(
        string rule, bool isUnderstood)
    {
        string text = Texts().First(table => table.Key.Contains("domain", StringComparison.Ordinal)).Value;
        string table = text.Split('\n')[0].Replace("table ", "", StringComparison.Ordinal);
        var reading = RulesetJsonReader.Read(Listed($"{text}insert rule {table} forward {rule}\n"));

        Assert.Equal(isUnderstood, reading is RulesetReading.Understood);
        if (reading is RulesetReading.Understood known)
        {
            Assert.NotEqual(
                RulesetWords.Of(Known(RulesetTextReader.Read(text))), RulesetWords.Of(known.Ruleset));
        }
        else
        {
            Assert.Contains("chain forward", Assert.IsType<RulesetReading.Unknown>(reading).Sentence,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_the_kernel_has_of_a_host_is_proven_and_a_rule_that_somebody_added_is_told_by_what_it_opens()
    {
        CheckedDatacentre datacentre = Datacentre();
        HostPlan[] plans = [.. Enumerable.Range(1, 3).Select(number => Refine.ForHost(
            datacentre, All, ExamplePlacements.Host($"host-{number}"), Now))];
        HostPlan plan = plans[2];
        string own = string.Concat(plan.Domains.Select(NftTables.ForDomain)
            .Concat(plan.Domains.Select(FlowTables.ForDomain)).Concat(plan.Passages.Select(NftTables.ForPassage))
            .Append(NftTables.ForHost(plan)));
        var gateways = plan.Domains.Where(domain => domain.Gateway is not null).ToImmutableSortedDictionary(
            domain => domain.Gateway?.Namespace ?? "",
            domain => RulesetJsonReader.Read(Listed(
                (domain.Gateway is { } gateway ? NftTables.ForGateway(gateway) : "")
                + FlowTables.ForGateway(domain))));
        string table = plan.Domains[0].Network.Table;

        Assert.IsType<RefinementVerdict.Proven>(Verdict(own));
        var refuted = Assert.IsType<RefinementVerdict.Refuted>(
            Verdict($"{own}insert rule bridge {table} from_machine udp dport 53 accept\n"));

        Assert.Contains(refuted.Examples, one => one.Difference == Difference.PassesThoughClosed
            && one.Sentence.Contains("destination port 53", StringComparison.Ordinal)
            && one.Rule.Contains($"{table}, chain from_machine", StringComparison.Ordinal));

        RefinementVerdict Verdict(string text) => RefinementProof.OfHost(
            plan.Host, plans, datacentre,
            _ => new HostRulesets(RulesetJsonReader.Read(Listed(text)), gateways));
    }

    private static Ruleset Known(RulesetReading reading) => reading switch
    {
        RulesetReading.Understood known => known.Ruleset,
        RulesetReading.Unknown unknown => throw new InvalidOperationException(unknown.Sentence),
        _ => throw new UnreachableException(),
    };

    /// <summary>Each kind of table that plans are rendered to, in their different shapes.</summary>
    private static Dictionary<string, string> Texts()
    {
        var texts = new Dictionary<string, string>();
        foreach (string file in Directory.EnumerateFiles(Golden(), "*.nft", SearchOption.AllDirectories))
        {
            texts[Path.GetRelativePath(Golden(), file)] = File.ReadAllText(file);
        }

        foreach (DomainPlan plan in Refine.ForHost(Datacentre(), All, ExamplePlacements.Host("host-3"), Now).Domains)
        {
            texts[$"counting {plan.DisplayName}"] = FlowTables.ForDomain(plan);
            texts[$"counting gateway {plan.DisplayName}"] = FlowTables.ForGateway(plan);
        }

        return texts;
    }

    private static string Golden()
    {
        string directory = AppContext.BaseDirectory;
        while (!Directory.Exists(Path.Combine(directory, "tests", "Tests", "Golden")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("tests/Tests/Golden");
        }

        return Path.Combine(directory, "tests", "Tests", "Golden");
    }

    private static string Listed(string text)
    {
        var start = new ProcessStartInfo(
            "unshare", ["-n", "sh", "-c", "nft -f - && nft -j list ruleset"])
        {
            RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("unshare");
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(text);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output;
    }
}
