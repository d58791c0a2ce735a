using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using FsCheck;
using FsCheck.Fluent;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>What two owners agree on informs whoever they agree with on more: the closure, and its witnesses.</summary>
public sealed class InformationFlowTests
{
    [Fact]
    public void A_connection_a_written_volume_and_a_device_inform_both_ways_and_a_read_volume_its_borrower_alone()
    {
        var flow = Of(new Landscape().Domain("bank/web").Domain("acme/hub").Domain("acme/log").Domain("acme/far")
            .Domain("rival/vault").Domain("rival/alone")
            .Network("bank/web", "acme/hub").Volume("acme/hub", "rival/vault").Device("acme/log", "rival/vault")
            .Volume("acme/far", "acme/hub", "write").Unmet("rival/vault", "rival/alone"));

        Assert.True(flow.Reaches(Domain("bank/web"), Domain("rival/vault")));
        Assert.True(flow.Reaches(Domain("bank/web"), Domain("acme/log")));
        Assert.True(flow.Reaches(Domain("acme/far"), Domain("bank/web")));
        Assert.True(flow.Reaches(Domain("bank/web"), Domain("acme/far")));
        Assert.False(flow.Reaches(Domain("rival/vault"), Domain("acme/hub")));
        Assert.True(flow.Reaches(Domain("rival/vault"), Domain("acme/log")));
        Assert.False(flow.Reaches(Domain("rival/vault"), Domain("rival/alone")));
        Assert.True(flow.Reaches(Domain("rival/alone"), Domain("rival/alone")));
        Assert.False(flow.Reaches(Domain("rival/alone"), Domain("no/body")));
    }

    [Fact]
    public void A_witness_names_each_step_with_the_term_that_makes_it()
    {
        var flow = Of(new Landscape().Domain("bank/web").Domain("bank/log").Domain("acme/hub").Domain("rival/vault")
            .Network("bank/log", "bank/web", 80).Machine("both", "bank/web", "bank/log")
            .Network("bank/web", "acme/hub").Volume("acme/hub", "rival/vault").Device("rival/vault", "acme/hub"));

        Assert.Equal(
            [
                "bank/log grants tcp/80 to bank/web (grants[0])",
                "bank/web grants tcp/443 to acme/hub (grants[0])",
                "acme/hub lends volume hub-data (read) to rival/vault (grants[0])",
            ],
            flow.Path(Domain("bank/log"), Domain("rival/vault")).Select(edge => edge.Sentence));
        Assert.Equal(
            [
                "rival/vault lends devices (probe) to acme/hub (grants[0])",
                "acme/hub answers tcp/443 of bank/web (accepts[0])",
                "bank/web answers tcp/80 of bank/log (accepts[0])",
            ],
            flow.Path(Domain("rival/vault"), Domain("bank/log")).Select(edge => edge.Sentence));
        Assert.Empty(flow.Path(Domain("bank/log"), Domain("bank/log")));
    }

    [Fact]
    public void A_machine_in_two_domains_joins_them()
    {
        var datacentre = new Landscape().Domain("bank/web").Domain("bank/log").Network("bank/web", "bank/log")
            .Machine("both", "bank/web", "bank/log").Check().Datacentre;

        // Its domains have a connection too, or there were no such machine; without that it is the machine that tells.
        var edges = InformationFlow.Of(datacentre, []).Edges.ToArray();
        Assert.Equal(
            [
                "the machine both is in bank/log and in bank/web (nics)",
                "the machine both is in bank/web and in bank/log (nics)",
            ],
            edges.Select(edge => edge.Sentence).Order(StringComparer.Ordinal));
        Assert.All(edges, edge => Assert.Equal("Compartment bank/both (unsigned)", edge.Origin.ToString()));
    }

    [Fact]
    public void Reaches_exactly_what_a_naive_search_reaches_by_ways_that_hold_and_are_as_short()
    {
        int reached = 0, not = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var land = Landscape.Random(seed);
            var flow = Of(land);
            foreach (string from in land.Domains)
            {
                foreach (string to in land.Domains.Where(to => to != from))
                {
                    int? shortest = Naive(land.Stated, from, to, []);
                    Assert.Equal(shortest is not null, flow.Reaches(Domain(from), Domain(to)));
                    var path = flow.Path(Domain(from), Domain(to));
                    Assert.Equal(shortest ?? 0, path.Length);
                    Follow(land, from, to, path);
                    (reached, not) = shortest is null ? (reached, not + 1) : (reached + 1, not);
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
        Assert.True(reached > 100 && not > 100, $"{reached} reached, {not} not");
    }

    [Fact]
    public void The_order_of_the_documents_changes_no_way()
    {
        var land = Landscape.Random(7);
        var documents = land.Read().Documents.ToArray();
        Prop.ForAll(Gen.Shuffle(documents).ToArbitrary(), order =>
            Text(InformationFlow.Of(FlowMatrix.Of(PolicyCheck.Run(order).Datacentre))) == Text(Of(land)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(20));
        Assert.NotEmpty(Text(Of(land)));
    }

    private static InformationFlow Of(Landscape land) => InformationFlow.Of(FlowMatrix.Of(land.Check().Datacentre));

    private static string Text(InformationFlow flow) => string.Join(
        '\n', from one in flow.Domains from other in flow.Domains
              from edge in flow.Path(one.Ref, other.Ref) select edge.Sentence);

    private static void Follow(Landscape land, string from, string to, IReadOnlyList<InformationEdge> path)
    {
        string at = from;
        foreach (var edge in path)
        {
            Assert.Equal(at, FlowMatrix.Display(edge.From));
            Assert.Contains((at, FlowMatrix.Display(edge.To)), land.Stated);
            at = FlowMatrix.Display(edge.To);
        }

        Assert.Equal(path.Count > 0 ? to : from, at);
    }

    /// <summary>The length of a shortest way, by trying all: by depth, over a list of edges.</summary>
    private static int? Naive(HashSet<(string From, string To)> edges, string from, string to, List<string> behind) =>
        from == to ? 0 : edges.Where(edge => edge.From == from && !behind.Contains(edge.To) && edge.To != from)
            .Select(edge => Naive(edges, edge.To, to, [.. behind, from]) + 1).Min();
}
