using System.Text;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Policy;

public sealed class SignedBodyTests
{
    private const string Zeros = "0000000000000000000000000000000000000000000000000000000000000000";

    [Fact]
    public void Signed_statements_give_the_datacentre_that_the_authored_files_give()
    {
        var signed = SignedExample.Of(Example.ThreeTenants);
        var digests = Example.ThreeTenants;
        foreach (var tenant in new[] { "bank", "hospital", "regulator" })
        {
            digests = digests
                .With($"{tenant}/images.yaml", "file: vmlinuz", "sha256: " + new string('a', 64))
                .With($"{tenant}/images.yaml", "file: initrd.gz", "sha256: " + new string('b', 64));
        }

        for (var i = 1; i <= 3; i++)
        {
            digests = digests.With(
                "alpine/hosts.yaml", $"ipv4: 10.99.0.1{i}}}",
                $"ipv4: 10.99.0.1{i}}}\nidentityKey: {SignedExample.Key($"host-{i}").Base64}");
        }

        var authored = PolicyCheck.Run(PolicyDocuments.ReadYaml(
            digests.Files.Select(file => (file.Key, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Value))),
            signed.Names));
        var verified = PolicyCheck.Run(PolicyDocuments.FromStatements(signed.Statements));

        Assert.Empty(authored.Findings);
        Assert.Empty(verified.Findings);
        Assert.Equal(authored.Datacentre.Domains.Keys, verified.Datacentre.Domains.Keys);
        Assert.Equal(authored.Datacentre.Machinery.Compartments.Keys, verified.Datacentre.Machinery.Compartments.Keys);
        Assert.Empty(PolicyDiff.Describe(authored.Datacentre, verified.Datacentre));
        Assert.Equal(Cells(authored.Datacentre), Cells(verified.Datacentre));
        Assert.All(verified.Datacentre.Domains.Values, domain => Assert.StartsWith(
            $"Domain {domain.Origin.OwnerName}/{domain.Ref.Name} r1", domain.Origin.ToString(),
                StringComparison.Ordinal));
    }

    [Fact]
    public void A_body_has_ids_for_names_and_is_canonical()
    {
        var signed = SignedExample.Of(Example.ThreeTenants);
        var ledger = signed.Statements.Single(one => one.Kind == StatementKind.Domain && one.Name.Text == "ledger");
        var text = ledger.Body.GetRawText();

        Assert.Contains($"{signed.Names.Find("regulator")}/inspection", text, StringComparison.Ordinal);
        Assert.DoesNotContain("regulator", text, StringComparison.Ordinal);
        Assert.DoesNotContain("kind\":\"Domain", text, StringComparison.Ordinal);
        Assert.True(CanonicalJson.IsCanonical(CanonicalJson.Write(ledger.Body)));
    }

    [Fact]
    public void A_demand_on_information_is_signed_with_ids_and_reads_back_as_it_was_written()
    {
        var signed = SignedExample.Of(Example.ThreeTenants.With(
            "bank/web.yaml", "groups: {",
            "information: {notTo: [hospital/records], jurisdictions: [CH, DE], keepers: [regulator/inspection], "
            + "conflicts: [{class: care, with: [hospital/records]}]}\ngroups: {"));
        var web = signed.Datacentre().Domains[$"{signed.Party("bank")}/web"];
        var text = signed.Statements.Single(one => one.Kind == StatementKind.Domain && one.Name.Text == "web")
            .Body.GetRawText();

        Assert.DoesNotContain("hospital", text, StringComparison.Ordinal);
        Assert.DoesNotContain("regulator", text, StringComparison.Ordinal);
        DomainRef records = new(signed.Party("hospital"), StatementName.Parse("records"));
        Assert.Equal([records], web.Information.NotTo);
        Assert.Equal(["CH", "DE"], web.Information.Jurisdictions ?? []);
        Assert.Equal(
            [new DomainRef(signed.Party("regulator"), StatementName.Parse("inspection"))], web.Information.Keepers);
        var conflict = Assert.Single(web.Information.Conflicts);
        Assert.Equal(("care", records), (conflict.Name.Text, Assert.Single(conflict.With)));
    }

    [Fact]
    public void Everything_that_cannot_be_resolved_is_a_finding()
    {
        var documents = Example.ThreeTenants.Read().Documents;
        var nothing = SigningMaterial.Of(PartyNames.None);

        var codes = documents.SelectMany(document => document.ToSignedBody(nothing) switch
        {
            SignedBody.Ready => [],
            SignedBody.Unready unready => unready.Findings.Select(
                finding => (document.Origin.Kind, finding.Code, finding.Pointer)),
            _ => throw new System.Diagnostics.UnreachableException(),
        }).Distinct().ToHashSet();

        Assert.Contains((StatementKind.Domain, FindingCode.UnknownParty, "/hosts/operators/0"), codes);
        Assert.Contains((StatementKind.Domain, FindingCode.UnknownParty, "/flows/accepts/1/from"), codes);
        Assert.Contains((StatementKind.Datacentre, FindingCode.UnknownParty, "/tenants/2"), codes);
        Assert.Contains((StatementKind.Tenant, FindingCode.MissingKey, "/roots"), codes);
        Assert.Contains((StatementKind.Host, FindingCode.MissingKey, "/identityKey"), codes);
        Assert.Contains((StatementKind.Image, FindingCode.MissingFileDigest, "/kernel/file"), codes);
        Assert.Contains((StatementKind.Image, FindingCode.MissingFileDigest, "/initrd/file"), codes);
        Assert.DoesNotContain(codes,
            row => row.Kind is StatementKind.Volume or StatementKind.Link);
        Assert.Equal(
            [(StatementKind.Compartment, FindingCode.UnknownParty, "/disks/1/volume")],
            codes.Where(row => row.Kind == StatementKind.Compartment));
    }

    [Fact]
    public void The_endorsement_key_and_the_vendors_are_part_of_what_is_signed()
    {
        var signed = SignedExample.Of(Example.ThreeTenants
            .With(
                "alpine/hosts.yaml", "name: host-1\njurisdiction: CH\nassurance: software",
                $"name: host-1\njurisdiction: CH\nassurance: tpm\ntpm: {{ek: {new string('e', 64)}}}")
            .With(
                "hospital/records.yaml", "assurance: [software]",
                "assurance: [tpm]\n  vendors: {file: vendors.pem}"));
        var datacentre = PolicyCheck.Run(PolicyDocuments.FromStatements(signed.Statements).Documents).Datacentre;

        var host = Assert.Single(datacentre.Inventory.Hosts.Values, one => one.Assurance == AssuranceLevel.Tpm);
        Assert.Equal(new string('e', 64), host.EndorsementKey);
        Assert.Equal(
            new string('c', 64), datacentre.Domains.Values.Single(d => d.Ref.Name.Text == "records").Hosts.Vendors);
    }

    [Fact]
    public void A_host_that_gives_tpm_is_not_signed_without_its_endorsement_key()
    {
        var names = SignedExample.Of(Example.ThreeTenants).Names;
        var host = Example.ThreeTenants.With("alpine/hosts.yaml", "assurance: software", "assurance: software-tpm")
            .Read().Documents.First(one => one.Origin.Kind == StatementKind.Host);
        var material = SignedExample.Material(names, "alpine");
        string key = new('d', 64);

        var ready = Assert.IsType<SignedBody.Ready>(host.ToSignedBody(
            material with { EndorsementKeys = material.EndorsementKeys.Add(host.Origin.Name.Text, key) }));
        Assert.Contains($"\"ek\":\"{key}\"", Encoding.UTF8.GetString(ready.Canonical.Span), StringComparison.Ordinal);
        var unready = Assert.IsType<SignedBody.Unready>(host.ToSignedBody(material));
        Assert.Equal(FindingCode.MissingEndorsementKey, Assert.Single(unready.Findings).Code);
    }

    [Fact]
    public void Who_accepts_tpm_must_name_the_vendors()
    {
        var bare = Example.ThreeTenants.With("hospital/records.yaml", "assurance: [software]", "assurance: [tpm]");

        var finding = Assert.Single(bare.Check().Findings, one => one.Code == FindingCode.MissingVendors);
        Assert.Equal("/hosts", finding.Pointer);
        Assert.DoesNotContain(
            bare.With("hospital/records.yaml", "assurance: [tpm]", "assurance: [tpm]\n  vendors: {file: v.pem}")
                .Check().Findings,
            one => one.Code == FindingCode.MissingVendors);
    }

    [Fact]
    public void A_document_with_findings_gives_no_body()
    {
        var broken = Example.ThreeTenants.With("bank/web.yaml", "wipe: crypto-erase", "wipe: none").Read().Documents
            .First(one => one.Origin is { Kind: StatementKind.Volume, OwnerName: "bank" }
                && one.File == "bank/web.yaml");

        var unready = Assert.IsType<SignedBody.Unready>(broken.ToSignedBody(SigningMaterial.Of(PartyNames.None)));
        Assert.Equal(FindingCode.UnknownEnumValue, Assert.Single(unready.Findings).Code);
    }

    [Fact]
    public void A_signed_body_cannot_be_signed_again_or_carry_authored_names()
    {
        var signed = PolicyDocuments.FromStatements(SignedExample.Of(Example.ThreeTenants).Statements).Documents[0];

        Assert.Throws<InvalidOperationException>(() => signed.ToSignedBody(SigningMaterial.Of(PartyNames.None)));
    }

    [Fact]
    public void Parties_that_call_themselves_the_same_are_shown_apart()
    {
        var (one, other) = (PartyId.Unsigned("a"), PartyId.Unsigned("b"));
        var names = PartyNames.Of([KeyValuePair.Create("bank", one), KeyValuePair.Create("bank", other)]);

        Assert.Null(names.Find("bank"));
        Assert.Equal($"bank~{one.Short}", names.NameOf(one));
        Assert.Equal($"bank~{other.Short}", names.NameOf(other));
        Assert.Equal("c", PartyNames.Of([KeyValuePair.Create("c", one)]).NameOf(one));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"parties\":[]}")]
    [InlineData("{\"parties\":{},\"more\":1}")]
    [InlineData("{\"parties\":{\"bank\":\"00\"}}")]
    [InlineData("{\"parties\":{\"../bank\":\"" + Zeros + "\"}}")]
    [InlineData("{\"parties\":{\"a\":\"" + Zeros + "\",\"b\":\"" + Zeros + "\"}}")]
    public void Refuses_names_in_another_form(string json)
    {
        Assert.Null(PartyNames.ReadJson(Encoding.UTF8.GetBytes(json)));
        var names = PartyNames.Unsigned(["bank", "hospital"]);
        Assert.Equal(names.Names, PartyNames.ReadJson(names.ToJson())?.Names);
    }

    private static string Cells(CheckedDatacentre datacentre)
    {
        var matrix = FlowMatrix.Of(datacentre);
        var machines = datacentre.Machinery.Compartments.Values.Select(machine => machine.Ref).ToArray();
        return string.Join('\n', machines.SelectMany(_ => machines, (from, to) => matrix.Expect(from, to) switch
        {
            FlowExpectation.Everything => "all",
            FlowExpectation.Only only => string.Join(
                ",", only.Flows.Select(flow => ((FlowResource.Network)flow.Resource).Ports[0].First)),
            FlowExpectation.Nothing nothing => nothing.Because,
            _ => throw new System.Diagnostics.UnreachableException(),
        }));
    }
}
