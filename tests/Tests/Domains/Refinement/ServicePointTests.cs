using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

public sealed class ServicePointTests
{
    internal const string Web = "bank/web.yaml";
    private const string Place = "groups: {front: [web-1, web-2]}";

    [Fact]
    public void A_domain_without_services_has_neither_a_service_point_nor_a_server()
    {
        var domain = Bank("host-1", Example.ThreeTenants);
        Assert.Null(domain.ServicePoint);
        Assert.Null(domain.AddressServer);
        Assert.DoesNotContain("dhcp", NftTables.ForDomain(domain), StringComparison.Ordinal);
        Assert.NotNull(Bank("host-1", With("{names: host}")).ServicePoint);
    }

    [Fact]
    public void A_service_point_is_the_same_on_every_host_and_knows_the_machines_of_its_own()
    {
        var one = Point("host-1", With("{addresses: host, names: host}"));
        var three = Point("host-3", With("{addresses: host, names: host}"));
        Assert.Equal((one.Mac, one.LinkLocal, one.Zone), (three.Mac, three.LinkLocal, three.Zone));
        Assert.Equal(one.Subnets.Select(subnet => subnet.Address), three.Subnets.Select(subnet => subnet.Address));
        Assert.Equal(["10.20.1.2", "fd20:1::2"], one.Subnets.Select(subnet => subnet.Address));
        Assert.Equal(["web-1"], one.Machines.Select(machine => machine.Name));
        Assert.Equal(["web-2"], three.Machines.Select(machine => machine.Name));
        Assert.Equal(
            Bank("host-1", With("{addresses: host}")).Network.Ports.Single().Device, one.Machines.Single().Device);
        Assert.NotEqual(one.Mac, Bank("host-1", Example.ThreeTenants).Gateway?.Mac);
        Assert.InRange(one.Namespace.Length, 1, 15);
    }

    [Fact]
    public void It_knows_the_names_of_its_domain_everywhere_and_of_others_by_open_flows_alone()
    {
        var names = Point("host-1", With("{names: host}")).Names.ToDictionary(name => name.Names[^1]);
        Assert.Equal(
            ["ledger-1.ledger.bank.internal", "ledger-2.ledger.bank.internal", "web-1.web.bank.internal",
                "web-2.web.bank.internal"],
            names.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(["web-2", "web-2.web.bank.internal"], names["web-2.web.bank.internal"].Names);
        Assert.Single(names["ledger-1.ledger.bank.internal"].Names);
        Assert.Equal(["10.20.2.11", "fd20:2::11"], names["ledger-1.ledger.bank.internal"].Addresses);

        var closed = With("{names: host}").With(
            "bank/ledger.yaml", "- {from: bank/web, network: {protocol: tcp, ports: [5432]}}", "");
        Assert.DoesNotContain(Point("host-1", closed).Names, name => name.Names[^1].Contains("ledger"));
        Assert.Empty(Point("host-1", With("{addresses: host}")).Names);
    }

    [Fact]
    public void It_tells_a_router_only_while_there_is_a_gateway()
    {
        Assert.Equal(
            ["10.20.1.1", "fd20:1::1"], Point("host-1", With("{addresses: host}")).Subnets.Select(one => one.Router));
        var closed = With("{addresses: host}").With(
            "bank/ledger.yaml", "- {from: bank/web, network: {protocol: tcp, ports: [5432]}}", "");
        Assert.All(Point("host-1", closed).Subnets, subnet => Assert.Null(subnet.Router));
    }

    [Theory]
    [InlineData("web-2", true)]
    [InlineData("ledger-1", false)]
    [InlineData("web-9", false)]
    public void Only_an_admitted_member_serves_the_others(string machine, bool serves)
    {
        var domain = Bank("host-1", With($"{{addresses: {{machine: {machine}}}}}"));
        Assert.Equal(serves, domain.AddressServer is not null);
        Assert.Equal(serves, NftTables.ForDomain(domain).Contains("@address_servers", StringComparison.Ordinal));
        Assert.Null(domain.ServicePoint);
    }

    [Fact]
    public void A_name_that_two_claim_is_nobodys()
    {
        // Display names carry no authority: the regulator may call itself like the bank's ledger does.
        var datacentre = Datacentre(With("{names: host}").With(
            Web, "    - {to: bank/ledger, machines: [front]",
            "    - {to: regulator/inspection, network: {protocol: tcp, ports: [1]}}\n"
            + "    - {to: bank/ledger, machines: [front]").With(
            "regulator/inspection.yaml", "  accepts:\n",
            "  accepts:\n    - {from: bank/web, network: {protocol: tcp, ports: [1]}}\n"));
        var regulator = datacentre.Tenants.Values.Single(tenant => tenant.Name.Text == "regulator");
        var bank = datacentre.Tenants.Values.Single(tenant => tenant.Name.Text == "bank");
        var disguised = new CheckedDatacentre(
            datacentre.Tenants.SetItem(regulator.Id.ToString(), regulator with { Name = bank.Name }),
            datacentre.Datacentre, datacentre.Inventory, datacentre.Domains, datacentre.Machinery);
        string[] honest = Names(datacentre), confused = Names(disguised);
        Assert.Contains("inspector-1.inspection.regulator.internal", honest);
        Assert.Contains("inspector-1.inspection.bank.internal", confused);
        Assert.Contains("web-1.web.bank.internal", confused);

        static string[] Names(CheckedDatacentre all) =>
        [
            .. Refine.ForHost(all, All, Host("host-1"), Now).Domains.Single(one => one.DisplayName == "bank/web")
                .ServicePoint?.Names.Select(name => name.Names[^1]) ?? [],
        ];
    }

    [Theory]
    [InlineData("ipv4: 10.20.1.12", "ipv4: 10.20.1.2")]
    [InlineData("fd20:1::12", "fd20:1::2")]
    public void No_machine_has_the_service_points_address(string address, string taken)
    {
        var served = With("{names: host}").With(Web, address, taken).Check();
        Assert.Equal(FindingCode.AddressIsService, Assert.Single(served.Findings).Code);
        Assert.DoesNotContain(served.Datacentre.Machinery.Compartments.Values, one => one.Ref.Name.Text == "web-2");
        Assert.Empty(Example.ThreeTenants.With(Web, address, taken).Check().Findings);
    }

    internal static Example With(string services) =>
        Example.ThreeTenants.With(Web, Place, $"services: {services}\n{Place}");

    private static DomainPlan Bank(string host, Example example) =>
        Refine.ForHost(Datacentre(example), All, Host(host), Now).Domains.Single(one => one.DisplayName == "bank/web");

    internal static ServicePointPlan Point(string host, Example example) =>
        Bank(host, example).ServicePoint ?? throw new InvalidOperationException("there is a service point");
}
