using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.Endorsement;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Attestation.RuntimeLog;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>What a domain demands of a host's TPM, and of what it measured, decides over the domain's keys.</summary>
public sealed class EvidenceDemandTests
{
    private const string Levels = "  assurance: [software]\n";
    private static readonly SoftwareTpm Tpm = new();
    private static readonly EkMaker Vendor = EkMaker.Root("CN=Vendor");
    private static readonly string VendorFile = SoftwareTpm.Believed(Vendor).File.Hex;

    [Fact]
    public void Releases_to_a_host_whose_measurements_meet_every_demand() =>
        Assert.IsType<KeyVerdict.Release>(Scene(
            "{kind: crypto-agile}", "{kind: secure-boot, state: \"on\"}", "{kind: exit-boot-services}",
            "{kind: no-violations}", Program("proxy"), Firmware("Firmware 7")).Judge());

    [Fact]
    public void Refuses_and_names_the_one_demand_that_does_not_hold()
    {
        AssertDemand("secure boot", Scene("{kind: crypto-agile}", "{kind: secure-boot, state: \"off\"}"));
        AssertDemand(RuntimeScene.Proxy, Scene("{kind: no-violations}", Program("another proxy")));
        AssertDemand("Firmware 7", Scene("{kind: crypto-agile}", Firmware("Firmware 6")));
        AssertDemand("(boot log, event", Scene("{kind: crypto-agile}", Firmware("Firmware 6")));
    }

    [Fact]
    public void Names_every_demand_that_does_not_hold()
    {
        var refused = Assert.IsType<KeyVerdict.Refused>(
            Scene(Program("another proxy"), Firmware("Firmware 6")).Judge());
        Assert.Equal(
            [KeyRefusalCode.EvidenceDemand, KeyRefusalCode.EvidenceDemand],
            refused.Refusals.Select(refusal => refusal.Code));
    }

    [Fact]
    public void A_log_that_is_not_shown_meets_no_demand()
    {
        AssertDemand("boot log", Scene("{kind: crypto-agile}") with { Logs = EvidenceLogs.None });
        AssertDemand("runtime log", Scene("{kind: no-violations}") with
        {
            Logs = QuotedEvidence.Logs with { RuntimeLog = default },
        });
        Assert.IsType<KeyVerdict.Release>((Scene() with { Logs = EvidenceLogs.None }).Judge());
    }

    [Fact]
    public void A_hosts_word_is_no_quote()
    {
        AssertOnly(KeyRefusalCode.AssuranceNotAccepted, Scene() with { Evidence = claims => claims });
        Assert.IsType<KeyVerdict.Release>(Scene().Judge());
    }

    [Fact]
    public void Refuses_to_wrap_a_key_for_no_TPM_or_for_another_than_the_one_that_quoted()
    {
        AssertOnly(KeyRefusalCode.EndorsementKeyNotShown, Scene() with { EndorsementKey = null });
        AssertOnly(
            KeyRefusalCode.EndorsementKeyNotShown, Scene() with { EndorsementKey = new SoftwareTpm().EndorsementKey });
        AssertOnly(KeyRefusalCode.EndorsementKeyNotShown, Scene() with { EndorsementKey = Tpm.Quoting.Area });
        var release = Assert.IsType<KeyVerdict.Release>(Scene().Judge());
        Assert.Equal(Tpm.EndorsementKey, release.Tpm?.Area);
    }

    [Fact]
    public void Refuses_a_host_whose_TPM_is_not_enrolled_here() =>
        Assert.Contains("enrol", Assert.Single(Assert.IsType<KeyVerdict.Refused>(
            (Scene() with { Enrolment = null }).Judge()).Refusals).Sentence, StringComparison.Ordinal);

    [Fact]
    public void Only_the_vendors_that_a_domain_chose_make_a_TPM_of_the_level_tpm()
    {
        ReleaseScene scene = Demanding($"  assurance: [tpm]\n  vendors: {{sha256: {VendorFile}}}\n") with
        {
            Enrolment = Enrolled(true),
        };
        Assert.IsType<KeyVerdict.Release>(scene.Judge());
        AssertOnly(KeyRefusalCode.AssuranceNotAccepted, scene with { Enrolment = Enrolled(false) });
        string other = Digest32.Of("others"u8).Hex;
        AssertOnly(
            KeyRefusalCode.AssuranceNotAccepted,
            Demanding($"  assurance: [tpm]\n  vendors: {{sha256: {other}}}\n") with { Enrolment = Enrolled(true) });
        Assert.IsType<KeyVerdict.Release>(
            (Demanding("  assurance: [software-tpm]\n") with { Enrolment = Enrolled(true) }).Judge());
    }

