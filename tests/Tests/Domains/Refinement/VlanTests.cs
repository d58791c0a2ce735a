using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

/// <summary>
/// A domain's own VLAN, where the segment is trusted and both hosts carry it, and in no other case.
/// </summary>
public sealed class VlanTests
{
    private const string Hosts = "alpine/hosts.yaml";
    private const string Records = "hospital/records.yaml";

    /// <summary>The rack's two hosts carry the VLANs of their link.</summary>
    internal static Example Carried(string range = "{first: 100, last: 199}") => Example.ThreeTenants
        .With(Hosts, "underlay: {ipv4: 10.99.0.11}", "underlay: {ipv4: 10.99.0.11, vlans: rack-a}")
        .With(Hosts, "underlay: {ipv4: 10.99.0.12}", "underlay: {ipv4: 10.99.0.12, vlans: rack-a}")
        .With(Hosts, "medium: trusted-segment", $"medium: trusted-segment\nvlans: {range}");

    [Fact]
    public void Two_hosts_of_a_trusted_segment_that_carry_its_VLANs_meet_in_one_of_the_domains_own()
    {
        var plans = new[] { Plan(Carried(), "host-1"), Plan(Carried(), "host-2") };
        var networks = plans.Select(plan => Network(plan, "hospital/records")).ToArray();

        Assert.All(networks, network => Assert.InRange(Assert.IsType<VlanPlan>(network.Vlan).Number, 100, 199));
        Assert.Equal(networks[0].Vlan, networks[1].Vlan);
        Assert.Equal(13, networks[0].Vlan?.Device.Length);
        foreach (var (plan, network) in plans.Zip(networks))
        {
            var peer = Assert.Single(network.Peers);
            Assert.Equal(LinkProtection.Vlan, peer.Protection);
            Assert.Contains("carries VLANs to both", peer.Reason.Sentence, StringComparison.Ordinal);
            Assert.Equal(
                [StatementKind.Link, StatementKind.Host],
                peer.Reason.Because.Select(one => one.Kind).Where(kind => kind != StatementKind.Domain).Distinct());
            Assert.Null(network.Vxlan);
            Assert.Null(network.Encrypted);
            Assert.DoesNotContain(plan.Underlay.Tunnels, tunnel => tunnel.Number == network.Number);
        }
    }

    [Theory]
    [InlineData(Hosts, "10.99.0.11, vlans: rack-a", "10.99.0.11", LinkProtection.Clear, "")]
    [InlineData(Hosts, "10.99.0.12, vlans: rack-a", "10.99.0.12", LinkProtection.Clear, "")]
    [InlineData(Hosts, "\nvlans: {first: 100, last: 199}", "", LinkProtection.Clear, "")]
    [InlineData(Hosts, "medium: trusted-segment", "medium: untrusted", LinkProtection.Encrypted, "is untrusted")]
    [InlineData(Hosts, "hosts: [host-1, host-2]", "hosts: [host-1, host-3]", LinkProtection.Encrypted, "No link")]
    [InlineData(Records, "confidentiality: untrusted-links", "confidentiality: always", LinkProtection.Encrypted,
        "on every link")]
    [InlineData(Records, "approvals:", "bandwidth: {reserveMbit: 5}\napprovals:", LinkProtection.Clear,
        "has a part of each host's uplink")]
    public void There_is_none_where_one_of_its_conditions_fails(
        string file, string old, string now, LinkProtection instead, string why)
    {
        var network = Network(Plan(Carried().With(file, old, now), "host-1"), "hospital/records");

        Assert.Null(network.Vlan);
        var peer = Assert.Single(network.Peers);
        Assert.Equal(instead, peer.Protection);
        Assert.Contains(why, peer.Reason.Sentence, StringComparison.Ordinal);
        Assert.NotNull(Network(Plan(Carried(), "host-1"), "hospital/records").Vlan);
    }

    [Fact]
    public void There_is_none_that_a_host_hears_which_the_domain_does_not_accept()
    {
        // The hospital does not accept hosts in Germany; the bank does.
        var german = Carried()
            .With(Hosts, "hosts: [host-1, host-2]", "hosts: [host-1, host-2, host-3]")
            .With(Hosts, "underlay: {ipv4: 10.99.0.13}", "underlay: {ipv4: 10.99.0.13, vlans: rack-a}");
        var trusted = german.With(Hosts, "medium: untrusted", "medium: trusted-segment");

        var records = Network(Plan(trusted, "host-1"), "hospital/records");
        Assert.Null(records.Vlan);
        Assert.Contains("host-3 hears it too", Assert.Single(records.Peers).Reason.Sentence, StringComparison.Ordinal);
        Assert.NotNull(Network(Plan(trusted, "host-1"), "bank/web").Vlan);

        // And none for anybody where one of the links between its hosts is untrusted.
        Assert.Null(Network(Plan(german, "host-1"), "bank/web").Vlan);
        Assert.Equal(
            LinkProtection.Encrypted, Assert.Single(Network(Plan(german, "host-1"), "bank/web").Peers).Protection);
    }

