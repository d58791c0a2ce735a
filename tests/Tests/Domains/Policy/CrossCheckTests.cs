using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>The example with one mistake between documents. The clean example is the control.</summary>
public sealed class CrossCheckTests
{
    private const string Web = "bank/web.yaml";
    private const string Ledger = "bank/ledger.yaml";
    private const string Hosts = "alpine/hosts.yaml";

    public static TheoryData<string, string, string, string, string> Mistakes => new()
    {
        { "unknown domain", Web, "domain: web, ipv4: 10.20.1.12", "domain: wbe, ipv4: 10.20.1.12", "unknown-domain" },
        { "unknown domain of a volume", Web, "name: web-2-data\ndomain: web", "name: web-2-data\ndomain: wbe",
            "depends-on-left-out unknown-domain" },
        { "unknown volume", Web, "volume: web-1-data", "volume: web-3-data",
            "unknown-volume" },
        { "unknown image", Ledger, "name: ledger-2\ncpus: 1\nmemoryMiB: 112\nboot: {image: guest}",
            "name: ledger-2\ncpus: 1\nmemoryMiB: 112\nboot: {image: gast}", "unknown-image" },
        { "unknown accepted image", Web, "images: [guest]", "images: [guest, gast]", "unknown-image" },
        { "no accepted image", "bank/images.yaml", "name: guest", "name: gast", "unknown-image" },
        { "unknown host", Web, "placement: {hosts: [host-1]}", "placement: {hosts: [host-9]}", "unknown-host" },
        { "unknown machine", Web, "apartFrom: [web-1]", "apartFrom: [web-9]", "unknown-machine" },
        { "two writers", Ledger, "volume: ledger-2-data", "volume: ledger-1-data", "volume-two-writers" },
        { "outside the subnet", Ledger, "ipv4: 10.20.2.12", "ipv4: 10.20.3.12", "address-outside-subnet" },
        { "the subnet's address", Ledger, "ipv4: 10.20.2.12", "ipv4: 10.20.2.0", "address-is-subnet" },
        { "the gateway's address", Ledger, "ipv4: 10.20.2.12", "ipv4: 10.20.2.1", "address-is-gateway" },
        { "the gateway's IPv6 address", Ledger, "fd20:2::12", "fd20:2::1", "address-is-gateway" },
        { "the broadcast address", Ledger, "ipv4: 10.20.2.12", "ipv4: 10.20.2.255", "address-is-broadcast" },
        { "a taken address", Ledger, "ipv4: 10.20.2.12", "ipv4: 10.20.2.11", "duplicate-address" },
        { "a subnet seen twice", Web, "subnets: [10.20.1.0/24, \"fd20:1::/64\"]",
            "subnets: [10.20.0.0/16, \"fd20:1::/64\"]", "subnet-seen-twice" },
        { "two domains", Web, "domain: web, ipv4: 10.20.1.12, ipv6: \"fd20:1::12\"}",
            "domain: web, ipv4: 10.20.1.12, ipv6: \"fd20:1::12\"}\n  - {domain: vault, ipv4: 10.40.0.9}",
                "unknown-domain" },
        { "a flow not accepted", Ledger, "{from: bank/web,", "{from: regulator/inspection,",
            "flow-not-accepted flow-not-granted" },
        { "other ports", Ledger, "ports: [8443]", "ports: [8444]", "flow-not-accepted flow-not-granted" },
        { "an unknown peer", "regulator/inspection.yaml", "to: bank/ledger", "to: bank/leger",
            "flow-not-granted unknown-flow-peer" },
        { "an empty group", Web, "front: [web-1, web-2]", "front: []", "empty-group" },
        { "an unknown group", Web, "machines: [front]", "machines: [frnt]", "not-a-member" },
        { "a stranger in a group", Web, "front: [web-1, web-2]", "front: [web-1, ledger-1]", "not-a-member" },
        {
            "a group named as a machine", Web,
            "groups: {front: [web-1, web-2]}\nflows:\n  grants:\n    - {to: bank/ledger, machines: [front]",
            "groups: {web-1: [web-2]}\nflows:\n  grants:\n    - {to: bank/ledger, machines: [web-1]",
            "ambiguous-member"
        },
        { "too many machines", Ledger, "quota: {machines: 4", "quota: {machines: 1", "quota-exceeded" },
        { "too much storage", Ledger, "storageMiB: 256", "storageMiB: 31", "quota-exceeded" },
        { "one underlay address", Hosts, "10.99.0.12", "10.99.0.11", "depends-on-left-out duplicate-host-address" },
        { "an unknown host on a link", Hosts, "hosts: [host-1, host-2]", "hosts: [host-1, host-4]",
            "unknown-host" },
        { "a tenant not admitted", "alpine/datacentre.yaml", "[hospital, bank, regulator]", "[hospital, bank]",
            "tenant-not-admitted" },
        { "an unknown operator", Web, "operators: [alpine]", "operators: [alpin]",
            "depends-on-left-out unknown-party" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Finds_a_mistake_between_documents(string what, string file, string old, string mistake, string codes)
    {
        var result = Example.ThreeTenants.With(file, old, mistake).Check();

        var found = result.Findings.Select(finding =>
            WireText.Of(finding.Code)).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal((what, codes), (what, string.Join(' ', found)));
        Assert.All(result.Findings, finding => Assert.InRange(finding.Line, 1, 200));
    }

    [Theory]
    [InlineData("udp", "67", "udp/67 over IPv4")]
    [InlineData("udp", "68", "udp/68 over IPv4")]
    [InlineData("udp", "\"500-600\"", "udp/546 over IPv6, udp/547 over IPv6")]
    [InlineData("udp", "\"1-65535\"", "udp/67 over IPv4, udp/68 over IPv4, udp/546 over IPv6, udp/547 over IPv6")]
    [InlineData("udp", "69", null)]
    [InlineData("tcp", "67", null)]
    public void A_flow_of_what_tells_machines_their_addresses_is_found_on_both_sides(
        string protocol, string ports, string? said)
    {
        string term = $"network: {{protocol: {protocol}, ports: [{ports}]}}}}\n";
        var example = Example.ThreeTenants
            .With(Web, "  accepts: []", $"    - {{to: bank/ledger, {term}  accepts: []")
            .With(Ledger, "  accepts:\n", $"  accepts:\n    - {{from: bank/web, {term}");

        var found = example.Check().Findings;

        Assert.All(found, one => Assert.Equal(FindingCode.FlowOfAddressService, one.Code));
        Assert.Equal(said is null ? [] : ["bank/ledger.yaml", "bank/web.yaml"], found.Select(one => one.File).Order());
        Assert.All(found, one => Assert.StartsWith($"{said} is where", one.Sentence, StringComparison.Ordinal));
        Assert.All(found, one => Assert.EndsWith("/network/ports", one.Pointer, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{addresses: none}", "told by nobody (")]
    [InlineData("{addresses: host}", "told by each machine's own host (")]
    [InlineData("{addresses: {machine: web-2}}", "told by the machine web-2, and to this domain's machines alone (")]
    public void A_flow_that_contradicts_the_services_says_who_does_tell(string services, string who)
    {
        var example = Example.ThreeTenants
            .With(Web, "storage:\n", $"services: {services}\nstorage:\n")
            .With(Web, "  accepts: []",
                "    - {to: bank/ledger, network: {protocol: udp, ports: [67]}}\n  accepts: []");

        var found = Assert.Single(
            example.Check().Findings, one => one.Code == FindingCode.FlowOfAddressService);

        Assert.Contains(who, found.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("quota: {machines: 4", "quota: {machines: 1", "quota-exceeded",
        "ledger-1, ledger-2 alone exceed it. The least change: a quota of 2, or 1 less", "quota: {machines: 2")]
    [InlineData("cpus: 4,", "cpus: 1,", "quota-exceeded",
        "ledger-1, ledger-2 alone exceed it. The least change: a quota of 2, or 1 less", "cpus: 2,")]
    [InlineData("storageMiB: 256", "storageMiB: 15", "quota-exceeded",
        "ledger-1-data alone exceed it. The least change: a quota of 33, or 18 less", "storageMiB: 33")]
    public void What_can_never_be_had_names_the_fewest_and_the_least_change(
        string old, string wrong, string code, string said, string mend)
    {
        var wanting = Example.ThreeTenants.With(Ledger, old, wrong);

        var found = Assert.Single(wanting.Check().Findings);

        Assert.Equal(code, WireText.Of(found.Code));
        Assert.Contains(said, found.Sentence, StringComparison.Ordinal);
        Assert.Empty(wanting.With(Ledger, wrong, mend).Check().Findings);
    }

    [Fact]
    public void Approvals_that_nobody_can_give_say_how_many_keys_there_are()
    {
        var found = Assert.Single(Signed("destroy: 9"));
        string keys = found.Sentence.Split("ask for ")[1].Split(',')[0];

        Assert.Equal((FindingCode.ApprovalsUnreachable, "/approvals/destroy"), (found.Code, found.Pointer));
        Assert.Empty(Signed($"destroy: {keys}"));

        static IEnumerable<Finding> Signed(string destroy) => PolicyCheck.Run(PolicyDocuments.FromStatements(
            SignedExample.Of(Example.ThreeTenants.With(Ledger, "destroy: 2", destroy)).Statements)).Findings;
    }

    [Fact]
    public void A_tenants_mistakes_leave_the_other_tenants_policies_as_they_are()
    {
        var clean = Example.ThreeTenants.Check().Datacentre;
        foreach (var file in new[] { Web, Ledger, "bank/images.yaml", "bank/tenant.yaml" })
        {
            foreach (var text in new[] { "kind: Domain\nname: web\n", "- [", "\0",
                "kind: Domain\nname: web\nexpires: !!x y\n" })
            {
                var hurt = Example.ThreeTenants.WithFile(file, text).Check();

                Assert.NotEmpty(hurt.Findings);
                foreach (var owner in new[] { "hospital", "regulator" })
                {
                    Assert.Equal(Of(clean, owner), Of(hurt.Datacentre, owner));
                }
            }
        }
    }

    [Fact]
    public void A_machine_may_join_two_domains_only_where_an_open_flow_joins_them()
    {
        var both = "  - {domain: web, ipv4: 10.20.1.12, ipv6: \"fd20:1::12\"}\n  - {domain: ledger, ipv4: 10.20.2.77}";
        var joined = Example.ThreeTenants.With(Web, "  - {domain: web, ipv4: 10.20.1.12, ipv6: \"fd20:1::12\"}", both);
        var apart = joined.With(Ledger, "    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n", "");

        Assert.Empty(joined.Check().Findings);
        var result = apart.Check();
        Assert.Contains(result.Findings, finding => finding.Code == FindingCode.DomainsNotJoined);
        Assert.DoesNotContain(result.Datacentre.Machinery.Compartments.Values, one => one.Ref.Name.Text == "web-2");
    }

    [Fact]
    public void A_network_number_stays_with_the_tenant_that_was_admitted_earlier()
    {
        var taken = Example.ThreeTenants
            .With("hospital/records.yaml", "confidentiality: untrusted-links",
                "confidentiality: untrusted-links\n  number: 77")
            .With("regulator/inspection.yaml", "confidentiality: untrusted-links",
                "confidentiality: untrusted-links\n  number: 77");

        var result = taken.Check();

        var finding = Assert.Single(result.Findings, one => one.Code == FindingCode.NetworkNumberTaken);
        Assert.Equal("regulator/inspection.yaml", finding.File);
        Assert.Contains("network.number", finding.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("hospital", finding.Sentence, StringComparison.Ordinal);
        Assert.Contains(result.Datacentre.Domains.Values, domain => domain.Ref.Name.Text == "records");
        Assert.DoesNotContain(result.Datacentre.Domains.Values, domain => domain.Ref.Name.Text == "inspection");
    }

    [Fact]
    public void Two_hosts_with_one_endorsement_key_both_count_for_nothing()
    {
        string tpm = $"\ntpm: {{ek: {new string('d', 64)}}}";
        var twins = Example.ThreeTenants
            .With(Hosts, "ipv4: 10.99.0.11}", "ipv4: 10.99.0.11}" + tpm)
            .With(Hosts, "ipv4: 10.99.0.12}", "ipv4: 10.99.0.12}" + tpm);

        var result = twins.Check();

        Assert.Equal(2, result.Findings.Count(finding => finding.Code == FindingCode.DuplicateEndorsementKey));
        Assert.Equal(["host-3"], result.Datacentre.Inventory.Hosts.Values.Select(host => host.Ref.Name.Text));
    }

    [Fact]
    public void Two_hosts_with_one_identity_key_both_count_for_nothing()
    {
        var key = SignedExample.Key("host").Base64;
        var twins = Example.ThreeTenants
            .With(Hosts, "ipv4: 10.99.0.11}", "ipv4: 10.99.0.11}\nidentityKey: " + key)
            .With(Hosts, "ipv4: 10.99.0.12}", "ipv4: 10.99.0.12}\nidentityKey: " + key);

        var result = twins.Check();

        Assert.Equal(2, result.Findings.Count(finding => finding.Code == FindingCode.DuplicateHostKey));
        Assert.Equal(["host-3"], result.Datacentre.Inventory.Hosts.Values.Select(host => host.Ref.Name.Text));
        Assert.Empty(result.Datacentre.Inventory.Links);
    }

    [Fact]
    public void A_tenants_own_directory_checks_without_the_others()
    {
        var alone = Example.ThreeTenants.Without("alpine/").Without("hospital/").Without("regulator/");
        var names = PartyNames.Unsigned(["alpine", "bank", "hospital", "regulator"]);

        var result = PolicyCheck.Run(PolicyDocuments.ReadYaml(
            alone.Files.Select(file =>
                (file.Key, (ReadOnlyMemory<byte>)System.Text.Encoding.UTF8.GetBytes(file.Value))),
            names));

        Assert.Empty(result.Findings);
    }

    private static string Of(CheckedDatacentre datacentre, string owner) => string.Join('\n',
        datacentre.Domains.Values.Where(one => one.Origin.OwnerName == owner).Select(one => one.Origin.ToString())
            .Concat(datacentre.Machinery.Compartments.Values.Where(one => one.Origin.OwnerName == owner)
                .Select(one => one.Origin.ToString()))
            .Concat(datacentre.Machinery.Volumes.Values.Where(one => one.Origin.OwnerName == owner)
                .Select(one => one.ToString())));
}