    [Fact]
    public void The_choice_of_one_domain_is_not_that_of_another()
    {
        string other = Digest32.Of("others"u8).Hex;
        ReleaseScene scene = Demanding($"  assurance: [tpm]\n  vendors: {{sha256: {VendorFile}}}\n") with
        {
            Enrolment = Enrolled(true),
        };
        Example both = scene.Example.With(
            "bank/ledger.yaml", Levels, $"  assurance: [tpm, software-tpm]\n  vendors: {{sha256: {other}}}\n");
        VerifiedEvidence evidence = Assert.IsType<KeyVerdict.Release>((scene with { Example = both }).Judge()).Evidence;
        CheckedDatacentre datacentre = both.Check().Datacentre;
        Assert.Equal(EvidenceAssurance.Tpm, evidence.Assurance);
        Assert.Equal(
            AssuranceLevel.Tpm, PlatformLevel.Of(evidence, datacentre.Domains[$"{ReleaseScene.Bank}/web"]));
        Assert.Equal(
            AssuranceLevel.SoftwareTpm, PlatformLevel.Of(evidence, datacentre.Domains[$"{ReleaseScene.Bank}/ledger"]));
    }

    [Theory]
    [InlineData("{kind: secure-boots}", "/hosts/evidence/1/kind")]
    [InlineData("{kind: secure-boot, state: maybe}", "/hosts/evidence/1/state")]
    [InlineData("{kind: no-violations, but: some}", "/hosts/evidence/1/but")]
    [InlineData("{kind: kernel}", "/hosts/evidence/1/digests")]
    public void A_demand_that_cannot_be_understood_is_a_finding_with_its_place(string bad, string pointer)
    {
        PolicyCheckResult result = Scene("{kind: crypto-agile}", bad).Example.Check();
        Finding finding = Assert.Single(result.Findings, one => one.Code == FindingCode.BadPredicate);
        Assert.StartsWith(pointer, finding.Pointer, StringComparison.Ordinal);
        Assert.InRange(finding.Line, 7, 11);
        Assert.DoesNotContain($"{ReleaseScene.Bank}/web", result.Datacentre.Domains.Keys);
        Assert.DoesNotContain(
            Scene("{kind: crypto-agile}").Example.Check().Findings, one => one.Code == FindingCode.BadPredicate);
    }

    private static string Program(string content) =>
        $"{{kind: program, path: {RuntimeScene.Proxy}, digests: {Set(content)}}}";

    private static string Firmware(string version) => $"{{kind: firmware-version, versions: [{version}]}}";

    private static string Set(string content) => $"{{current: [{BootScene.Sha256(content)}]}}";

    private static EnrolledKey Enrolled(bool certified) => Tpm.Enrol(
        ReleaseScene.Bank, ReleaseScene.HostName(1), SoftwareTpm.Believed(Vendor), certified ? Vendor : null);

    private static ReleaseScene Scene(params string[] demands) => Demanding(
        "  assurance: [software-tpm]\n"
        + (demands.Length == 0 ? "" : "  evidence:\n" + string.Concat(demands.Select(one => $"    - {one}\n"))));

    private static ReleaseScene Demanding(string demand) => new()
    {
        Example = ReleaseScene.Policies
            .With("bank/web.yaml", Levels, demand)
            .With("alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {Tpm.EndorsementId.Hex}}}\n")
            .With("alpine/hosts.yaml", "assurance: software\n", "assurance: tpm\n"),
        Enrolment = Enrolled(false),
        EndorsementKey = Tpm.EndorsementKey,
        Evidence = claims => claims.With(Tpm),
        Logs = QuotedEvidence.Logs,
    };

    private static void AssertDemand(string word, ReleaseScene scene)
    {
        var refused = Assert.IsType<KeyVerdict.Refused>(scene.Judge());
        KeyRefusal refusal = Assert.Single(refused.Refusals);
        Assert.Equal(KeyRefusalCode.EvidenceDemand, refusal.Code);
        Assert.Contains(word, refusal.Sentence, StringComparison.OrdinalIgnoreCase);
        Assert.NotNull(refusal.Because);
    }

    private static void AssertOnly(KeyRefusalCode code, ReleaseScene scene)
    {
        var refused = Assert.IsType<KeyVerdict.Refused>(scene.Judge());
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code));
    }
}
