using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains.Policy;
using FsCheck;
using FsCheck.Fluent;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

public sealed class RefineTests
{
    private const string Web = "bank/web.yaml";
    private const string Ledger = "bank/ledger.yaml";

    [Fact]
    public void Gives_a_host_the_machines_that_are_placed_and_admitted_there()
    {
        var plan = Plan("host-3");
        Assert.Equal(
            ["bank/ledger-2", "bank/web-2", "regulator/inspector-1"],
            plan.Domains.SelectMany(domain => domain.Compartments).Select(machine => machine.DisplayName).Order());
        Assert.Empty(plan.Refused);
        Assert.Empty(plan.Withheld);
        Assert.All(
            plan.Domains.SelectMany(domain => domain.Compartments),
            machine => Assert.NotEmpty(machine.Reason.Because));
    }

    [Fact]
    public void Gives_gateways_to_domains_with_flows_and_to_no_others()
    {
        var plans = new[] { Plan("host-1"), Plan("host-2"), Plan("host-3") };
        Assert.All(plans.SelectMany(plan => plan.Domains), domain =>
            Assert.Equal(domain.DisplayName != "hospital/records", domain.Gateway is not null));
        var ledger = Domain(plans[1], "bank/ledger").Gateway;
        Assert.NotNull(ledger);
        Assert.Equal(["10.20.2.1/24", "fd20:2::1/64"], ledger.Addresses);
        FlowLine[] lines = [.. FlowLine.Of(ledger.Flows)];
        Assert.Contains(lines, flow =>
            flow.From == "10.20.1.11" && flow.To == "10.20.2.11" && !flow.Outward
            && flow.Ports.SequenceEqual([new PortRange(5432, 5432)]));
        Assert.DoesNotContain(lines, flow => flow.To is "10.20.2.12" or "fd20:2::12");
    }

    [Fact]
    public void An_expired_policy_makes_the_same_plan_at_every_later_moment()
    {
        string[] plans = [.. Enumerable.Range(0, 3).Select(seconds => System.Text.Encoding.UTF8.GetString(
            PlanJson.Write(Refine.ForHost(
                Datacentre(Example.ThreeTenants), All, Host("host-3"), Now.AddYears(50).AddSeconds(seconds)))))];
        Assert.Contains("expired at", plans[0], StringComparison.Ordinal);
        Assert.Single(plans.Distinct());
    }

    [Fact]
    public void Both_gateways_of_a_flow_name_each_other_alike()
    {
        var client = Domain(Plan("host-1"), "bank/web").Gateway;
        var server = Domain(Plan("host-2"), "bank/ledger").Gateway;
        Assert.NotNull(client);
        Assert.NotNull(server);
        var out4 = client.Legs.SelectMany(leg => leg.Routes).Single(route => route.Destination == "10.20.2.11");
        var back = server.Legs.SelectMany(leg => leg.Routes).Single(route => route.Destination == "10.20.1.11");
        Assert.Contains(server.Legs, leg => leg.Mac == out4.ViaMac && leg.Address == out4.Via + "/64");
        Assert.Contains(client.Legs, leg => leg.Mac == back.ViaMac && leg.Address == back.Via + "/64");
    }

    [Fact]
    public void A_lying_Master_cannot_bring_a_domain_to_a_host_that_the_domain_does_not_accept()
    {
        // The hospital accepts Swiss hosts only; host-3 stands in Germany.
        var lie = All.Where(proposal => proposal.Compartment != Machine("hospital/records-2"))
            .Append(Proposal("hospital/records-2", "host-3")).ToList();
        var network = Domain(Plan("host-1", lie), "hospital/records").Network;
        Assert.Null(network.Vxlan);
        Assert.Empty(network.Peers);
        Assert.DoesNotContain(Plan("host-1", lie).Underlay.Tunnels, tunnel => tunnel.Number == network.Number);
        var there = Plan("host-3", lie);
        Assert.DoesNotContain(there.Domains, domain => domain.DisplayName == "hospital/records");
        Assert.Equal(Machine("hospital/records-2"), Assert.Single(there.Refused).Compartment);

        var honest = Domain(Plan("host-1"), "hospital/records").Network;
        Assert.Equal("10.99.0.12", Assert.Single(honest.Peers).UnderlayIpv4);
    }

