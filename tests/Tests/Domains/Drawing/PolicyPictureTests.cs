using System.Xml.Linq;
using Bailiwick.Domains.Drawing;
using Bailiwick.Domains.Flows;
using Bailiwick.Tests.Domains.Flows;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Drawing;

/// <summary>A picture says what the matrix says, and names cannot become markup.</summary>
public sealed class PolicyPictureTests
{
    private static readonly XNamespace Space = "http://www.w3.org/2000/svg";

    [Fact]
    public void Each_open_flow_is_in_its_cell_and_each_edge_of_information_is_an_arrow()
    {
        FlowMatrix matrix = FlowMatrix.Of(Datacentre());
        string[] told = Titles(PolicyPicture.Of(Datacentre()));

        Assert.Contains("bank/web to bank/ledger: tcp 5432", told);
        Assert.Contains("bank/ledger to regulator/inspection: volume ledger-archive, read", told);
        Assert.Contains("hospital/records to bank/web: nothing", told);
        Assert.Contains("bank/web to bank/web: everything, inside the domain", told);
        Assert.All(InformationFlow.Of(matrix).Edges, edge => Assert.Contains(edge.Sentence, told));
        // A cell for each ordered pair, an arrow for each edge, and the picture's own title.
        Assert.Equal((4 * 4) + InformationFlow.Of(matrix).Edges.Count() + 1, told.Length);
    }

    [Fact]
    public void A_flow_that_closes_leaves_its_cell_and_its_arrow()
    {
        Example closed = Example.ThreeTenants.With(
            "bank/ledger.yaml", "    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n", "");

        string[] told = Titles(PolicyPicture.Of(Datacentre(closed)));

        Assert.Contains("bank/web to bank/ledger: nothing", told);
        Assert.DoesNotContain(told, title => title.Contains("5432", StringComparison.Ordinal));
    }

    [Fact]
    public void Many_domains_are_drawn_without_words_and_told_at_their_cells()
    {
        var many = new Landscape();
        for (int i = 0; i < 20; i++)
        {
            many.Domain($"tenant{i % 4}/domain{i}");
        }

        many.Network("tenant0/domain0", "tenant1/domain1");

        string picture = PolicyPicture.Of(many.Check().Datacentre);

        Assert.Contains("tenant0/domain0 to tenant1/domain1: tcp 443", Titles(picture));
        Assert.DoesNotContain(
            XElement.Parse(picture).Descendants(Space + "text"), text => text.Value == "tcp 443");
        Assert.Equal((20 * 20) + 2 + 1, Titles(picture).Length);
    }

    [Fact]
    public void An_empty_datacentre_has_an_empty_picture() =>
        Assert.Single(Titles(PolicyPicture.Of(Datacentre(Example.ThreeTenants.Without("")))));

    private static string[] Titles(string picture) =>
        [.. XElement.Parse(picture).Descendants(Space + "title").Select(title => title.Value)];
}
