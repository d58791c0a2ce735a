using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

public sealed class UplinkTests
{
    private const string Web = "bank/web.yaml";
    private const string Records = "hospital/records.yaml";
    private const string Hosts = "alpine/hosts.yaml";

    [Fact]
    public void A_domain_has_its_part_of_the_uplink_with_all_of_its_networks()
    {
        var plan = Plan(With(100, web: "{reserveMbit: 60, limitMbit: 80}"));
        var part = Assert.Single(plan.Uplink?.Parts ?? []);
        Assert.Equal((60, 80), (part.ReserveMbit, part.LimitMbit));
        var network = plan.Domains.Single(one => one.Domain == part.Domain).Network;
        var passage = Assert.Single(plan.Passages).Network;
        Assert.Equal([.. new[] { network.Number, passage.Number }.Order()], part.Networks);
        Assert.Equal(
            new[] { network.Encrypted?.Segment, passage.Encrypted?.Segment }.OfType<string>()
                .Order(StringComparer.Ordinal),
            part.Segments);
        Assert.NotEmpty(part.Segments);
        Assert.Empty(plan.Withheld);
        Assert.DoesNotContain(
            plan.Domains.Single(one => one.DisplayName == "hospital/records").Network.Number, part.Networks);
    }

    [Fact]
    public void Nothing_is_shared_out_where_nobody_asks_or_the_operator_does_not_say_how_much_there_is()
    {
        Assert.Null(Plan(With(100)).Uplink);
        var silent = Plan(With(null, web: "{reserveMbit: 60}"));
        Assert.Null(silent.Uplink);
        Assert.Contains("does not state uplinkMbit", Assert.Single(silent.Withheld).Sentence,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(50, 40, 50, 40)]
    [InlineData(50, 41, 45, 41)]
    [InlineData(1000, 20, 45, 20)]
    [InlineData(400000, 400000, 45, 45)]
    public void Nobody_gains_by_reserving_more_than_there_is(int web, int records, int webGets, int recordsGets)
    {
        var example = With(100, $"{{reserveMbit: {web}}}", $"{{reserveMbit: {records}}}");
        var plan = Plan(example);
        var parts = plan.Uplink?.Parts.ToDictionary(part => part.Domain.Name.Text, part => part.ReserveMbit) ?? [];
        Assert.Equal((webGets, recordsGets), (parts["web"], parts["records"]));
        bool tooMuch = web + records > 90;
        Assert.Equal(tooMuch, plan.Withheld.Length == 1);
        Assert.Equal(
            tooMuch ? [FindingCode.UplinkOverReserved] : [],
            example.Check().Findings.Select(finding => finding.Code).Distinct());
    }

    [Theory]
    [InlineData(90, false)]
    [InlineData(91, true)]
    public void A_domain_that_no_host_could_keep_its_part_for_is_found(int web, bool isFound)
    {
        var found = With(100, $"{{reserveMbit: {web}}}").Check().Findings;
        Assert.Equal(isFound, found.Any(one => one.Pointer == "/bandwidth/reserveMbit"));
        // A host of which nobody says how much it has promises nothing and refuses nobody.
        Assert.Empty(With(null, $"{{reserveMbit: {web}}}").Check().Findings);
    }

    [Fact]
    public void The_table_gives_each_part_its_class_and_drops_nothing()
    {
        var uplink = Plan(With(100, "{reserveMbit: 10}", "{limitMbit: 20}")).Uplink;
        Assert.NotNull(uplink);
        var text = NftTables.ForUplink(uplink, "b1", [(40001, uplink.Parts[1].Segments[0]), (40002, "nobody")]);
        Assert.Equal([16, 17], uplink.Parts.Select(part => part.Number));
        Assert.All(uplink.Parts[0].Networks, number =>
            Assert.Contains($"{number} : b1:10,", text, StringComparison.Ordinal));
        Assert.Contains("40001 : b1:11,", text, StringComparison.Ordinal);
        Assert.DoesNotContain("40002", text, StringComparison.Ordinal);
        Assert.DoesNotContain("drop", text, StringComparison.Ordinal);
    }

    private static HostPlan Plan(Example example) => Refine.ForHost(Datacentre(example), All, Host("host-1"), Now);

    private static Example With(int? uplink, string? web = null, string? records = null)
    {
        var example = Example.ThreeTenants.With(Hosts, "medium: trusted-segment", "medium: untrusted");
        if (uplink is { } mbit)
        {
            example = example.With(Hosts, "memoryMiB: 1024}", $"memoryMiB: 1024, uplinkMbit: {mbit}}}");
        }

        example = web is null ? example : example.With(Web, "groups:", $"bandwidth: {web}\ngroups:");
        return records is null ? example : example.With(Records, "approvals:", $"bandwidth: {records}\napprovals:");
    }
}