    [Theory]
    [InlineData("confidentiality: none", "medium: untrusted", LinkProtection.Clear, "demands no ciphertext", 1450)]
    [InlineData("confidentiality: untrusted-links", "medium: trusted-segment", LinkProtection.Clear,
        "is a trusted segment", 1370)]
    [InlineData("confidentiality: untrusted-links", "medium: untrusted", LinkProtection.Encrypted,
        "is untrusted", 1370)]
    [InlineData("confidentiality: always", "medium: trusted-segment", LinkProtection.Encrypted,
        "demands ciphertext on every link", 1370)]
    public void Encrypts_where_the_domain_demands_it_and_says_why(
        string demand, string medium, LinkProtection protection, string why, int mtu)
    {
        var plan = Plan("host-1", example: Example.ThreeTenants
            .With("hospital/records.yaml", "confidentiality: untrusted-links", demand)
            .With("alpine/hosts.yaml", "medium: trusted-segment", medium));
        var network = Domain(plan, "hospital/records").Network;

        var peer = Assert.Single(network.Peers);
        Assert.Equal(protection, peer.Protection);
        Assert.Contains(why, peer.Reason.Sentence, StringComparison.Ordinal);
        Assert.Equal(protection == LinkProtection.Clear, network.Vxlan is not null);
        Assert.Equal(protection == LinkProtection.Encrypted, network.Encrypted is not null);
        Assert.Equal(protection == LinkProtection.Clear,
            plan.Underlay.Tunnels.Any(tunnel => tunnel.Number == network.Number));
        Assert.Equal(mtu, network.Mtu);
        Assert.All(Domain(plan, "hospital/records").Compartments.SelectMany(machine => machine.Ports),
            port => Assert.Equal(mtu, port.Mtu));
    }

    [Theory]
    [InlineData("hosts: [host-1, host-2]", "hosts: [host-1, host-3]", "", "No link between")]
    [InlineData("medium", "medium", "kind: Link\nname: uplink\nhosts: [host-1, host-2]\nmedium: untrusted",
        "uplink")]
    public void Trusts_a_segment_only_where_a_link_is_stated_and_every_link_is_trusted(
        string old, string now, string more, string why)
    {
        var example = Example.ThreeTenants.With("alpine/hosts.yaml", old, now);
        example = more.Length == 0 ? example : example.Plus("alpine/hosts.yaml", more);

        var peer = Assert.Single(Domain(Plan("host-1", example: example), "hospital/records").Network.Peers);

        Assert.Equal(LinkProtection.Encrypted, peer.Protection);
        Assert.Contains(why, peer.Reason.Sentence, StringComparison.Ordinal);
        Assert.Equal(LinkProtection.Clear, Assert.Single(
            Domain(Plan("host-1"), "hospital/records").Network.Peers).Protection);
    }

