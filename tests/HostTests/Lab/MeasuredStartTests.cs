using System.Globalization;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Lab.Measuring;

namespace Bailiwick.HostTests.Lab;

/// <summary>
/// The host image boots for real, with OVMF, Secure Boot and a TPM; its log explains the registers of that TPM, and the
/// demands of a policy hold or break by what was really measured.
/// </summary>
public sealed class MeasuredStartTests : IDisposable
{
    private static readonly int[] Explained = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14];

    // No kept measurements are of an image with this word, so each boot is one.
    private readonly string _mark = $"bailiwick.boot={Guid.NewGuid():N}";
    private readonly List<string> _homes = [];

    public void Dispose() => _homes.ForEach(home => Directory.Delete(home, recursive: true));

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_real_boot_explains_its_TPM_and_a_changed_command_line_breaks_that_demand_alone()
    {
        Boot good = await Start($"{MeasuredStart.Arguments} {_mark}");
        Assert.All(Explained, pcr => Assert.Equal(good.Registers[pcr], Hex(good.Replay.Value(pcr))));
        Assert.Equal(Explained, good.Replay.Touched);
        Assert.Equal(good.Registers[RuntimeLogLimits.Pcr], good.RuntimeValue);
        AppraisalReport report = Appraisal.Judge(Demands(good), good.Facts, null);
        Assert.Empty(report.Outcomes.Where(o => !o.Satisfied).Select(o => o.Sentence));
        Assert.True(report.Holds);
        Assert.All(report.Outcomes, o => Assert.NotEmpty(o.Events));

        Boot bad = await Start($"{MeasuredStart.Arguments} {_mark} init=/bin/sh");
        Assert.All(Explained, pcr => Assert.Equal(bad.Registers[pcr], Hex(bad.Replay.Value(pcr))));
        PredicateOutcome broken = Assert.Single(
            Appraisal.Judge(Demands(bad), bad.Facts, null).Outcomes, o => !o.Satisfied);
        Assert.IsType<Predicate.CommandLineWords>(broken.Predicate);
        Assert.EndsWith(" init=/bin/sh", Line(bad, Assert.Single(broken.Events)).Text, StringComparison.Ordinal);
        Assert.Contains("has init=/bin/sh", broken.Sentence, StringComparison.Ordinal);

        // Where the arguments come from is measured too: another configuration of GRUB is none of the good boot's.
        PredicateOutcome[] against =
            [.. Appraisal.Judge(Demands(good), bad.Facts, null).Outcomes.Where(o => !o.Satisfied)];
        Assert.Equal(["BootFiles", "CommandLineWords"], against.Select(o => o.Predicate.GetType().Name).Order());
        Assert.All(against, o => Assert.Contains("grub.cfg", Label(bad, Assert.Single(o.Events)),
            StringComparison.Ordinal));
    }

    /// <summary>What a domain may demand; every file that GRUB read is accounted for by the boot itself.</summary>
    private static Predicate[] Demands(Boot boot) =>
    [
        new Predicate.CryptoAgile(),
        new Predicate.SecureBoot(On: true),
        new Predicate.ExitBootServices(),
        new Predicate.BootFiles(ReferenceSet.Of(boot.Facts.In(9).OfType<BootFact.Content>().Select(f => f.Hex))),
        new Predicate.CommandLineWords(["lockdown=confidentiality", "ima_policy=tcb"], ["init", "rdinit"]),
    ];

    private static BootFact.Phrase Line(Boot boot, long number) =>
        Assert.IsType<BootFact.Phrase>(boot.Facts.All.Single(f => f.Event == number));

    private static string Label(Boot boot, long number) =>
        Assert.IsType<BootFact.Content>(boot.Facts.All.Single(f => f.Event == number)).Label;

    private static string Hex(ReadOnlySpan<byte> value) => Convert.ToHexString(value);

    private async Task<Boot> Start(string arguments)
    {
        string kept = Path.Combine(LabFixture.Cache, "measured");
        HostMeasurements measured = await MeasuredStart.Take(
            LabFixture.Cache, arguments, null, TestContext.Current.CancellationToken);
        string home = Directory.EnumerateDirectories(kept).Single(one => File.Exists(Path.Combine(one, "boot.log"))
            && File.ReadAllBytes(Path.Combine(one, "boot.log")).AsSpan().SequenceEqual(measured.BootLog.Span));
        _homes.Add(home);
        var registers = File.ReadAllLines(Path.Combine(home, "registers")).Select(line => line.Split(' '))
            .Where(words => words.Length == 2)
            .ToDictionary(words => int.Parse(words[0], CultureInfo.InvariantCulture), words => words[1]);
        return new Boot(measured, registers);
    }

    /// <summary>One boot: what was measured, and what the TPM's registers held at its end.</summary>
    private sealed class Boot
    {
        internal Boot(HostMeasurements measured, IReadOnlyDictionary<int, string> registers)
        {
            Registers = registers;
            MeasuredBoot log = Assert.IsType<BootLogReading.Understood>(
                MeasuredBoot.Read(measured.BootLog.Span)).Log;
            Replay = BootReplay.Of(log, TpmHash.Sha256);
            QuotedPcrs quoted = QuotedPcrs.Of(TpmHash.Sha256, registers.Where(r => r.Key < 16).Select(
                r => KeyValuePair.Create(r.Key, (ReadOnlyMemory<byte>)Convert.FromHexString(r.Value))));
            Facts = BootFacts.Of(Assert.IsType<BootExplanation.Explained>(BootExplanation.Judge(log, quoted)).Boot);
            RuntimeReplayed runtime = RuntimeReplay.Of(
                RuntimeLogState.Start(TpmHash.Sha256), measured.RuntimeLog.Span);
            Assert.Null(runtime.Fault);
            RuntimeValue = Hex(runtime.State.Pcr10(TpmHash.Sha256));
        }

        internal IReadOnlyDictionary<int, string> Registers { get; }

        internal BootReplay Replay { get; }

        internal BootFacts Facts { get; }

        internal string RuntimeValue { get; }
    }
}
