using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.Policy;
using FsCheck;
using FsCheck.Fluent;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>A tenant is told of its own and its consenting peers' domains, and of nobody else's.</summary>
public sealed class TenantFindingsTests
{
    private static string[] Strangers { get; } = ["rival/vault", "rival/valt", "rival/broken"];

    [Fact]
    public void Over_random_policies_no_reader_is_told_a_strangers_name_and_all_are_told_their_own_and_their_peers()
    {
        int own = 0, peers = 0, kept = 0, ways = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var land = Spoiled(seed);
            var all = All(land);
            foreach (string reader in land.Domains.Select(Tenant).Distinct())
            {
                string[] seen = [.. land.Domains.Where(one => Tenant(one) == reader || land.Domains.Any(mine =>
                    Tenant(mine) == reader
                    && (land.Stated.Contains((mine, one)) || land.Stated.Contains((one, mine)))))];
                string text = string.Join('\n', For(land, all, reader).Select(one => $"{one}"));
                Assert.All(land.Domains.Except(seen), stranger => Assert.DoesNotMatch(Words(stranger), text));
                Assert.All(
                    land.Domains.Select(Tenant).Except(seen.Select(Tenant)),
                    tenant => Assert.DoesNotMatch($@"(?<![\w-]){tenant}(?![\w-])", text));
                own += seen.Count(one => Tenant(one) == reader && Regex.IsMatch(text, Words(one)));
                peers += seen.Count(one => Tenant(one) != reader && Regex.IsMatch(text, Words(one)));
                ways += Regex.Count(text, "a domain of another tenant");
                string whole = string.Join('\n', all.Select(one => $"{one}"));
                kept += land.Domains.Except(seen).Count(one => Regex.IsMatch(whole, Words(one)));
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(100));
        Assert.True(own > 100 && peers > 30 && kept > 100 && ways > 5, $"{own} {peers} {kept} {ways}");
    }

    [Fact]
    public void Whether_a_stranger_is_there_or_refuses_reads_the_same()
    {
        string[] told = [.. Strangers.Select(to => Sole(Base()
            .Unmet("bank/web", to)))];
        Assert.Equal(
            "flow-not-accepted /flows/grants/0 bank/web grants this, and nothing that you may know accepts it, so it "
            + "is closed.", Assert.Single(told.Distinct()));

        string[] lent = [.. Strangers.Select(domain => Sole(Base().Disk("bank/web", $"{domain}-data")))];
        Assert.StartsWith(
            "volume-flow-closed /disks/0 No open flow lends this volume", Assert.Single(lent.Distinct()),
            StringComparison.Ordinal);

        Assert.Equal(
            [
                "information-reaches /information/notTo/0 Information of bank/web would come to a domain of another "
                + "tenant: bank/web grants tcp/443 to acme/hub (grants[0]); acme/hub informs a domain of another "
                + "tenant. So grants[0] opens nothing. Withdraw it, or name acme/hub among information.keepers, if it "
                + "keeps to itself what it learns.",
                "", "",
            ],
            Strangers.Select(to => Sole(Base()
                .Demand("bank/web", $"{{notTo: [{to}]}}").Network("bank/web", "acme/hub"))));

        static Landscape Base() => new Landscape().Domain("bank/web").Domain("acme/hub").Domain("rival/vault")
            .Domain("rival/broken", owner: "Nowhere")
            .Volume("acme/hub", "rival/vault").Volume("rival/vault", "acme/hub");

        static string Sole(Landscape land) => string.Join('\n', For(land, All(land), "bank").Select(one =>
            $"{WireText.Of(one.Code)} {one.Pointer} {one.Sentence}"));
    }

    [Fact]
    public void A_peers_findings_are_told_only_where_they_name_nobody_else()
    {
        var land = new Landscape().Domain("bank/web").Domain("acme/hub").Domain("rival/vault")
            .Network("bank/web", "acme/hub").Unmet("acme/hub", "bank/web").Unmet("acme/hub", "rival/vault");
        var all = All(land);

        Assert.Equal(["/flows/grants/0"], For(land, all, "bank").Select(one => one.Pointer));
        Assert.Equal(["/flows/grants/0", "/flows/grants/1"], For(land, all, "acme").Select(one => one.Pointer));
        Assert.Empty(For(land, all, "rival"));
    }

    private static Landscape Spoiled(int seed)
    {
        var land = Landscape.Random(seed);
        var random = new Random(seed);
        _ = InformationPropertyTests.Wish.Draw(land, random);
        string[] domains = [.. land.Domains];
        foreach (string domain in domains.Where(_ => random.Next(2) == 0))
        {
            string other = domains[random.Next(domains.Length)];
            _ = random.Next(3) switch
            {
                0 => land.Unmet(domain, $"{other}x"),
                1 => land.Disk(domain, $"{other}-data"),
                _ => land.Unmet(domain, $"{Tenant(other)}x/d0"),
            };
        }

        return land;
    }

    private static ImmutableArray<Finding> All(Landscape land)
    {
        var reading = land.Read();
        var result = PolicyCheck.Run(reading);
        return [.. result.Findings, .. PolicyConsequences.Of(reading.Documents, result.Datacentre, Now)];
    }

    private static ImmutableArray<Finding> For(Landscape land, ImmutableArray<Finding> all, string reader) =>
        TenantFindings.For(
            all, land.Read().Documents, land.Check().Datacentre,
            PartyNames.UnsignedOfPaths(land.Files.Select(file => file.Key)),
            Bailiwick.Ledger.Statements.PartyId.Unsigned(reader));

    private static string Tenant(string domain) => domain.Split('/')[0];

    /// <summary>The domain, its machines, its volumes and its file.</summary>
    private static string Words(string domain) => $@"(?<![\w-]){domain.Split('/')[1]}(-1|-data|-disk\d+)?(?![\w-])";
}