    [Fact]
    public void Where_all_are_taken_the_last_have_a_tunnel_and_the_plan_says_why()
    {
        var placed = new[] { Proposal("bank/ledger-1", "host-1"), Proposal("bank/ledger-2", "host-2") };
        var example = Carried("{first: 7, last: 7}")
            .With("bank/ledger.yaml", "placement: {hosts: [host-2]}", "placement: {hosts: [host-1]}")
            .With("bank/ledger.yaml", "placement: {hosts: [host-3]}", "placement: {hosts: [host-2]}");
        var plan = Refine.ForHost(
            Datacentre(example),
            [Proposal("hospital/records-1", "host-1"), Proposal("hospital/records-2", "host-2"), .. placed],
            Host("host-1"), Now);

        // The operator lists the hospital before the bank.
        Assert.Equal(7, Network(plan, "hospital/records").Vlan?.Number);
        var ledger = Network(plan, "bank/ledger");
        Assert.Null(ledger.Vlan);
        Assert.NotNull(ledger.Vxlan);
        var peer = Assert.Single(ledger.Peers);
        Assert.Equal(LinkProtection.Clear, peer.Protection);
        Assert.Contains("all 1 are other domains'", peer.Reason.Sentence, StringComparison.Ordinal);
        Assert.Contains(plan.Underlay.Tunnels, tunnel => tunnel.Number == ledger.Number);
    }

    [Fact]
    public void A_change_that_moves_a_number_is_found_without_looking_at_everything()
    {
        var placed = new[] { Proposal("bank/ledger-1", "host-1"), Proposal("bank/ledger-2", "host-2") };
        var example = Carried("{first: 7, last: 7}")
            .With("bank/ledger.yaml", "placement: {hosts: [host-2]}", "placement: {hosts: [host-1]}")
            .With("bank/ledger.yaml", "placement: {hosts: [host-3]}", "placement: {hosts: [host-2]}");
        PlacementProposal[] all =
            [Proposal("hospital/records-1", "host-1"), Proposal("hospital/records-2", "host-2"), .. placed];
        var before = Datacentre(example);
        var refined = Refine.Of(before, all, Now);
        Assert.Null(Network(refined.ForHost(Host("host-1")), "bank/ledger").Vlan);

        var always = example.With(Records, "confidentiality: untrusted-links", "confidentiality: always");
        var next = PolicyCheck.After(before, always.Read().Documents.Where(
            one => one.Origin is { Kind: StatementKind.Domain, OwnerName: "hospital" })).Datacentre;
        var after = refined.After(next, [], [], Now);
        Assert.NotNull(after.Touched);
        foreach (var host in new[] { "host-1", "host-2" })
        {
            var plan = after.ForHost(Host(host));
            Assert.Equal(7, Network(plan, "bank/ledger").Vlan?.Number);
            Assert.Equal(PlanJson.Write(Refine.ForHost(next, all, Host(host), Now)), PlanJson.Write(plan));
        }
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(60, 100)]
    [InlineData(100, 100)]
    [InlineData(250, 100)]
    [InlineData(4000, 4093)]
    public void No_two_domains_of_a_segment_have_one_number_and_as_many_have_one_as_there_are(int count, int size)
    {
        var datacentre = Many(count, $"{{first: 2, last: {size + 1}}}");
        var (left, right) = (HostOf(datacentre, "host-1"), HostOf(datacentre, "host-2"));
        var vlans = Vlans.Of(datacentre);
        List<int> numbers = [];
        foreach (var domain in datacentre.Domains.Values)
        {
            var clear = Clear(datacentre, domain, left, right);
            var way = vlans.Between(domain, left, right, clear, out var number);
            Assert.Equal(way, vlans.Between(domain, right, left, clear, out var back) with { Because = way.Because });
            Assert.Equal(number, back);
            if (way.Protection == LinkProtection.Vlan)
            {
                numbers.Add(number);
            }
        }

        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.All(numbers, number => Assert.InRange(number, 2, size + 1));
        Assert.Equal(Math.Min(datacentre.Domains.Count, size), numbers.Count);
    }

    [Fact]
    public void A_domain_that_comes_leaves_most_numbers_as_they_are()
    {
        const string Range = "{first: 100, last: 199}";
        var (before, after) = (Numbers(Many(40, Range)), Numbers(Many(41, Range)));

        Assert.Equal(before.Count + 1, after.Count);
        Assert.InRange(before.Count(one => after[one.Key] != one.Value), 0, 8);
    }