    [Theory]
    [InlineData("confidentiality: untrusted-links", "confidentiality: untrusted-links", LinkProtection.Encrypted)]
    [InlineData("confidentiality: none", "confidentiality: untrusted-links", LinkProtection.Encrypted)]
    [InlineData("confidentiality: untrusted-links", "confidentiality: none", LinkProtection.Encrypted)]
    [InlineData("confidentiality: none", "confidentiality: none", LinkProtection.Clear)]
    public void A_passage_is_encrypted_as_soon_as_one_of_its_domains_demands_it(
        string web, string ledger, LinkProtection protection)
    {
        // Each domain on one host, so that only the flow between them crosses the link.
        var example = Example.ThreeTenants
            .With("alpine/hosts.yaml", "trusted-segment", "untrusted")
            .With(Web, "confidentiality: untrusted-links", web)
            .With(Ledger, "confidentiality: untrusted-links", ledger);
        PlacementProposal[] placed = [Proposal("bank/web-1", "host-1"), Proposal("bank/ledger-1", "host-2")];

        var plan = Plan("host-1", placed, example);
        var network = Assert.Single(plan.Passages).Network;

        Assert.Equal(protection, Assert.Single(network.Peers).Protection);
        Assert.Equal(protection == LinkProtection.Clear, network.Vxlan is not null);
        Assert.Equal(protection == LinkProtection.Encrypted, network.Encrypted is not null);
        Assert.NotEmpty(Domain(plan, "bank/web").Gateway?.Flows ?? []);
    }

    [Fact]
    public void Both_ends_of_an_encrypted_tunnel_derive_the_same_names_and_each_others_addresses()
    {
        var example = Example.ThreeTenants.With("alpine/hosts.yaml", "trusted-segment", "untrusted");
        var (here, there) = (Records("host-1"), Records("host-2"));

        Assert.Equal(here?.Segment, there?.Segment);
        Assert.Equal(["fd62:7277::1:a63:b", "fd62:7277:0:1:0:1:a63:b"], here?.Generations.Select(one => one.Address));
        Assert.NotEqual(
            here?.Generations.Select(one => one.Address), there?.Generations.Select(one => one.Address));
        Assert.All(here?.Generations ?? [], one => Assert.All(
            [one.Namespace, one.WireGuard, one.Vxlan], name => Assert.InRange(name.Length, 1, 15)));

        EncryptedTunnels? Records(string host) =>
            Domain(Plan(host, example: example), "hospital/records").Network.Encrypted;
    }

    [Fact]
    public void Gives_one_network_number_to_one_network_and_the_other_no_tunnel()
    {
        var number = Domain(Plan("host-1"), "hospital/records").Network.Number;
        var sound = Datacentre();
        var web = sound.Domains[ExamplePlacements.Domain("bank/web").ToString()];
        var stolen = new CheckedDatacentre(
            sound.Tenants, sound.Datacentre, sound.Inventory,
            sound.Domains.SetItem(web.Ref.ToString(), web with { Network = web.Network with { Number = number } }),
            sound.Machinery);
        var plan = Refine.ForHost(stolen, All, Host("host-1"), Now);
        Assert.NotEmpty(Domain(plan, "hospital/records").Network.Peers);
        Assert.Empty(Domain(plan, "bank/web").Network.Peers);
        Assert.Null(Domain(plan, "bank/web").Network.Vxlan);
        Assert.Contains(plan.Withheld, why => why.Sentence.Contains("VXLAN number", StringComparison.Ordinal));
        Assert.All(plan.Underlay.Tunnels.Where(tunnel => tunnel.Number == number), tunnel =>
            Assert.Equal("10.99.0.12", tunnel.PeerIpv4));
    }

    [Fact]
    public void Plans_nothing_for_a_host_that_the_operator_did_not_describe()
    {
        var plan = Plan("host-9");
        Assert.Empty(plan.Domains);
        Assert.Empty(plan.Passages);
        Assert.Empty(plan.Underlay.Tunnels);
    }

    [Fact]
    public void Tells_the_machine_its_addresses_and_gateway_on_its_command_line()
    {
        var machine = Domain(Plan("host-1"), "bank/web").Compartments.Single();
        Assert.EndsWith(
            $" bailiwick.machine=bank/web-1 bailiwick.nic0={machine.Ports[0].Mac},10.20.1.11/24,10.20.1.1,"
            + "fd20:1::11/64,fd20:1::1", machine.Boot.Arguments, StringComparison.Ordinal);
    }

