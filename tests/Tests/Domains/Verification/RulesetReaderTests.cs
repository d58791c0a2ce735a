using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Verification;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>Tables are read completely or not at all, from their text and from what the kernel lists.</summary>
public sealed class RulesetReaderTests
{
    /// <summary>A table of each kind, as the example's third host has them.</summary>
    internal static IReadOnlyList<string> Texts { get; } = OfHost(
        Refine.ForHost(Datacentre(), All, Host("host-3"), Now));

    internal static List<string> OfHost(HostPlan plan) =>
    [
        NftTables.ForHost(plan), .. plan.Passages.Select(NftTables.ForPassage),
        .. plan.Domains.SelectMany(domain => new[]
        {
            NftTables.ForDomain(domain), FlowTables.ForDomain(domain), FlowTables.ForGateway(domain),
        }),
        .. plan.Domains.Select(domain => domain.Gateway).OfType<GatewayPlan>().Select(NftTables.ForGateway),
    ];

    [Fact]
    public void Rules_that_differ_in_names_of_sets_alone_read_as_each_reads_by_itself()
    {
        string[] rules =
        [
            "ip saddr @one counter name drops drop", "ip saddr @two counter name drops drop",
            "ip saddr @two counter name others drop", "ip saddr @one iifname . ip saddr @two accept",
            "ip saddr @two iifname . ip saddr @one accept", "ip saddr @two iifname . ip saddr @two accept",
            "iifname . @ll,48,48 . @nh,64,128 @one accept", "iifname . @ll,48,48 . @nh,64,128 @two accept",
            "iifname . @nh,64,128 @two accept", "iifname { \"@one\", \"@three\" } ip saddr @two accept",
            "iifname { \"@two\", \"@three\" } ip saddr @one accept",
            "iifname { \"@two\", \"@three\" } ip saddr @two accept",
            "update @one { ip saddr . meta l4proto counter } return",
            "update @two { ip saddr . meta l4proto counter } return", "ip saddr vmap @one", "ip saddr vmap @two",
        ];

        ImmutableArray<FilterRule> together = Rules(rules);

        Assert.Equal(rules.Length, together.Length);
        Assert.All(rules.Zip(together), one =>
        {
            FilterRule alone = Assert.Single(Rules([one.First]));
            Assert.Equal(RulesetWords.Of(alone), RulesetWords.Of(one.Second));
            Assert.Equal(alone.Text, one.Second.Text);
        });
        Assert.Equal(rules.Length, together.Select(RulesetWords.Of).Distinct().Count());
    }

    private static ImmutableArray<FilterRule> Rules(string[] rules) => Assert.IsType<RulesetReading.Understood>(
        RulesetTextReader.Read("table inet x {\n\tchain y {\n" + string.Concat(rules.Select(rule => $"\t\t{rule}\n"))
            + "\t}\n}\n")).Ruleset.Tables[0].Chains["y"].Rules;

    [Theory]
    [InlineData("both.domain", "services/both.domain.nft")]
    [InlineData("gateway.bank.web", "translated/gateway.bank.web.nft")]
    [InlineData("host", "three-tenants/host-3/host.nft")]
    public void What_a_kernel_listed_reads_as_the_text_that_it_was_given(string listing, string text)
    {
        string listed = File.ReadAllText(VectorFiles.Find($"rulesets/{listing}.json"));

        Assert.Equal(
            RulesetWords.Of(Known(RulesetTextReader.Read(File.ReadAllText(Golden(text))))),
            RulesetWords.Of(Known(RulesetJsonReader.Read(listed))));
    }

    [Theory]
    [InlineData("udp sport 67 counter name rogue drop", "udp sport 68 counter name rogue drop")]
    [InlineData("ether daddr & 01:00:00:00:00:00 == ", "ether daddr & 03:00:00:00:00:00 == ")]
    [InlineData("priority -300; policy accept;", "priority -299; policy accept;")]
    [InlineData("ip6 length 24 iifname", "iifname")]
    [InlineData("oifname . ether daddr != @places", "oifname . ether daddr @places")]
    public void Tables_that_differ_in_anything_do_not_read_the_same(string was, string becomes)
    {
        string text = File.ReadAllText(Golden("three-tenants/host-3/domain.bank.ledger.nft"));
        Assert.Contains(was, text, StringComparison.Ordinal);
        string other = text.Replace(was, becomes, StringComparison.Ordinal);

        IReadOnlyList<string> one = RulesetWords.Of(Known(RulesetTextReader.Read(text)));
        Assert.NotEqual(one, RulesetWords.Of(Known(RulesetTextReader.Read(other))));
        Assert.Equal(one, RulesetWords.Of(Known(RulesetTextReader.Read(text))));
    }

    [Theory]
    [InlineData("ip ttl 3 accept")]
    [InlineData("udp dport 53 log accept")]
    [InlineData("ct state nonsense accept")]
    [InlineData("ip6 nexthdr 43 accept")]
    [InlineData("ip6 nexthdr != tcp accept")]
    [InlineData("iifname { \"a\", \"b\" accept")]
    [InlineData("@th,0,16 53 accept")]
    [InlineData("ether daddr & 55:55:55:55:55:55 == 00:00:00:00:00:00 accept")]
    [InlineData("udp dport 65536 accept")]
    [InlineData("udp dport 9-5 accept")]
    [InlineData("limit rate 5/second burst 5 packets accept")]
    [InlineData("accept }")]
    public void A_rule_that_is_not_known_is_told_with_its_place_and_never_passed_over(string rule)
    {
        string text = File.ReadAllText(Golden("three-tenants/host-3/domain.bank.ledger.nft"));
        string added = text.Replace("\tchain member {\n", $"\tchain member {{\n\t\t{rule}\n", StringComparison.Ordinal);

        var unknown = Assert.IsType<RulesetReading.Unknown>(RulesetTextReader.Read(added));

        Assert.Equal(("table bridge bw_918fdbfacc, chain member", rule), (unknown.Place, unknown.Text));
        Assert.IsType<RulesetReading.Understood>(RulesetTextReader.Read(
            added.Replace(rule, "udp dport 53 accept", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("\"hook\": \"prerouting\"", "\"dev\": \"eth0\", \"hook\": \"prerouting\"")]
    [InlineData("{\"accept\": null}", "{\"log\": null}, {\"accept\": null}")]
    [InlineData("\"op\": \"==\"", "\"op\": \">\"")]
    [InlineData("\"table\": {\"family\"", "\"table\": {\"flags\": [\"dormant\"], \"family\"")]
    [InlineData("\"type\": \"filter\"", "\"type\": \"route\"")]
    public void A_member_of_a_listing_that_is_not_known_makes_all_of_it_unknown(string was, string becomes)
    {
        string listed = File.ReadAllText(VectorFiles.Find("rulesets/both.domain.json"));
        Assert.Contains(was, listed, StringComparison.Ordinal);

        Assert.IsType<RulesetReading.Unknown>(RulesetJsonReader.Read(
            listed.Replace(was, becomes, StringComparison.Ordinal)));
        Assert.IsType<RulesetReading.Understood>(RulesetJsonReader.Read(listed));
    }

    internal static Ruleset Known(RulesetReading reading) =>
        Assert.IsType<RulesetReading.Understood>(reading).Ruleset;

    internal static string Golden(string file) =>
        Path.Combine(VectorFiles.Find(""), "..", "Tests", "Golden", file);
}
