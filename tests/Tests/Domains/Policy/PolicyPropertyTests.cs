using System.Text;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using FsCheck;
using FsCheck.Fluent;

namespace Bailiwick.Tests.Domains.Policy;

public sealed class PolicyPropertyTests
{
    private static readonly string[] Spoils =
    [
        "", "x", "'", "\"", "[", "]", "{", "}", ":", "- ", "\n", "\n---\n", "&a", "*a", "!!x ", "<<: ", "0", "-1",
            "1e9", "~",
        "#", "|", ">", "%", "@", "`", "\t", "é", "\u202e", "../", "$(id)", "<x>", "null", "true", "yes", "web-1",
            "bank",
    ];

    [Fact]
    public void The_order_of_documents_changes_nothing()
    {
        var example = Example.ThreeTenants
            .With("bank/ledger.yaml", "ipv4: 10.20.2.12", "ipv4: 10.20.2.11")
            .With("bank/web.yaml", "machines: [front]", "machines: [frnt]")
            .With("regulator/inspection.yaml", "quota: {machines: 4", "quota: {machines: 0")
            .Plus("alpine/hosts.yaml",
                "kind: Host\nname: host-4\njurisdiction: CH\nassurance: tpm\nunderlay: {ipv4: 10.99.0.13}\ncapacity: "
                + "{cpus: 8, memoryMiB: 1024}");
        var documents = example.Read().Documents.ToArray();
        var expected = Text(PolicyCheck.Run(documents));

        Prop.ForAll(
            Gen.Shuffle(documents).ToArbitrary(),
            (PolicyDocument[] order) => Text(PolicyCheck.Run(order)) == expected).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_single_mutation_of_the_example_throws_or_passes_unnoticed_into_another_tenants_policies()
    {
        var names = PartyNames.UnsignedOfPaths(Example.ThreeTenants.Files.Keys);
        var mutations =
            from file in Gen.Elements(Example.ThreeTenants.Files.Keys.ToArray())
            let text = Example.ThreeTenants.Files[file]
            from at in Gen.Choose(0, text.Length - 1)
            from cut in Gen.Choose(0, Math.Min(12, text.Length - at))
            from spoil in Gen.Elements(Spoils)
            select (file, text: string.Concat(text.AsSpan(0, at), spoil, text.AsSpan(at + cut)));

        Prop.ForAll(mutations.ToArbitrary(), mutation =>
        {
            var result = Example.ThreeTenants.WithFile(mutation.file, mutation.text).Check();
            FlowMatrix.Of(result.Datacentre);
            PolicyDiff.Describe(Clean, result.Datacentre);
            return mutation.file.StartsWith("hospital/", StringComparison.Ordinal)
                || mutation.file.StartsWith("alpine/", StringComparison.Ordinal)
                || result.Datacentre.Domains.ContainsKey($"{names.Find("hospital")}/records");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    private static CheckedDatacentre Clean { get; } = Example.ThreeTenants.Check().Datacentre;

    private static string Text(PolicyCheckResult result)
    {
        var text = new StringBuilder().AppendJoin('\n', result.Findings);
        text.AppendJoin('\n', result.Datacentre.Domains.Keys);
        text.AppendJoin('\n', result.Datacentre.Machinery.Compartments.Keys);
        text.AppendJoin('\n', result.Datacentre.Inventory.Hosts.Keys);
        text.AppendJoin('\n', FlowMatrix.Of(result.Datacentre).Open.Select(flow =>
            $"{flow.From} {flow.To} {string.Join(',', flow.Senders)} {string.Join(',', flow.Receivers)}"));
        return text.ToString();
    }
}
