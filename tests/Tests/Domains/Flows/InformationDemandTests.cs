using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>
/// What an owner demands of where its information may come holds, and costs flows of nobody but the owner's.
/// </summary>
public sealed class InformationDemandTests
{
    private static Landscape Bank(string information) => new Landscape()
        .Domain("bank/web", information: information).Domain("bank/log").Domain("acme/hub").Domain("rival/vault", "FR")
        .Network("bank/web", "acme/hub").Volume("acme/hub", "rival/vault").Network("bank/web", "bank/log", 80);

    [Theory]
    [InlineData("{notTo: [rival/vault]}", "information-reaches", "/information/notTo/0",
        "Information of bank/web would come to rival/vault: bank/web grants tcp/443 to acme/hub (grants[0]); acme/hub "
        + "lends volume hub-data (read) to rival/vault (grants[0]). So grants[0] opens nothing. Withdraw it, or name "
        + "acme/hub among information.keepers, if it keeps to itself what it learns.")]
    [InlineData("{jurisdictions: [CH, DE]}", "jurisdiction-reached", "/information/jurisdictions",
        "Information of bank/web would come to rival/vault, which is of an owner in FR and accepts hosts in CH: "
        + "bank/web grants tcp/443 to acme/hub (grants[0]); acme/hub lends volume hub-data (read) to rival/vault "
        + "(grants[0]). So grants[0] opens nothing. Withdraw it, or name acme/hub among information.keepers, if it "
        + "keeps to itself what it learns.")]
    [InlineData("{conflicts: [{class: oil, with: [rival/vault]}]}", "conflict-of-interest", "/information/conflicts/0",
        "Information of bank/web would come to rival/vault, with which it is in conflict: bank/web grants tcp/443 to "
        + "acme/hub (grants[0]); acme/hub lends volume hub-data (read) to rival/vault (grants[0]). So grants[0] opens "
        + "nothing. Withdraw it, or name acme/hub among information.keepers, if it keeps to itself what it learns.")]
    public void A_demand_that_others_flows_would_violate_closes_the_owners_first_step_and_tells_the_whole_way(
        string information, string code, string pointer, string sentence)
    {
        var result = Bank(information).Check();
        var matrix = FlowMatrix.Of(result.Datacentre);

        var finding = Assert.Single(result.Findings);
        Assert.Equal((code, "bank/web.yaml", pointer, sentence),
            (WireText.Of(finding.Code), finding.File, finding.Pointer, finding.Sentence));
        Assert.True(finding.Line > 1);
        Assert.Equal(["bank/log<bank/web", "rival/vault<acme/hub"], Flows(matrix));
        Assert.False(InformationFlow.Of(matrix).Reaches(Domain("bank/web"), Domain("rival/vault")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{notTo: [rival/vault], keepers: [acme/hub]}")]
    [InlineData("{jurisdictions: [CH, FR]}")]
    [InlineData("{conflicts: [{class: oil, with: [rival/vault]}], keepers: [acme/hub]}")]
    public void A_demand_that_holds_closes_nothing(string information)
    {
        var result = Bank(information).Check();

        Assert.Empty(result.Findings);
        Assert.Equal(3, FlowMatrix.Of(result.Datacentre).Open.Length);
    }

    [Fact]
    public void Two_in_conflict_cannot_meet_in_a_third_unless_it_is_trusted_to_keep_what_it_learns()
    {
        Landscape Land(string information) => new Landscape().Domain("bank/web", information: information)
            .Domain("law/audit").Domain("rival/vault")
            .Network("law/audit", "bank/web").Volume("rival/vault", "law/audit");

        var result = Land("{conflicts: [{class: oil, with: [rival/vault]}]}").Check();
        Assert.Equal(["law/audit<rival/vault"], Flows(FlowMatrix.Of(result.Datacentre)));
        Assert.Equal(
            "Information of bank/web and of rival/vault, which are in conflict, would meet in law/audit: bank/web "
            + "answers tcp/443 of law/audit (accepts[0]); and rival/vault lends volume vault-data (read) to law/audit "
            + "(grants[0]). So accepts[0] opens nothing. Withdraw it, or name law/audit among information.keepers, if "
            + "it keeps to itself what it learns.",
            Assert.Single(result.Findings).Sentence);
        Assert.Empty(Land("{conflicts: [{class: oil, with: [rival/vault]}], keepers: [law/audit]}").Check().Findings);
    }

    [Fact]
    public void What_a_rival_knows_does_not_come_to_who_is_in_conflict_with_it_either()
    {
        var land = new Landscape()
            .Domain("bank/web", information: "{conflicts: [{class: oil, with: [rival/vault]}]}")
            .Domain("acme/hub").Domain("rival/vault")
            .Volume("acme/hub", "bank/web").Volume("rival/vault", "acme/hub");

        var result = land.Check();
        Assert.Equal(["acme/hub<rival/vault"], Flows(FlowMatrix.Of(result.Datacentre)));
        Assert.StartsWith(
            "Information of rival/vault, with which bank/web is in conflict, would come to it: rival/vault lends "
            + "volume vault-data (read) to acme/hub (grants[0]); acme/hub lends volume hub-data (read) to bank/web "
            + "(grants[0]). So accepts[0] opens nothing.", Assert.Single(result.Findings).Sentence,
            StringComparison.Ordinal);
        Assert.Empty(land.Demand("bank/web", "{notTo: [rival/vault]}").Check().Findings);
    }

    [Fact]
    public void What_is_lent_and_what_is_used_of_others_is_closed_with_the_rest()
    {
        var land = new Landscape().Domain("bank/web", information: "{notTo: [rival/vault]}").Domain("bank/db")
            .Domain("acme/hub").Domain("acme/lib").Domain("rival/vault")
            .Volume("bank/web", "acme/hub").Device("acme/hub", "bank/web").Volume("acme/lib", "bank/web", "write")
            .Network("acme/lib", "acme/hub").Volume("bank/db", "bank/web").Network("acme/hub", "rival/vault");
        var result = land.Check();

        Assert.Equal(
            ["acme/hub<acme/lib", "bank/web<bank/db", "rival/vault<acme/hub"],
            Flows(FlowMatrix.Of(result.Datacentre)));
        Assert.Contains(
            "So grants[0], accepts[0], accepts[1] open nothing", Assert.Single(result.Findings).Sentence,
            StringComparison.Ordinal);
        Assert.Equal(6, Flows(FlowMatrix.Of(land.Demand("bank/web", "").Check().Datacentre)).Length);
    }

    [Fact]
    public void A_machine_in_two_domains_is_left_out_with_the_flow_that_its_owners_demand_closes()
    {
        var land = Bank("").Network("bank/log", "acme/hub", 81).Machine("both", "bank/web", "bank/log");
        Assert.True(land.Check().Datacentre.Machinery.Compartments.ContainsKey($"{Machine("bank/both")}"));

        var result = land.Demand("bank/web", "{notTo: [rival/vault]}").Check();
        Assert.False(result.Datacentre.Machinery.Compartments.ContainsKey($"{Machine("bank/both")}"));
        Assert.Contains(result.Findings, finding => finding.Code == FindingCode.DomainsNotJoined
            && finding.Sentence.Contains("What bank/web demands", StringComparison.Ordinal));
        Assert.Equal(["acme/hub<bank/log", "rival/vault<acme/hub"], Flows(FlowMatrix.Of(result.Datacentre)));
    }

    [Fact]
    public void A_machine_with_a_volume_that_a_demand_no_longer_lends_is_refused_and_told_whose_demand_it_is()
    {
        var land = Bank("").Volume("bank/web", "acme/hub").Disk("acme/hub", "bank/web-data");
        Assert.Empty(land.Check().Findings);
        Assert.Empty(Plans(land)[0].Refused);

        land.Demand("bank/web", "{notTo: [rival/vault]}");
        var told = Assert.Single(land.Check().Findings, one => one.Code == FindingCode.VolumeFlowClosed);
        Assert.Contains(
            "What bank/web demands of where its information may come keeps flows between it and acme/hub closed",
            told.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("rival", told.Sentence, StringComparison.Ordinal);
        Assert.StartsWith("hub-disk", Assert.Single(Plans(land)[0].Refused).Compartment.Name.Text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Contradictions_and_names_that_nobody_has_are_told_at_their_places()
    {
        var land = Bank("{notTo: [acme/hub, rival/valt], jurisdictions: [CH, FR]}");
        var findings = land.Check().Findings;

        Assert.Equal(
            [
                (FindingCode.InformationReaches, "/information/notTo/0"),
                (FindingCode.UnknownDomain, "/information/notTo/1"),
                (FindingCode.InformationContradicts, "/flows/grants/0"),
            ],
            findings.Select(finding => (finding.Code, finding.Pointer)).OrderBy(pair => pair.Code
                == FindingCode.InformationContradicts).ThenBy(pair => pair.Pointer, StringComparer.Ordinal));
        Assert.Contains(
            findings, finding => finding.Sentence.Contains("did you mean vault?", StringComparison.Ordinal));
    }

    [Fact]
    public void What_a_demand_closes_has_no_passage_on_any_host_and_the_others_flows_have()
    {
        var (open, closed) = (Plans(Bank("")), Plans(Bank("{notTo: [rival/vault]}")));

        Assert.Equal(["acme/hub>bank/web", "bank/log>bank/web", "bank/web>acme/hub", "bank/web>bank/log"], Pairs(open));
        Assert.Equal(["bank/log>bank/web", "bank/web>bank/log"], Pairs(closed));
        Assert.Contains(closed.SelectMany(plan => plan.Withheld), why => why.Sentence.StartsWith(
            "What bank/web demands of where its information may come keeps flows between it and acme/hub closed",
            StringComparison.Ordinal));
        Assert.DoesNotContain(
            closed.SelectMany(plan => plan.Withheld), why => why.Sentence.Contains("rival", StringComparison.Ordinal));

        static string[] Pairs(HostPlan[] plans) => [.. plans.SelectMany(plan => plan.Domains).SelectMany(domain =>
            (domain.Gateway?.Flows ?? []).SelectMany(flow => new[] { 0, -1 }.Select(end =>
                flow.Reason.Because[end == 0 ? 0 : ^1]).Select(origin => $"{origin.OwnerName}/{origin.Name}"))
                .Where(peer => peer != domain.DisplayName).Select(peer => $"{domain.DisplayName}>{peer}"))
            .Distinct().Order(StringComparer.Ordinal)];
    }

    [Fact]
    public void Who_asks_why_a_flow_is_closed_is_told_whose_demand_closes_it_and_no_third_name()
    {
        var datacentre = Bank("{notTo: [rival/vault]}").Check().Datacentre;
        var (web, hub) = (Machine("bank/web-1"), Machine("acme/hub-1"));
        string[] told =
        [
            Assert.IsType<FlowExpectation.Nothing>(FlowMatrix.Of(datacentre).Expect(web, hub)).Because,
            Assert.Single(MissingTerms.Of(
                datacentre, new TraceQuestion(web, hub, FlowProtocol.Tcp, 443), Now)).Sentence,
        ];
        Assert.All(told, one => Assert.Equal(
            "What bank/web demands of where its information may come keeps flows between it and acme/hub closed; "
            + "policy check tells its owner by which way it would come elsewhere.", one));
    }

    [Fact]
    public void A_flow_that_a_third_owners_new_flow_closes_is_withdrawn_with_that_reason()
    {
        var land = new Landscape().Domain("bank/web", information: "{notTo: [rival/vault]}").Domain("acme/hub")
            .Domain("rival/vault").Network("bank/web", "acme/hub");
        HostPlan before = Plans(land)[0];
        land.Volume("acme/hub", "rival/vault");

        var withdrawn = WithdrawnFlows.Between(before, Plans(land)[0], land.Check().Datacentre);
        Assert.Equal(2, withdrawn.Length);
        Assert.All(withdrawn, one => Assert.StartsWith(
            "What bank/web demands of where its information may come keeps flows between it and acme/hub closed",
            one.Cause, StringComparison.Ordinal));
    }

    private static HostPlan[] Plans(Landscape land)
    {
        var datacentre = land.Check().Datacentre;
        PlacementProposal[] places = [.. datacentre.Machinery.Compartments.Values.Select(machine =>
            new PlacementProposal(machine.Ref, Host("host-1"), Running: true))];
        return [Refine.ForHost(datacentre, places, Host("host-1"), Now)];
    }

    private static string[] Flows(FlowMatrix matrix) => [.. matrix.Open.Select(flow =>
        $"{FlowMatrix.Display(flow.Sides.Accept.Domain)}<{FlowMatrix.Display(flow.Sides.Grant.Domain)}")
        .Order(StringComparer.Ordinal)];
}
