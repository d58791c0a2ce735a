using System.Text.Json;
using Bailiwick.Tests.Custody;

namespace Bailiwick.Tests.Cli;

/// <summary>Checking, planning and comparing policies from the command line.</summary>
public sealed class PolicyVerbsTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public PolicyVerbsTests() => SigningScene.CopyExample(At("old"));

    [Fact]
    public void The_example_has_no_findings()
    {
        Ending json = Run("policy", "check", "old", "--json"), text = Run("policy", "check", "old");

        Assert.Equal((0, "[]", ""), (json.Code, json.Output.Trim(), json.Error));
        Assert.Equal((0, "No findings."), (text.Code, text.Output.Trim()));
    }

    [Fact]
    public void Lists_every_finding_of_every_tenant_with_its_place()
    {
        Edit("bank/web.yaml", "confidentiality: untrusted-links", "confidentialty: untrusted-links");
        Edit("bank/web.yaml", "cpus: 4", "cpus: 4, cpus: 5");
        Edit("bank/ledger.yaml", "expires: 2036-01-01T00:00:00Z\n", "");
        Edit("bank/ledger.yaml", "machines: 4, ", "machines: -1, ");
        Edit("bank/ledger.yaml", "takeover: 1", "takeover: one");
        Edit("bank/ledger.yaml", "protocol: tcp, ports: [5432]", "protocol: tpc, ports: [5432]");
        Edit("hospital/records.yaml", "ipv4: 10.20.1.12", "ipv4: 10.20.1.11");
        Edit("regulator/inspection.yaml", "bank/ledger", "bank/ledgers");
        Edit("hospital/records.yaml", "{domain: records, ipv4: 10.20.1.11, ipv6: \"fd20:1::11\"}",
            "{domain: bank/web, ipv4: 10.20.1.11, ipv6: \"fd20:1::11\"}");

        Ending json = Run("policy", "check", "old", "--json"), text = Run("policy", "check", "old");

        Assert.Equal((1, 1, ""), (json.Code, text.Code, json.Error));
        var findings = json.Json.EnumerateArray().ToArray();
        var codes = findings.Select(f => f.GetProperty("code").GetString()).ToHashSet();
        string[] expected =
        [
            "unknown-member", "missing-member", "duplicate-member", "missing-expiry", "out-of-range", "wrong-type",
            "unknown-enum-value", "bad-name", "unknown-flow-peer",
        ];
        Assert.True(expected.All(codes.Contains), $"{string.Join(", ", codes)} of {string.Join(", ", expected)}");
        Assert.All(findings, f =>
        {
            Assert.Matches("^(bank|hospital|regulator|alpine)/[a-z]+\\.yaml$", Text(f, "file"));
            Assert.True(f.GetProperty("line").GetInt32() > 0);
            Assert.Matches("^(/.*)?$", Text(f, "pointer"));
            Assert.Matches("^.{10,}[.?]$", Text(f, "sentence"));
            // Each finding is one line for grep, however long.
            Assert.Contains(
                $"{Text(f, "file")}:{f.GetProperty("line")}: {Text(f, "code")}: {Text(f, "sentence")}\n", text.Output,
                StringComparison.Ordinal);
        });
        Assert.EndsWith($"{findings.Length} findings.\n", text.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hospital/records.yaml", "ipv4: 10.20.1.12", "ipv4: 10.20.1.11", "duplicate-address")]
    [InlineData("regulator/inspection.yaml", "to: bank/ledger", "to: bank/ledgers", "unknown-flow-peer")]
    [InlineData("regulator/inspection.yaml", "to: bank/ledger", "to: bonk/ledger", "unknown-party")]
    [InlineData("hospital/records.yaml", "{domain: records, ipv4: 10.20.1.11", "{domain: bank/web, ipv4: 10.20.1.11",
        "bad-name")]
    [InlineData("hospital/records.yaml", "kind: Domain", "kind: Host", "kind-not-of-party")]
    [InlineData("hospital/records.yaml", "kind: Domain", "kind: Domian", "unknown-kind")]
    public void Names_one_fault_by_one_code(string file, string old, string wrong, string code)
    {
        Edit(file, old, wrong);

        Ending json = Run("policy", "check", "old", "--json");

        Assert.Equal(1, json.Code);
        JsonElement[] found = [.. json.Json.EnumerateArray().Where(f => Text(f, "code") == code)];
        Assert.True(found.Length > 0, json.ToString());
        Assert.Contains(found, f => Text(f, "file") == file);
    }

    [Fact]
    public void Asks_for_another_time_and_tells_notes_from_findings()
    {
        Ending soon = Run("policy", "check", "old", "--at", "2035-12-31T00:00:00Z");
        Ending over = Run("policy", "check", "old", "--at", "2036-01-01T00:00:00Z", "--json");
        Ending wrong = Run("policy", "check", "old", "--at", "tomorrow");

        Assert.Equal((0, ""), (soon.Code, soon.Error));
        Assert.Contains("bank/web.yaml:5: note: expires-soon: It ends in 1 day, and then 2 machines", soon.Output,
            StringComparison.Ordinal);
        Assert.EndsWith("No findings, 4 notes.\n", soon.Output, StringComparison.Ordinal);
        Assert.Equal((1, 4), (over.Code, over.Json.GetArrayLength()));
        Assert.All(over.Json.EnumerateArray(), one =>
            Assert.Equal(("expired", false), (Text(one, "code"), one.GetProperty("note").GetBoolean())));
        Assert.Equal(2, wrong.Code);
        Assert.Contains("'tomorrow' is no time like", wrong.Error, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Domains.Policy.HostileYamlTests.Bombs), MemberType = typeof(Domains.Policy.HostileYamlTests))]
    public void Refuses_what_is_made_to_cost_soon_and_by_its_own_code(string what, string text, string code)
    {
        File.WriteAllText(Path.Combine(At("old"), "bank", "bomb.yaml"), text);

        // The kernel ends it after two seconds on the processor, whatever else the machine does.
        Ending json = CommandLine.Start("/bin/sh", _root.FullName, "-c", "ulimit -t 2; exec \"$0\" \"$@\"",
            CommandLine.Executable, "policy", "check", "old", "--json");

        Assert.True(json.Code == 1, $"{what}: {json}");
        Assert.Contains(
            json.Json.EnumerateArray(), f => Text(f, "code") == code && Text(f, "file") == "bank/bomb.yaml");
    }

    [Fact]
    public void Plans_a_host_with_a_reason_on_every_line()
    {
        Ending text = Run("policy", "plan", "old", "--host", "host-1");
        Ending json = Run("policy", "plan", "old", "--host", "host-1", "--json");

        Assert.Equal((0, 0), (text.Code, json.Code));
        Assert.Contains("machine bank/web-1 bank/web-1 is placed on alpine/host-1 and admitted there.", text.Output,
            StringComparison.Ordinal);
        Assert.DoesNotContain("web-2-data", text.Output, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Object, json.Json.ValueKind);
    }

    [Theory]
    [InlineData("host-9")]
    [InlineData("HOST-1")]
    [InlineData("../host-1")]
    [InlineData("")]
    public void An_unknown_host_is_answered_with_the_hosts_there_are(string host)
    {
        Ending refused = Run("policy", "plan", "old", "--host", host, "--json");

        Assert.Equal((2, ""), (refused.Code, refused.Output));
        Assert.Contains("host-1, host-2, host-3", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_directories_differ_in_nothing()
    {
        SigningScene.CopyExample(At("new"));

        Ending same = Run("policy", "diff", "old", "new");

        Assert.Equal((0, "Nothing opens and nothing closes."), (same.Code, same.Output.Trim()));
        Assert.Equal("[]", Run("policy", "diff", "old", "new", "--json").Output.Trim());
    }

    [Fact]
    public void A_removed_acceptance_closes_and_an_added_one_opens()
    {
        SigningScene.CopyExample(At("new"));
        Edit("bank/ledger.yaml",
            "    - {from: regulator/inspection, network: {protocol: tcp, ports: [8443]}}\n", "", "new");

        JsonElement closed = Assert.Single(Run("policy", "diff", "old", "new", "--json").Json.EnumerateArray());
        JsonElement opened = Assert.Single(Run("policy", "diff", "new", "old", "--json").Json.EnumerateArray());

        Assert.Equal(("closes", "opens"), (Text(closed, "effect"), Text(opened, "effect")));
        foreach (string word in new[] { "regulator/inspection", "bank/ledger", "8443" })
        {
            Assert.Contains(word, Text(closed, "sentence"), StringComparison.Ordinal);
            Assert.Contains(word, Text(opened, "sentence"), StringComparison.Ordinal);
        }

        Assert.Contains("1 change.", Run("policy", "diff", "old", "new").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_comparison_says_what_it_had_to_leave_out()
    {
        SigningScene.CopyExample(At("new"));
        Edit("bank/ledger.yaml", "kind: Domain", "kind: Domian", "new");

        Ending partial = Run("policy", "diff", "old", "new", "--json");

        Assert.Equal(1, partial.Code);
        Assert.Contains("`bailiwick policy check new` lists", partial.Error, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Array, partial.Json.ValueKind);
    }

    public void Dispose() => _root.Delete(recursive: true);

    private static string Text(JsonElement finding, string member) => finding.GetProperty(member).GetString() ?? "";

    private Ending Run(params string[] arguments) => CommandLine.Run(_root.FullName, arguments);

    private string At(string name) => Path.Combine(_root.FullName, name);

    private void Edit(string file, string old, string replacement, string directory = "old")
    {
        string path = Path.Combine(At(directory), file);
        string text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
    }
}