    [Fact]
    public void Who_doubts_a_host_that_hears_the_VLAN_leaves_it_and_reaches_the_others_by_tunnels_in_clear()
    {
        // Three hosts in one rack, with a machine of the bank's web on each.
        var example = Carried()
            .With(Hosts, "hosts: [host-1, host-2]", "hosts: [host-1, host-2, host-3]")
            .With(Hosts, "underlay: {ipv4: 10.99.0.13}", "underlay: {ipv4: 10.99.0.13, vlans: rack-a}")
            .With(Hosts, "medium: untrusted", "medium: trusted-segment")
            .Plus("bank/web.yaml", "kind: Compartment\nname: web-3\ncpus: 1\nmemoryMiB: 112\nboot: {image: guest}\n"
                + "disks: []\nnics: [{domain: web, ipv4: 10.20.1.13}]\ndevices: [console, probe]\n"
                + "placement: {hosts: [host-2]}");
        var plan = Refine.ForHost(
            Datacentre(example), [.. All, Proposal("bank/web-3", "host-2")], Host("host-1"), Now);
        var web = ExamplePlacements.Domain("bank/web");
        Assert.Equal([LinkProtection.Vlan, LinkProtection.Vlan], Ways(plan));

        var narrowed = TrustedPeers.Only(
            plan, (host, domain) => host == Host("host-3") && domain == web ? "it is silent." : null);
        var network = Network(narrowed, "bank/web");
        Assert.Null(network.Vlan);
        Assert.Equal([LinkProtection.Clear], Ways(narrowed));
        Assert.NotNull(network.Vxlan);
        Assert.Equal(
            ["10.99.0.12"],
            narrowed.Underlay.Tunnels.Where(one => one.Number == network.Number).Select(one => one.PeerIpv4));

        // Doubt for another domain leaves this one where it is.
        var other = TrustedPeers.Only(plan, (host, domain) =>
            host == Host("host-3") && domain == ExamplePlacements.Domain("bank/ledger") ? "it is silent." : null);
        Assert.Equal([LinkProtection.Vlan, LinkProtection.Vlan], Ways(other));

        static IEnumerable<LinkProtection> Ways(HostPlan plan) =>
            Network(plan, "bank/web").Peers.Select(peer => peer.Protection);
    }

    [Theory]
    [InlineData("vlans: {first: 100, last: 199}", "vlans: {first: 1, last: 199}", FindingCode.OutOfRange)]
    [InlineData("vlans: {first: 100, last: 199}", "vlans: {first: 100, last: 4095}", FindingCode.OutOfRange)]
    [InlineData("vlans: {first: 100, last: 199}", "vlans: {first: 100, last: 99}", FindingCode.OutOfRange)]
    [InlineData("vlans: {first: 100, last: 199}", "vlans: {first: 100}", FindingCode.MissingMember)]
    [InlineData("vlans: {first: 100, last: 199}", "vlans: {first: 100, last: 199, native: 5}",
        FindingCode.UnknownMember)]
    [InlineData("10.99.0.12, vlans: rack-a", "10.99.0.12, vlans: rack-b", FindingCode.NoSuchVlans)]
    [InlineData("10.99.0.13", "10.99.0.13, vlans: rack-a", FindingCode.NoSuchVlans)]
    [InlineData("10.99.0.12, vlans: rack-a", "10.99.0.12, vlans: street-2", FindingCode.NoSuchVlans)]
    public void What_the_operator_says_wrongly_is_found(string old, string now, FindingCode code)
    {
        Assert.Empty(Carried().Check().Findings);
        Assert.Contains(Carried().With(Hosts, old, now).Check().Findings, finding => finding.Code == code);
    }

    private static LinkWay Clear(CheckedDatacentre datacentre, DomainModel domain, HostModel left, HostModel right)
    {
        var links = new HostLinks(datacentre);
        return Links.Of(domain, links.Joining(links.Of(left), links.Of(right)));
    }

    private static ImmutableDictionary<string, int> Numbers(CheckedDatacentre datacentre)
    {
        var (left, right, vlans) =
            (HostOf(datacentre, "host-1"), HostOf(datacentre, "host-2"), Vlans.Of(datacentre));
        return datacentre.Domains.Values.Where(domain => vlans.Between(
            domain, left, right, Clear(datacentre, domain, left, right), out _).Protection == LinkProtection.Vlan)
            .ToImmutableDictionary(domain => domain.Ref.ToString(), domain =>
            {
                vlans.Between(domain, left, right, Clear(datacentre, domain, left, right), out var number);
                return number;
            });
    }

    /// <summary>The hospital's domain so many times.</summary>
    private static CheckedDatacentre Many(int count, string range)
    {
        var one = Datacentre(Carried(range));
        var records = one.Domains[ExamplePlacements.Domain("hospital/records").ToString()];
        return new CheckedDatacentre(
            one.Tenants, one.Datacentre, one.Inventory,
            Enumerable.Range(0, count)
                .Select(number => records with
                {
                    Ref = records.Ref with { Name = StatementName.Parse($"records-{number}") },
                })
                .ToImmutableSortedDictionary(domain => domain.Ref.ToString(), domain => domain, StringComparer.Ordinal),
            one.Machinery);
    }

    private static HostModel HostOf(CheckedDatacentre datacentre, string name) =>
        datacentre.Inventory.Hosts[ExamplePlacements.Host(name).ToString()];

    private static HostPlan Plan(Example example, string host) =>
        Refine.ForHost(Datacentre(example), All, ExamplePlacements.Host(host), Now);

    private static NetworkPlan Network(HostPlan plan, string domain) =>
        plan.Domains.Single(one => one.DisplayName == domain).Network;
}
