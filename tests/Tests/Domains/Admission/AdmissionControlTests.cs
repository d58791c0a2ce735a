using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Admission;

public sealed class AdmissionControlTests
{
    private const string Web = "bank/web.yaml";
    private const string Hosts = "alpine/hosts.yaml";

    [Fact]
    public void Admits_every_machine_of_the_example_where_its_tenant_wants_it()
    {
        var verdicts = AdmissionControl.DecideAll(Datacentre(), All, Now);
        Assert.Equal(All.Count, verdicts.Length);
        Assert.All(verdicts, verdict => Assert.NotEmpty(
            Assert.IsType<AdmissionVerdict.Admitted>(verdict).Because));
    }

    [Fact]
    public void Gives_every_reason_in_the_order_of_the_checks()
    {
        var example = Example.ThreeTenants
            .With(Hosts, "jurisdiction: DE", "jurisdiction: FR")
            .With(
                Hosts, "assurance: software\nunderlay: {ipv4: 10.99.0.13}",
                "assurance: tpm\nunderlay: {ipv4: 10.99.0.13}");
        var refused = Refused(Decide(example, "bank/web-1", "host-3"));
        Assert.Equal(
            [
                AdmissionRefusalCode.AssuranceNotAccepted, AdmissionRefusalCode.JurisdictionNotAccepted,
                AdmissionRefusalCode.HostNotChosen,
            ],
            refused.Refusals.Select(refusal => refusal.Code));
        Assert.Contains("FR", refused.Refusals[1].Sentence, StringComparison.Ordinal);
        Assert.Contains("CH, DE", refused.Refusals[1].Sentence, StringComparison.Ordinal);
        Assert.All(refused.Refusals, refusal => Assert.NotNull(refusal.Because));
    }

    [Fact]
    public void Refuses_an_unknown_machine_and_an_unknown_host()
    {
        Refuses(AdmissionRefusalCode.UnknownCompartment, Decide(null, "bank/web-9", "host-1"));
        Refuses(AdmissionRefusalCode.UnknownHost, Decide(null, "bank/web-1", "host-9"));
    }

    [Fact]
    public void Refuses_everything_without_a_datacentre()
    {
        var verdict = Decide(Example.ThreeTenants.Without("alpine/datacentre.yaml"), "bank/web-1", "host-1");
        Refuses(AdmissionRefusalCode.UnknownHost, verdict);
        Refuses(AdmissionRefusalCode.TenantNotInDatacentre, verdict);
    }

    [Fact]
    public void Refuses_a_tenant_that_the_operator_does_not_list() =>
        RefusesOnly(AdmissionRefusalCode.TenantNotInDatacentre, Decide(
            Example.ThreeTenants.With("alpine/datacentre.yaml", "[hospital, bank, regulator]", "[hospital, bank]"),
            "regulator/inspector-1", "host-3"));