    [Fact]
    public void A_withdrawn_flow_changes_gateways_and_no_machine()
    {
        var before = Plan("host-1");
        var after = Refine.ForHost(
            Datacentre(Example.ThreeTenants.With(
                Ledger, "- {from: bank/web, network: {protocol: tcp, ports: [5432]}}", "")),
            All, Host("host-1"), Now);
        Assert.NotNull(Domain(before, "bank/web").Gateway);
        Assert.Null(Domain(after, "bank/web").Gateway);
        var paths = new MachinePaths("/boot", "/pool", "/machines", "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated);
        Assert.Equal(
            before.Domains.SelectMany(d => d.Compartments).Select(m => MachineXml.Of(m, paths)),
            after.Domains.SelectMany(d => d.Compartments).Select(m => MachineXml.Of(m, paths)));
    }

    [Fact]
    public void Equal_proposals_in_any_order_give_equal_bytes()
    {
        var datacentre = Datacentre();
        var expected = PlanJson.Write(Refine.ForHost(datacentre, All, Host("host-3"), Now));
        Check.QuickThrowOnFailure(Prop.ForAll(
            Gen.Shuffle(All.Concat(All.Take(3)).ToArray()).ToArbitrary(),
            shuffled => PlanJson.Write(Refine.ForHost(datacentre, shuffled, Host("host-3"), Now))
                .AsSpan().SequenceEqual(expected)));
    }

    [Fact]
    public void No_gateway_has_a_flow_that_the_matrix_does_not_contain()
    {
        var machines = All.Select(proposal => proposal.Compartment).ToArray();
        string[] hosts = ["host-1", "host-2", "host-3"];
        var anywhere = Example.ThreeTenants
            .With(Web, "placement: {hosts: [host-1]}", "placement: {hosts: [host-1, host-2, host-3]}")
            .With(Ledger, "placement: {hosts: [host-2]}", "placement: {hosts: [host-1, host-2, host-3]}");
        var datacentre = Datacentre(anywhere);
        var matrix = FlowMatrix.Of(datacentre);
        var proposals = Gen.Sized(_ => Gen.Elements(hosts).ListOf(machines.Length)).ToArbitrary();
        Check.QuickThrowOnFailure(Prop.ForAll(proposals, places =>
        {
            var placed = machines.Zip(places, (machine, host) =>
                new PlacementProposal(machine, Host(host), Running: true)).ToList();
            return hosts.All(host => Refine.ForHost(datacentre, placed, Host(host), Now).Domains
                .All(domain => FlowLine.Of(domain.Gateway?.Flows ?? [])
                    .All(flow => Contains(datacentre, matrix, domain, flow))));
        }));
    }

    private static bool Contains(CheckedDatacentre datacentre, FlowMatrix matrix, DomainPlan domain, FlowLine flow) =>
        matrix.Open.Any(open =>
            open.Resource is FlowResource.Network network
            && network.Protocol == flow.Protocol
            && (flow.Outward ? open.From : open.To) == domain.Domain
            && open.Senders.Any(machine => Has(datacentre, machine, open.From, flow.From))
            && open.Receivers.Any(machine => Has(datacentre, machine, open.To, flow.To))
            && flow.Ports.All(range => Enumerable.Range(range.First, range.Last - range.First + 1).All(port =>
                network.Ports.Any(allowed => allowed.First <= port && port <= allowed.Last))));

    private static bool Has(CheckedDatacentre datacentre, CompartmentRef machine, DomainRef domain, string address) =>
        datacentre.Machinery.Compartments[machine.ToString()].Nics.Any(nic =>
            nic.Domain == domain.Name
            && (nic.Ipv4?.ToString() == address || nic.Ipv6?.ToString() == address));

    private static DomainPlan Domain(HostPlan plan, string name) =>
        plan.Domains.Single(domain => domain.DisplayName == name);

    private static HostPlan Plan(
        string host, IReadOnlyList<PlacementProposal>? proposals = null, Example? example = null) =>
        Refine.ForHost(Datacentre(example), proposals ?? All, Host(host), Now);
}
