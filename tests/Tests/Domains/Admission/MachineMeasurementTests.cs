using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Admission;

/// <summary>What a host measures of a machine before its start decides whether it starts.</summary>
public sealed class MachineMeasurementTests
{
    private const string Images = "bank/images.yaml";
    private const string Web = "bank/web.yaml";
    private static readonly string Firmware = new('f', 64);

    private static readonly MachinePaths Paths =
        new("/p/boot", "/p/pool", "/p/machines", "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated);

    private static readonly Example Measured = Example.ThreeTenants
        .With(Images, "initrd: {file: initrd.gz}", $"initrd: {{file: initrd.gz}}\nfirmware: {{sha256: {Firmware}}}")
        .With(Web, "name: web-1\ncpus: 1", "name: web-1\nfirmware: ovmf\ntpm: required\ncpus: 1");

    private static readonly string Content = new('c', 64);

    private static readonly Example Sealed = Example.ThreeTenants
        .Plus(Images,
            "kind: Image\nname: sealed\nkernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\n"
            + $"bootVolume: {{sha256: {Content}}}\narguments: console=ttyS0 root=/dev/vda")
        .With(Web, "images: [guest]", "images: [guest, sealed]")
        .With(
            Web, "boot: {image: guest}\ndisks:\n  - {volume: web-1-data, access: write}",
            "boot: {image: sealed}\ndisks:\n  - {volume: web-1-data, access: read}");

    private static readonly Example Demanding = Measured
        .With(Web, "images: [guest]", "images: [guest]\n  firmware: ovmf\n  tpm: required")
        .With(Web, "name: web-2\ncpus: 1", "name: web-2\nfirmware: ovmf\ntpm: required\ncpus: 1");

    [Fact]
    public void Admits_the_machine_that_was_measured_as_its_tenant_describes_it()
    {
        Assert.IsType<AdmissionVerdict.Admitted>(Start(Measured, measured => measured));
        Assert.IsType<AdmissionVerdict.Admitted>(Start(Example.ThreeTenants, measured => measured));
    }

    [Theory]
    [InlineData(BootFileRole.Firmware, AdmissionRefusalCode.FirmwareDiffers)]
    [InlineData(BootFileRole.Kernel, AdmissionRefusalCode.KernelDiffers)]
    [InlineData(BootFileRole.Initrd, AdmissionRefusalCode.InitrdDiffers)]
    public void Refuses_a_boot_file_that_is_another_than_the_image_states(BootFileRole role, AdmissionRefusalCode code)
    {
        foreach (MeasuredFile? file in new[]
        {
            new MeasuredFile(role, new string('0', 64), ""), new MeasuredFile(role, null, "no such file"), null,
        })
        {
            var refusal = Only(code, Start(Measured, measured => measured with
            {
                Files = [.. measured.Files.Where(one => one.Role != role), .. file is null ? [] : new[] { file }],
            }));
            Assert.Contains("bank/guest", refusal.Sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Refuses_another_boot_volume_than_the_image_states_and_one_that_was_not_measured()
    {
        Assert.Empty(Sealed.Check().Findings);
        Assert.IsType<AdmissionVerdict.Admitted>(Start(Sealed, measured => measured));
        foreach (MeasuredFile? file in new[]
        {
            new MeasuredFile(BootFileRole.BootVolume, new string('0', 64), ""),
            new MeasuredFile(BootFileRole.BootVolume, null, "the pool is away"), null,
        })
        {
            Only(AdmissionRefusalCode.BootVolumeDiffers, Start(Sealed, measured => measured with
            {
                Files = [.. measured.Files.Where(one => one.Role != BootFileRole.BootVolume),
                    .. file is null ? [] : new[] { file }],
            }));
        }
    }

    [Theory]
    [InlineData("disks:\n  - {volume: web-1-data, access: read}", "disks:\n  - {volume: web-1-data, access: write}")]
    [InlineData("disks:\n  - {volume: web-1-data, access: read}", "disks: []")]
    public void A_boot_volume_that_the_machine_may_write_is_a_finding_and_is_refused(string read, string other)
    {
        var broken = Sealed.With(Web, read, other);
        var finding = Assert.Single(broken.Check().Findings);
        Assert.Equal((FindingCode.BootVolumeNotRead, "/disks"), (finding.Code, finding.Pointer));
        Only(AdmissionRefusalCode.BootVolumeNotRead, AdmissionControl.Decide(
            Datacentre(broken), Machine("bank/web-1"), Host("host-1"), All, Now));
        Assert.IsType<AdmissionVerdict.Admitted>(AdmissionControl.Decide(
            Datacentre(Sealed), Machine("bank/web-1"), Host("host-1"), All, Now));
    }

    [Theory]
    [InlineData("\nfirmware: ovmf\ntpm: required\ncpus", "\ntpm: required\ncpus", FindingCode.FirmwareNotAccepted,
        "/firmware", AdmissionRefusalCode.FirmwareNotAccepted)]
    [InlineData("\nfirmware: ovmf\ntpm: required\ncpus", "\nfirmware: direct\ntpm: required\ncpus",
        FindingCode.FirmwareNotAccepted, "/firmware", AdmissionRefusalCode.FirmwareNotAccepted)]
    [InlineData("\nfirmware: ovmf\ntpm: required\ncpus", "\nfirmware: ovmf\ncpus", FindingCode.TpmMissing, "/tpm",
        AdmissionRefusalCode.TpmMissing)]
    [InlineData("\nfirmware: ovmf\ntpm: required\ncpus", "\nfirmware: ovmf\ntpm: none\ncpus",
        FindingCode.TpmMissing, "/tpm", AdmissionRefusalCode.TpmMissing)]
    public void What_a_domain_demands_of_its_machines_is_a_finding_and_is_refused(
        string had, string has, FindingCode found, string pointer, AdmissionRefusalCode code)
    {
        Assert.Empty(Demanding.Check().Findings);
        Assert.IsType<AdmissionVerdict.Admitted>(Start(Demanding, measured => measured));
        var lacking = Demanding.With(Web, "name: web-1" + had, "name: web-1" + has);
        var finding = Assert.Single(lacking.Check().Findings);
        Assert.Equal((found, pointer), (finding.Code, finding.Pointer));
        Only(code, AdmissionControl.Decide(
            Datacentre(lacking), Machine("bank/web-1"), Host("host-1"), All, Now));
    }

    [Theory]
    [InlineData("firmware: ovmf\n  tpm: required", "firmware: direct", FindingCode.UnknownEnumValue)]
    [InlineData("firmware: ovmf\n  tpm: required", "tpm: none", FindingCode.UnknownEnumValue)]
    [InlineData("firmware: ovmf\n  tpm: required", "tpm: yes", FindingCode.UnknownEnumValue)]
    [InlineData("firmware: ovmf\n  tpm: required", "vtpm: required", FindingCode.UnknownMember)]
    public void A_demand_in_another_word_is_a_finding(string old, string replacement, FindingCode code) =>
        Assert.Contains(Demanding.With(Web, old, replacement).Check().Findings, finding => finding.Code == code);

    [Theory]
    [InlineData("bailiwick.machine=", "init=/bin/sh bailiwick.machine=", AdmissionRefusalCode.CommandLineDiffers)]
    [InlineData("/p/boot/", "/p/other/", AdmissionRefusalCode.DescriptionDiffers)]
    [InlineData("<loader type=\"rom\">", "<loader type=\"pflash\">", AdmissionRefusalCode.DescriptionDiffers)]
    [InlineData("tpm-crb", "tpm-tis", AdmissionRefusalCode.DescriptionDiffers)]
    [InlineData("/tpm.sock", "/other.sock", AdmissionRefusalCode.DescriptionDiffers)]
    [InlineData("type=\"external\"", "type=\"passthrough\"", AdmissionRefusalCode.DescriptionDiffers)]
    public void Refuses_what_is_not_the_described_machine(string old, string replacement, AdmissionRefusalCode code)
    {
        var verdict = Start(Measured, measured => measured with { Found = Changed(Measured, old, replacement) });
        var refused = Assert.IsType<AdmissionVerdict.Refused>(verdict);
        Assert.All(refused.Refusals, refusal => Assert.Equal(code, refusal.Code));
    }

    [Fact]
    public void Refuses_a_machine_whose_TPM_was_taken_out() => Only(
        AdmissionRefusalCode.DescriptionDiffers,
        Start(Measured, measured => measured with { Found = Without("tpm") }), atLeast: true);

    [Fact]
    public void No_firmware_is_accepted_by_default()
    {
        var silent = Measured.With(Images, $"\nfirmware: {{sha256: {Firmware}}}", "");
        var finding = Assert.Single(silent.Check().Findings);
        Assert.Equal((FindingCode.FirmwareNotStated, "/firmware"), (finding.Code, finding.Pointer));
        var verdict = AdmissionControl.Decide(
            Datacentre(silent), Machine("bank/web-1"), Host("host-1"), All, Now);
        Only(AdmissionRefusalCode.FirmwareNotStated, verdict);
        Assert.IsType<AdmissionVerdict.Admitted>(AdmissionControl.Decide(
            Datacentre(Measured), Machine("bank/web-1"), Host("host-1"), All, Now));
    }

    [Theory]
    [InlineData("firmware: ovmf", "firmware: OVMF", FindingCode.UnknownEnumValue)]
    [InlineData("firmware: ovmf", "firmware: uefi", FindingCode.UnknownEnumValue)]
    [InlineData("tpm: required", "tpm: true", FindingCode.WrongType)]
    [InlineData("tpm: required", "tpm: optional", FindingCode.UnknownEnumValue)]
    [InlineData("tpm: required", "vtpm: required", FindingCode.UnknownMember)]
    public void Anything_else_than_the_closed_words_is_a_finding(string old, string replacement, FindingCode code) =>
        Assert.Contains(Measured.With(Web, old, replacement).Check().Findings, finding => finding.Code == code);

    [Theory]
    [InlineData(30, 60, true)]
    [InlineData(45, 60, true)]
    [InlineData(46, 60, false)]
    [InlineData(46, 44, true)]
    [InlineData(91, 0, false)]
    public void Starts_only_where_its_domains_part_of_the_uplink_is_kept_or_is_no_more_than_an_equal_one(
        int web, int records, bool starts)
    {
        // 90 of 100 are shared out, to two domains 45 each.
        var example = Example.ThreeTenants
            .With("alpine/hosts.yaml", "memoryMiB: 1024}", "memoryMiB: 1024, uplinkMbit: 100}")
            .With(Web, "groups:", $"bandwidth: {{reserveMbit: {web}}}\ngroups:");
        example = records == 0 ? example : example.With(
            "hospital/records.yaml", "approvals:", $"bandwidth: {{reserveMbit: {records}}}\napprovals:");
        var verdict = Start(example, measured => measured);
        if (starts)
        {
            Assert.IsType<AdmissionVerdict.Admitted>(verdict);
            return;
        }

        var refusal = Only(AdmissionRefusalCode.UplinkFull, verdict);
        Assert.Contains($"{web}, and an equal part is", refusal.Sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("records", refusal.Sentence, StringComparison.Ordinal);
        // Whoever runs, runs on: another tenant's reservation stops nobody.
        Assert.IsType<AdmissionVerdict.Admitted>(AdmissionControl.Decide(
            Datacentre(example), Machine("bank/web-1"), Host("host-1"), All, Now));
    }

    [Fact]
    public void The_machines_own_integrity_comes_first()
    {
        var far = Measured.With("alpine/hosts.yaml", "jurisdiction: CH", "jurisdiction: FR");
        var plan = Plan(Measured);
        var found = MachineXml.Of(plan, Paths).Replace("init", "x", StringComparison.Ordinal);
        var measured = new MachineMeasurement(
            plan.Ref, MachineDescription.Of(plan, Paths), MachineDescription.FromXml(found), []);
        var refused = Assert.IsType<AdmissionVerdict.Refused>(
            AdmissionControl.DecideStart(Datacentre(far), measured, Host("host-1"), All, Now));
        Assert.Equal(
            [
                AdmissionRefusalCode.DescriptionDiffers, AdmissionRefusalCode.FirmwareDiffers,
                AdmissionRefusalCode.KernelDiffers, AdmissionRefusalCode.InitrdDiffers,
                AdmissionRefusalCode.JurisdictionNotAccepted,
            ],
            refused.Refusals.Select(refusal => refusal.Code).Distinct());
    }

    [Fact]
    public void Equal_machines_have_one_measurement_and_different_ones_have_not()
    {
        var plan = Plan(Measured);
        var xml = MachineXml.Of(plan, Paths);
        var planned = Measurement(plan, MachineDescription.Of(plan, Paths));
        var completed = xml.Replace("machine=\"q35\"", "machine=\"pc-q35-7.2\"", StringComparison.Ordinal);
        Assert.Equal(planned.Write(), Measurement(plan, MachineDescription.FromXml(completed)).Write());
        var other = xml.Replace("placement=\"static\">1", "placement=\"static\">2", StringComparison.Ordinal);
        Assert.NotEqual(planned.Write(), Measurement(plan, MachineDescription.FromXml(other)).Write());
        Assert.NotEqual(planned.Write(), (planned with { Files = [] }).Write());
    }

    private static AdmissionVerdict Start(Example example, Func<MachineMeasurement, MachineMeasurement> change)
    {
        var plan = Plan(example);
        var measured = change(Measurement(plan, MachineDescription.Of(plan, Paths)));
        return AdmissionControl.DecideStart(Datacentre(example), measured, Host("host-1"), All, Now);
    }

    private static CompartmentPlan Plan(Example example) =>
        Refine.ForHost(Datacentre(example), All, Host("host-1"), Now).Domains
            .SelectMany(domain => domain.Compartments).Single(plan => plan.Ref == Machine("bank/web-1"));

    private static MachineMeasurement Measurement(CompartmentPlan plan, MachineDescription found)
    {
        List<MeasuredFile> files =
        [
            new(BootFileRole.Kernel, plan.Boot.KernelSha256, ""), new(BootFileRole.Initrd, plan.Boot.InitrdSha256, ""),
        ];
        if (plan.Boot.FirmwareSha256 is { } firmware)
        {
            files.Insert(0, new MeasuredFile(BootFileRole.Firmware, firmware, ""));
        }

        if (plan.Boot.VolumeSha256 is { } volume)
        {
            files.Add(new MeasuredFile(BootFileRole.BootVolume, volume, ""));
        }

        return new MachineMeasurement(plan.Ref, MachineDescription.Of(plan, Paths), found, [.. files]);
    }

    private static MachineDescription Changed(Example example, string old, string replacement)
    {
        var xml = MachineXml.Of(Plan(example), Paths);
        Assert.Contains(old, xml, StringComparison.Ordinal);
        return MachineDescription.FromXml(xml.Replace(old, replacement, StringComparison.Ordinal));
    }

    private static MachineDescription Without(string device)
    {
        var document = System.Xml.Linq.XDocument.Parse(MachineXml.Of(Plan(Measured), Paths));
        document.Descendants(device).Single().Remove();
        return MachineDescription.FromXml(document.ToString());
    }

    private static AdmissionRefusal Only(AdmissionRefusalCode code, AdmissionVerdict verdict, bool atLeast = false)
    {
        var refused = Assert.IsType<AdmissionVerdict.Refused>(verdict);
        Assert.All(refused.Refusals, refusal => Assert.Equal(code, refusal.Code));
        return atLeast ? refused.Refusals[0] : Assert.Single(refused.Refusals);
    }
}