    [Theory]
    [InlineData("2036-01-01T00:00:00Z", false)]
    [InlineData("2035-12-31T23:59:59Z", true)]
    public void Refuses_from_the_moment_a_policy_expires(string now, bool admitted)
    {
        var verdict = AdmissionControl.Decide(
            Datacentre(), Machine("bank/web-1"), Host("host-1"), [],
            DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(admitted, verdict is AdmissionVerdict.Admitted);
        if (!admitted)
        {
            RefusesOnly(AdmissionRefusalCode.PolicyExpired, verdict);
        }
    }

    [Theory]
    [InlineData("operators: [alpine]", "operators: [bank]", AdmissionRefusalCode.OperatorNotAccepted)]
    [InlineData("assurance: [software]", "assurance: [software-tpm]", AdmissionRefusalCode.AssuranceNotAccepted)]
    [InlineData("jurisdictions: [CH, DE]", "jurisdictions: [DE]", AdmissionRefusalCode.JurisdictionNotAccepted)]
    [InlineData("placement: {hosts: [host-1]}", "placement: {hosts: [host-2]}", AdmissionRefusalCode.HostNotChosen)]
    [InlineData("wipe: crypto-erase", "wipe: crypto-erase\nmount: {hosts: [host-2]}",
        AdmissionRefusalCode.VolumeHostNotAllowed)]
    [InlineData("wipe: crypto-erase", "wipe: crypto-erase\nmount: {images: [other]}",
        AdmissionRefusalCode.VolumeImageNotAllowed)]
    [InlineData("quota: {machines: 4, cpus: 4,", "quota: {machines: 1, cpus: 4,", AdmissionRefusalCode.QuotaExceeded)]
    [InlineData("memoryMiB: 1024, storageMiB", "memoryMiB: 128, storageMiB", AdmissionRefusalCode.QuotaExceeded)]
    [InlineData("storageMiB: 256", "storageMiB: 15", AdmissionRefusalCode.QuotaExceeded)]
    public void Refuses_what_the_domain_or_the_machine_does_not_accept(
        string old, string replacement, AdmissionRefusalCode code)
    {
        var here = All.Where(proposal => proposal.Compartment != Machine("bank/web-1")).ToList();
        Assert.IsType<AdmissionVerdict.Admitted>(Decide(null, "bank/web-1", "host-1", here));
        RefusesOnly(code, Decide(Example.ThreeTenants.With(Web, old, replacement), "bank/web-1", "host-1", here));
    }

    [Fact]
    public void Refuses_company_that_a_machine_must_not_have_and_demands_the_company_it_must()
    {
        var free = Example.ThreeTenants
            .With(Web, "placement: {hosts: [host-1]}", "placement: {hosts: [host-1, host-3]}");
        var apart = Decide(free, "bank/web-1", "host-3", [Proposal("bank/web-2", "host-3")]);
        RefusesOnly(AdmissionRefusalCode.NotApart, apart);
        var together = free.With(Web, "apartFrom: [web-1]", "togetherWith: [web-1]");
        RefusesOnly(AdmissionRefusalCode.NotTogether,
            Decide(together, "bank/web-1", "host-1", [Proposal("bank/web-2", "host-3")]));
        Assert.IsType<AdmissionVerdict.Admitted>(
            Decide(together, "bank/web-1", "host-3", [Proposal("bank/web-2", "host-3")]));
    }

    [Theory]
    [InlineData("storageMiB: 33", true)]
    [InlineData("storageMiB: 32", false)]
    public void A_volume_beyond_its_domains_quota_is_nobodys_not_a_borrowers_either(string quota, bool admitted)
    {
        // Before the archive, by name, there are 32 MiB; it is lent to the inspectors.
        var example = Example.ThreeTenants.With("bank/ledger.yaml", "storageMiB: 256", quota);
        foreach (var (machine, host) in new[] { ("bank/ledger-1", "host-2"), ("regulator/inspector-1", "host-3") })
        {
            var verdict = Decide(example, machine, host);
            Assert.Equal(admitted, verdict is AdmissionVerdict.Admitted);
            if (!admitted)
            {
                RefusesOnly(AdmissionRefusalCode.QuotaExceeded, verdict);
            }
        }
    }

    [Theory]
    [InlineData("memoryMiB: 112", true)]
    [InlineData("memoryMiB: 111", false)]
    public void Refuses_a_machine_for_which_the_host_has_no_room(string memory, bool admitted)
    {
        var example = Example.ThreeTenants.With(
            Hosts, "underlay: {ipv4: 10.99.0.11}\ncapacity: {cpus: 8, memoryMiB: 1024}",
            $"underlay: {{ipv4: 10.99.0.11}}\ncapacity: {{cpus: 8, {memory}}}");
        var verdict = Decide(example, "bank/web-1", "host-1");
        Assert.Equal(admitted, verdict is AdmissionVerdict.Admitted);
        if (!admitted)
        {
            RefusesOnly(AdmissionRefusalCode.HostFull, verdict);
        }
    }

    [Fact]
    public void Keeps_what_others_reserved_but_no_more_than_their_share()
    {
        var small = Example.ThreeTenants.With(Hosts, "memoryMiB: 1024", "memoryMiB: 160");
        Assert.IsType<AdmissionVerdict.Admitted>(Decide(small, "bank/web-1", "host-1"));
        RefusesOnly(AdmissionRefusalCode.HostFull, Decide(
            small, "bank/web-1", "host-1", [Proposal("bank/ledger-1", "host-2")]));
        var greedy = Example.ThreeTenants.With("hospital/records.yaml", "reservation: {cpus: 1, memoryMiB: 128}",
            "reservation: {cpus: 1000, memoryMiB: 1000000}")
            .With("hospital/records.yaml", "quota: {machines: 4, cpus: 4, memoryMiB: 1024",
            "quota: {machines: 4, cpus: 1000, memoryMiB: 1000000");
        Assert.IsType<AdmissionVerdict.Admitted>(Decide(greedy, "bank/web-1", "host-1"));
    }

    [Fact]
    public void Believes_no_proposal_that_would_not_be_admitted()
    {
        // Two hospital machines on a German host would fill the quota, were they admitted there.
        var example = Example.ThreeTenants.With(
            "hospital/records.yaml", "quota: {machines: 4", "quota: {machines: 1");
        var lies = new[] { Proposal("hospital/records-2", "host-3") };
        Assert.IsType<AdmissionVerdict.Admitted>(Decide(example, "hospital/records-1", "host-1", lies));
        RefusesOnly(AdmissionRefusalCode.QuotaExceeded, Decide(
            example, "hospital/records-1", "host-1", [Proposal("hospital/records-2", "host-2")]));
    }

    [Fact]
    public void Refuses_a_machine_that_is_proposed_for_two_hosts_on_both()
    {
        var example = Example.ThreeTenants
            .With(Web, "placement: {hosts: [host-1]}", "placement: {hosts: [host-1, host-2]}");
        var verdicts = AdmissionControl.DecideAll(
            Datacentre(example), [Proposal("bank/web-1", "host-1"), Proposal("bank/web-1", "host-2")], Now);
        Assert.Equal(2, verdicts.Length);
        Assert.All(verdicts, verdict => RefusesOnly(AdmissionRefusalCode.HostNotChosen, verdict));
    }

    [Fact]
    public void Counts_a_proposal_that_is_not_to_run_for_nothing()
    {
        var example = Example.ThreeTenants.With(Web, "quota: {machines: 4", "quota: {machines: 1");
        Assert.IsType<AdmissionVerdict.Admitted>(Decide(
            example, "bank/web-1", "host-1", [Proposal("bank/web-2", "host-3", running: false)]));
        RefusesOnly(AdmissionRefusalCode.QuotaExceeded, Decide(
            example, "bank/web-1", "host-1", [Proposal("bank/web-2", "host-3")]));
    }

    [Theory]
    [InlineData(AdmissionRefusalCode.UnknownDomain)]
    [InlineData(AdmissionRefusalCode.UnknownImage)]
    [InlineData(AdmissionRefusalCode.ImageNotAccepted)]
    [InlineData(AdmissionRefusalCode.BootVolumeNotRead)]
    [InlineData(AdmissionRefusalCode.FirmwareNotAccepted)]
    [InlineData(AdmissionRefusalCode.TpmMissing)]
    [InlineData(AdmissionRefusalCode.UnknownVolume)]
    [InlineData(AdmissionRefusalCode.VolumeFlowClosed)]
    [InlineData(AdmissionRefusalCode.AddressOutsideDomain)]
    [InlineData(AdmissionRefusalCode.AddressTaken)]
    public void Refuses_a_broken_machine_even_if_the_policy_check_had_let_it_through(AdmissionRefusalCode code)
    {
        var sound = Datacentre();
        Assert.IsType<AdmissionVerdict.Admitted>(
            AdmissionControl.Decide(sound, Machine("bank/web-2"), Host("host-3"), [], Now));
        var broken = Broken(sound, code);
        RefusesOnly(code, AdmissionControl.Decide(broken, Machine("bank/web-2"), Host("host-3"), [], Now));
    }

    [Theory]
    [InlineData("[web-1, web-2]", true)]
    [InlineData("[web-1]", false)]
    public void Joins_two_domains_in_a_machine_only_if_a_flow_names_it_on_both_sides(string senders, bool admitted)
    {
        var sound = Datacentre(Example.ThreeTenants.With(Web, "{front: [web-1, web-2]}", $"{{front: {senders}}}"));
        var machine = sound.Machinery.Compartments[Machine("bank/web-2").ToString()];
        var second = new NicModel(Domain("bank/ledger").Name, System.Net.IPAddress.Parse("10.20.2.99"), null);
        var joining = With(sound, sound.Domains, sound.Machinery with
        {
            Compartments = sound.Machinery.Compartments.SetItem(
                machine.Ref.ToString(), machine with { Nics = machine.Nics.Add(second) }),
        });
        var verdict = AdmissionControl.Decide(joining, Machine("bank/web-2"), Host("host-3"), [], Now);
        Assert.Equal(admitted, verdict is AdmissionVerdict.Admitted);
        if (!admitted)
        {
            // The image of the web domain is the ledger's too, so nothing else stands against the machine.
            RefusesOnly(AdmissionRefusalCode.DomainsNotJoined, verdict);
        }
    }

    private static CheckedDatacentre Broken(CheckedDatacentre sound, AdmissionRefusalCode code)
    {
        var machine = sound.Machinery.Compartments[Machine("bank/web-2").ToString()];
        var domain = sound.Domains[Domain("bank/web").ToString()];
        var nic = machine.Nics[0];
        var image = sound.Machinery.Images[new ImageRef(machine.Ref.Tenant, machine.Image).ToString()];
        var name = StatementName.Parse("nowhere");
        return code switch
        {
            AdmissionRefusalCode.UnknownDomain => Sound(machine with { Nics = [], Disks = [] }),
            AdmissionRefusalCode.UnknownImage => WithDomain(
                Sound(machine with { Image = name }),
                domain with { Machines = domain.Machines with { Images = [name] } }),
            AdmissionRefusalCode.ImageNotAccepted =>
                WithDomain(sound, domain with { Machines = domain.Machines with { Images = [] } }),
            AdmissionRefusalCode.BootVolumeNotRead => With(sound, sound.Domains, sound.Machinery with
            {
                Images = sound.Machinery.Images.SetItem(
                    image.Ref.ToString(), image with { BootVolumeSha256 = new string('a', 64) }),
            }),
            AdmissionRefusalCode.FirmwareNotAccepted => WithDomain(
                sound, domain with { Machines = domain.Machines with { Firmware = FirmwareDemand.Ovmf } }),
            AdmissionRefusalCode.TpmMissing => WithDomain(
                sound, domain with { Machines = domain.Machines with { Tpm = TpmDemand.Required } }),
            AdmissionRefusalCode.UnknownVolume =>
                Sound(machine with
                {
                    Disks = [new DiskModel(new VolumeRef(machine.Ref.Tenant, name), VolumeAccess.Read)],
                }),
            AdmissionRefusalCode.VolumeFlowClosed => Sound(machine with
            {
                Disks = [new DiskModel(
                    new VolumeRef(machine.Ref.Tenant, StatementName.Parse("ledger-1-data")), VolumeAccess.Read)],
            }),
            AdmissionRefusalCode.AddressOutsideDomain => Sound(machine with
            {
                Nics = [nic with { Ipv4 = System.Net.IPAddress.Parse("10.20.1.1") }],
            }),
            AdmissionRefusalCode.AddressTaken => Sound(machine with
            {
                Nics = [nic with { Ipv4 = System.Net.IPAddress.Parse("10.20.1.11") }],
            }),
            _ => throw new ArgumentOutOfRangeException(nameof(code)),
        };

        CheckedDatacentre Sound(CompartmentModel changed) => With(sound, sound.Domains, sound.Machinery with
        {
            Compartments = sound.Machinery.Compartments.SetItem(changed.Ref.ToString(), changed),
        });
    }

    private static CheckedDatacentre WithDomain(CheckedDatacentre sound, DomainModel domain) =>
        With(sound, sound.Domains.SetItem(domain.Ref.ToString(), domain), sound.Machinery);

    private static CheckedDatacentre With(
        CheckedDatacentre sound, ImmutableSortedDictionary<string, DomainModel> domains, Machinery machinery) =>
        new(sound.Tenants, sound.Datacentre, sound.Inventory, domains, machinery);

    private static AdmissionVerdict Decide(
        Example? example, string machine, string host, IReadOnlyList<PlacementProposal>? proposals = null) =>
        AdmissionControl.Decide(Datacentre(example), Machine(machine), Host(host), proposals ?? [], Now);

    private static AdmissionVerdict.Refused Refused(AdmissionVerdict verdict) =>
        Assert.IsType<AdmissionVerdict.Refused>(verdict);

    private static void Refuses(AdmissionRefusalCode code, AdmissionVerdict verdict) =>
        Assert.Contains(code, Refused(verdict).Refusals.Select(refusal => refusal.Code));

    private static void RefusesOnly(AdmissionRefusalCode code, AdmissionVerdict verdict) =>
        Assert.Equal([code], Refused(verdict).Refusals.Select(refusal => refusal.Code).Distinct());
}
