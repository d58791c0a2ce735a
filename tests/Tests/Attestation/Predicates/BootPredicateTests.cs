using System.Text;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.BootLog;

namespace Bailiwick.Tests.Attestation.Predicates;

public sealed class BootPredicateTests
{
    private static readonly string[] OfLoader = ["Kernel", "Initrd", "BootFiles", "CommandLine", "CommandLineWords"];
    private static readonly string[] OfLine = ["CommandLine", "CommandLineWords"];

    [Fact]
    public void A_good_boot_satisfies_every_predicate_and_says_by_which_event()
    {
        AppraisalReport report =
            Appraisal.Judge(BootScene.Predicates, BootLogWriter.Facts(new BootScene().Write()), null);
        Assert.Empty(report.Outcomes.Where(o => !o.Satisfied).Select(o => o.Sentence));
        Assert.True(report.Holds);
        Assert.All(report.Outcomes, o => Assert.NotEmpty(o.Events));
    }

    [Fact]
    public void Nothing_demanded_is_nothing_accepted() =>
        Assert.False(Appraisal.Judge([], BootLogWriter.Facts(new BootScene().Write()), null).Holds);

    [Fact]
    public void Without_an_explained_log_every_predicate_is_broken() =>
        Assert.All(Appraisal.Judge(BootScene.Predicates, null, null).Outcomes, o => Assert.False(o.Satisfied));

