using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>
/// One file per mistake in <c>tests/Vectors/policies</c>; its first line names every code that it must give and no
/// other. Those that expect nothing are the positive controls of the others.
/// </summary>
public sealed class MalformedPolicyTests
{
    public static TheoryData<string> Vectors =>
        [.. VectorFiles.In("policies", "*.yaml").Select(path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Finds_exactly_what_is_wrong(string vector)
    {
        var bytes = File.ReadAllBytes(VectorFiles.Find(Path.Combine("policies", vector)));
        var expected = File.ReadLines(VectorFiles.Find(Path.Combine("policies",
            vector))).First()["# expect: ".Length..];

        var result = PolicyCheck.Run(PolicyDocuments.ReadYaml(
            [($"bank/{vector}", bytes)], PartyNames.Unsigned(["bank"])));

        var codes = result.Findings.Select(finding =>
            WireText.Of(finding.Code)).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(
            expected == "nothing" ? "" : string.Join(' ', expected.Split(' ').Order(StringComparer.Ordinal)),
            string.Join(' ', codes));
        Assert.All(result.Findings, finding =>
        {
            Assert.Equal($"bank/{vector}", finding.File);
            Assert.InRange(finding.Line, 1, bytes.Length);
            Assert.InRange(finding.Sentence.Length, 10, 600);
            Assert.DoesNotContain(finding.Sentence + finding.Pointer, char.IsControl);
        });
    }

    [Fact]
    public void Negative_vectors_outnumber_positive_ones()
    {
        var fine = VectorFiles.In("policies", "fine-*.yaml").Count;

        Assert.InRange(fine, 3, VectorFiles.In("policies", "*.yaml").Count / 4);
    }

    [Fact]
    public void Reports_every_problem_of_a_document_at_once_with_its_line()
    {
        const string Text = """
            kind: Volume
            name: data
            domian: web
            sizeMiB: 0
            wipe: shred
            """;

        var findings = PolicyCheck.Run(PolicyDocuments.ReadYaml(
            [("bank/data.yaml", System.Text.Encoding.UTF8.GetBytes(Text))], PartyNames.Unsigned(["bank"]))).Findings;

        Assert.Equal(
            [
                (FindingCode.MissingMember, 1, "/domain"), (FindingCode.UnknownMember, 3, "/domian"),
                (FindingCode.OutOfRange, 4, "/sizeMiB"), (FindingCode.UnknownEnumValue, 5, "/wipe"),
            ],
            findings.Select(finding =>
                (finding.Code, finding.Line, finding.Pointer is "" ? "/domain" : finding.Pointer)));
        Assert.Contains("did you mean domain?", findings[1].Sentence, StringComparison.Ordinal);
        Assert.Contains("crypto-erase, overwrite", findings[3].Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("yes", "'yes' is read differently")]
    [InlineData("overwrit", "did you mean overwrite?")]
    [InlineData("Crypto-Erase", "did you mean crypto-erase?")]
    [InlineData("true", "/wipe")]
    [InlineData("", "/wipe")]
    public void A_way_to_wipe_that_nobody_knows_is_named_with_its_place_and_the_nearest_word(string word, string said)
    {
        string text = $"kind: Volume\nname: data\ndomain: web\nsizeMiB: 16\nwipe: {word}\n";
        PolicyCheckResult report = PolicyCheck.Run(PolicyDocuments.ReadYaml(
            [("bank/data.yaml", System.Text.Encoding.UTF8.GetBytes(text))], PartyNames.Unsigned(["bank"])));
        Finding finding = report.Findings.First(one => one.Pointer == "/wipe");
        Assert.Equal(("bank/data.yaml", 5), (finding.File, finding.Line));
        Assert.Contains(said, $"{finding.Sentence} {finding.Pointer}", StringComparison.Ordinal);
        Assert.Empty(report.Datacentre.Machinery.Volumes);
    }

    [Theory]
    [InlineData("tenant.yaml", FindingCode.BadPath)]
    [InlineData("../tenant.yaml", FindingCode.BadPath)]
    [InlineData("bank/../tenant.yaml", FindingCode.BadPath)]
    [InlineData("bank/-x.yaml", FindingCode.BadPath)]
    [InlineData("bank/.x.yaml", FindingCode.BadPath)]
    [InlineData("bank/a\n.yaml", FindingCode.BadPath)]
    [InlineData("a\0/bank/a.yaml", FindingCode.BadPath)]
    [InlineData("bank/$(id).yaml", FindingCode.BadPath)]
    [InlineData("Bank/a.yaml", FindingCode.BadPath)]
    [InlineData("bank/a.json", FindingCode.BadPath)]
    [InlineData("bnak/a.yaml", FindingCode.UnknownParty)]
    public void Refuses_a_file_that_lies_elsewhere(string path, FindingCode code)
    {
        var text = System.Text.Encoding.UTF8.GetBytes("kind: Tenant\nname: bank\nlegalName: Example Bank plc\n");
        var names = PartyNames.Unsigned(["bank"]);

        Assert.Equal(code, Assert.Single(PolicyDocuments.ReadYaml([(path, text)], names).Findings).Code);
        Assert.Empty(PolicyDocuments.ReadYaml([("bank/tenant.yaml", text)], names).Findings);
    }
}