    [Theory]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 2 })]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 1, 0 })]
    public void Refuses_any_other_state_of_secure_boot(byte[] value) =>
        Assert.Equal(["SecureBoot"], new BootScene { SecureBoot = value }.Broken());

    [Fact]
    public void Refuses_a_database_with_a_key_that_is_not_accepted() => Assert.Equal(["SecureBootKeys"],
        new BootScene
        {
            Database = BootLogWriter.Signatures(
                SignatureEntry.X509, BootScene.Owner, [BootScene.Certificate, [0x30, 0x03, 1, 2, 4]]),
        }.Broken());

    [Fact]
    public void Refuses_a_database_of_another_owner() => Assert.Equal(["SecureBootKeys"],
        new BootScene
        {
            Database = BootLogWriter.Signatures(SignatureEntry.X509, Guid.Empty, [BootScene.Certificate]),
        }.Broken());

    [Fact]
    public void Refuses_a_database_with_a_signature_header() => Assert.Equal(["SecureBootKeys"],
        new BootScene
        {
            Database = BootLogWriter.Signatures(
                SignatureEntry.X509, BootScene.Owner, [BootScene.Certificate], header: 21),
        }.Broken());

    [Theory]
    [InlineData(new byte[] { 1, 0, 0, 0 })]
    [InlineData(new byte[] { 7, 7, 7, 7 })]
    public void Believes_nothing_of_firmware_that_ended_with_an_error(byte[] separator) =>
        Assert.Equal(BootScene.Predicates.Count - 1, new BootScene { Separator = separator }.Broken().Length);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void Believes_nothing_of_firmware_without_every_separator(int missing) => Assert.Equal(
        BootScene.Predicates.Count - 1,
        new BootScene { Separated = [.. Enumerable.Range(0, 8).Where(p => p != missing)] }.Broken().Length);

    [Fact]
    public void Believes_no_state_of_secure_boot_that_was_measured_after_the_separator()
    {
        byte[] forged = BootLogWriter.Variable(BootLogWriter.Global, "SecureBoot", [1]);
        Assert.Equal(["SecureBoot"], new BootScene
        {
            SecureBoot = [0], AtEnd = log => log.Add(7, BootEventType.EfiVariableDriverConfig, forged),
        }.Broken());
    }

    [Fact]
    public void A_separator_under_another_name_still_separates()
    {
        byte[] log = new BootScene { SecureBoot = [0] }.Write(), forged;
        MeasuredBoot read = BootLogWriter.Understood(log);
        int separator = Enumerable.Range(0, read.Count).Single(
            i => read[i] is { Type: BootEventType.Separator, Pcr: 7 });
        int at = log.AsSpan().IndexOf<byte>([7, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0]);
        log[at + 4] = (byte)BootEventType.Ipl;
        forged = log;
        Assert.Equal(BootEventType.Ipl, BootLogWriter.Understood(forged)[separator].Type);
        Assert.Contains(BootLogWriter.Facts(forged).In(7), f => f is BootFact.Separator && f.Event == separator);
    }

    [Fact]
    public void Data_that_its_digest_does_not_cover_is_no_fact()
    {
        var log = new BootLogWriter();
        log.Add(7, BootEventType.EfiVariableDriverConfig,
            BootLogWriter.Variable(BootLogWriter.Global, "SecureBoot", [1]),
            BootLogWriter.Variable(BootLogWriter.Global, "SecureBoot", [0]));
        Assert.IsType<BootFact.Content>(Assert.Single(BootLogWriter.Facts(log.Bytes).All));
    }

    [Fact]
    public void Refuses_a_boot_application_that_is_not_accepted() => Assert.Equal(["BootApplications"], new BootScene
    {
        AtEnd = log => log.Add(4, BootEventType.EfiBootServicesApplication, "a path", "evil"),
    }.Broken());

    [Fact]
    public void An_image_that_calls_itself_an_action_is_still_one() => Assert.Equal(["BootApplications"], new BootScene
    {
        AtEnd = log => log.Add(4, BootEventType.EfiAction, "Calling EFI Application from Boot Option", "evil"),
    }.Broken());

    [Fact]
    public void Refuses_an_option_rom_that_is_not_accepted() => Assert.Equal(["BootEvents"], new BootScene
    {
        AtEnd = log => log.Add(2, BootEventType.EfiBootServicesDriver, "a path", "rom"),
    }.Broken());

    [Fact]
    public void A_file_that_no_predicate_names_breaks_all_that_a_loader_measured() => Assert.Equal(OfLoader,
        new BootScene { BeforeKernel = log => log.Add(9, BootEventType.Ipl, "/grub.cfg\0", "evil kernel") }.Broken());

    [Theory]
    [InlineData("/vmlinuz root=/dev/vda1 ro lockdown=confidentiality init=/bin/sh")]
    [InlineData("/vmlinuz root=/dev/vda1 ro lockdown=integrity")]
    [InlineData("/vmlinuz root=/dev/vda1 ro lockdown=confidentiality lockdown=none")]
    [InlineData("/vmlinuz root=/dev/vda1 ro lockdown=confidentiality \"init=/bin/sh\"")]
    [InlineData("/vmlinuz root=/dev/vda1 ro lockdown=confidentiality \"quiet")]
    [InlineData("/vmlinuz root=/dev/vda1 ro \"x lockdown=confidentiality\"")]
    public void Refuses_a_command_line_with_other_words(string line) =>
        Assert.Equal(OfLine, new BootScene { CommandLine = line }.Broken());

    /// <summary>GRUB's digest does not cover the label: a liar calls the line he booted with a command, and measures
    /// the accepted one afterwards.</summary>
    [Fact]
    public void A_command_line_that_calls_itself_a_command_is_still_one() => Assert.Equal(OfLine, new BootScene
    {
        CommandLine = "/vmlinuz init=/bin/sh", CommandLineLabel = "grub_cmd: ",
        AtEnd = log => log.Add(8, BootEventType.Ipl, $"kernel_cmdline: {BootScene.Line}\0", BootScene.Line),
    }.Broken());

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    public void An_event_that_may_hide_a_command_line_breaks_it(int pcr) => Assert.Equal(OfLine,
        new BootScene { AtEnd = log => log.Add(pcr, BootEventType.Ipl, "quiet\0", "something else") }.Broken());

    [Fact]
    public void A_second_command_line_must_be_accepted_too() => Assert.Equal(OfLine, new BootScene
    {
        AtEnd = log => log.Add(12, BootEventType.Ipl, Encoding.Unicode.GetBytes("quiet\0")),
    }.Broken());

    [Fact]
    public void Refuses_a_boot_that_never_handed_over() =>
        Assert.Equal(["ExitBootServices"], new BootScene { Exits = false }.Broken());

    [Fact]
    public void A_log_in_SHA1_is_never_accepted()
    {
        AppraisalReport report = Appraisal.Judge([new Predicate.CryptoAgile()],
            BootLogWriter.Facts(new BootScene().Write(), TpmHash.Sha1), null);
        Assert.True(Assert.Single(report.Outcomes).Satisfied);
        Assert.False(report.Holds);
    }

    [Fact]
    public void A_claimed_command_line_counts_only_by_its_digest()
    {
        const string Line = "console=ttyS0 lockdown=confidentiality";
        var log = new BootLogWriter();
        log.Add(9, BootEventType.EventTag,
            "LOADED_IMAGE::LoadOptions"u8.ToArray(), Encoding.Unicode.GetBytes(Line + '\0'));
        Assert.IsType<BootFact.Content>(
            Assert.Single(BootLogWriter.Facts(log.Bytes, TpmHash.Sha256, Line + " ").All));
        var fact = Assert.IsType<BootFact.Phrase>(
            Assert.Single(BootLogWriter.Facts(log.Bytes, TpmHash.Sha256, Line).All));
        Assert.Equal((Line, PhraseForm.Claimed), (fact.Text, fact.Form));
    }

    [Fact]
    public void Sections_of_a_unified_kernel_image_are_known_by_their_measured_names()
    {
        var log = new BootLogWriter();
        log.Add(11, BootEventType.Ipl, Encoding.Unicode.GetBytes(".linux\0"), ".linux\0"u8.ToArray());
        log.Add(11, BootEventType.Ipl, Encoding.Unicode.GetBytes(".linux\0"), "kernel"u8.ToArray());
        log.Add(11, BootEventType.Ipl, Encoding.Unicode.GetBytes(".linux\0"), "not next to the name"u8.ToArray());
        Assert.Equal([".linux", null],
            BootLogWriter.Facts(log.Bytes).All.OfType<BootFact.Content>().Select(c => c.Section));
    }

    [Theory]
    [InlineData(UpdatePhase.Old, true, false)]
    [InlineData(UpdatePhase.Both, true, true)]
    [InlineData(UpdatePhase.New, false, true)]
    public void An_update_window_accepts_by_its_phase(UpdatePhase phase, bool old, bool next)
    {
        ReferenceSet set = ReferenceSet.Of([BootScene.Sha256("old")], [BootScene.Sha256("next")], phase);
        Assert.Equal((old, next), (set.Accepts(BootScene.Sha256("old")), set.Accepts(BootScene.Sha256("next"))));
        Assert.False(set.Accepts(BootScene.Sha256("other")));
    }

    [Theory]
    [InlineData("go-attestation__coreos_36_shielded_vm_no_secure_boot_eventlog", "sha256", false, true)]
    [InlineData("go-attestation__ubuntu_2104_shielded_vm_no_secure_boot_eventlog", "sha256", false, true)]
    [InlineData("go-attestation__ebs_event_missing_eventlog", "sha1", false, false)]
    [InlineData("keylime__binary_bios_measurements-secureboot", "sha256", true, true)]
    [InlineData("keylime__mb_log.b64", "sha256", true, true)]
    [InlineData("tpm2-tools__event-sd-boot-fedora37.bin", "sha256", false, true)]
    public void Published_logs_satisfy_what_they_should(string name, string bank, bool secure, bool exits)
    {
        BootFacts facts =
            BootLogWriter.Facts(BootLogVectors.Bytes(name), Assert.NotNull(PcrBanks.Named(bank)));
        AppraisalReport report = Appraisal.Judge(
            [new Predicate.SecureBoot(true), new Predicate.SecureBoot(false), new Predicate.ExitBootServices()],
            facts, null);
        Assert.Equal([secure, !secure, exits], report.Outcomes.Select(o => o.Satisfied));
    }
}
