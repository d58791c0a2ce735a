using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.MachineTpms;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Policy;
using Bailiwick.HostTests.Lab;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// A machine that starts with UEFI firmware and a TPM of its own, under the whole product: what it proves, to whom, and
/// what becomes of copies of its TPM.
/// </summary>
[Collection(LabCollection.Name)]
public sealed class MeasuredMachineTests(ITestOutputHelper output)
{
    private readonly System.Diagnostics.Stopwatch _clock = System.Diagnostics.Stopwatch.StartNew();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_machine_proves_its_boot_and_no_copy_of_its_TPM_gets_a_key()
    {
        await using MeasuredLab lab = await MeasuredLab.Up();
        Note("the lab is up");
        await lab.Drain("host-2", true);
        await lab.Until("running", "host-1");
        Note("the machine runs");
        string line = Line(lab, MeasuredPolicies.Arguments);
        MachineProof first = await MachineProof.Take(lab.Line("host-1"), line);
        Note("it has proven itself");
        VerifiedEvidence host = await lab.Evidence("host-1");
        Assert.IsType<MachineTpmVerdict.Genuine>(first.Judge(host, lab.MachineReference));
        AssertOnly(MachineTpmRefusalCode.OtherMachine, first.Judge(host, $"{lab.Bank}/vault-2"));
        Predicate[] demands = Demands(lab, line);
        AppraisalReport report = Appraisal.Judge(demands, first.Facts, null);
        Assert.Equal([], report.Outcomes.Where(outcome => !outcome.Satisfied).Select(outcome => outcome.Sentence));
        Assert.True(report.Holds);

        await ChangedLineBreaksItsDemandAlone(lab, demands);
        string copy = await OlderStateIsRefused(lab);
        await CopyElsewhereIsRefused(lab, first, copy);
    }

    /// <summary>A tenant changes the command line: the machine starts with it and cannot prove the old one.</summary>
    private async Task ChangedLineBreaksItsDemandAlone(MeasuredLab lab, Predicate[] demands)
    {
        await lab.SetPower(false);
        await lab.Rested(null);
        string arguments = MeasuredPolicies.Arguments + " vault.open=1";
        await lab.SetArguments(arguments);
        await lab.SetPower(true);
        await lab.Until("running", "host-1");
        string line = Line(lab, arguments);
        MachineProof second = await MachineProof.Take(lab.Line("host-1"), line);
        PredicateOutcome broken = Assert.Single(
            Appraisal.Judge(demands, second.Facts, null).Outcomes, outcome => !outcome.Satisfied);
        Assert.IsType<Predicate.CommandLine>(broken.Predicate);
        Assert.Contains("vault.open=1", broken.Sentence, StringComparison.Ordinal);
        Assert.Single(broken.Events);
        Note("another command line breaks its demand");
        await lab.SetPower(false);
    }

    /// <summary>The state that was returned last is taken away, and the one before it is left.</summary>
    private async Task<string> OlderStateIsRefused(MeasuredLab lab)
    {
        await WholeLab.Until(
            () => Task.FromResult(new DirectoryInfo(lab.Resting).GetFiles().Length >= 2 ? null : "one state"),
            "the second state rests");
        string newest = await lab.Rested(null);
        string kept = Path.Combine(lab.Paths.Root, "newest"), place = Path.Combine(lab.Resting, newest);
        File.Move(place, kept);
        await lab.SetPower(true);
        await lab.Until("refused", "host-1", "[tpm-state-rolled-back]");
        Note("an older state is refused");
        File.Copy(kept, place);
        await lab.Until("running", "host-1");
        Note("the newest runs");
        return newest;
    }

    /// <summary>A host goes silent with the machine; another one has a copy of its TPM from the pool.</summary>
    private async Task CopyElsewhereIsRefused(MeasuredLab lab, MachineProof first, string copy)
    {
        Assert.True(File.Exists(Path.Combine(lab.Resting, copy)));
        await lab.Deployment.StopProxy(lab.Host("host-1"), default);
        await lab.Drain("host-2", false);
        await lab.Drain("host-1", true);
        await lab.Until("refused", "host-2", "[held-by-another-host]");
        Note("a copy on another host is refused");

        // The first comes back, ends the machine and returns its TPM: the second goes on with it.
        await lab.Deployment.StartProxy(lab.Host("host-1"), default);
        await lab.Until("running", "host-2");
        Note("the second host runs it");
        MachineProof moved = await MachineProof.Take(lab.Line("host-2"), "");
        Assert.Equal(first.Key, moved.Key);
        VerifiedEvidence host = await lab.Evidence("host-2");
        Assert.IsType<MachineTpmVerdict.Genuine>(moved.Judge(host, lab.MachineReference));
        AssertOnly(MachineTpmRefusalCode.OtherHost, first.Judge(host, lab.MachineReference));
    }

    /// <summary>What the machine's owner may demand of it; all of it from the files of its image.</summary>
    private static Predicate[] Demands(MeasuredLab lab, string line) =>
    [
        new Predicate.CryptoAgile(),
        new Predicate.SecureBoot(On: false),
        new Predicate.ExitBootServices(),
        new Predicate.BootApplications(ReferenceSet.Of([Kernel(lab)])),
        new Predicate.Initrd(ReferenceSet.Of([Convert.ToHexStringLower(SHA256.HashData(Initrd(lab)))])),
        new Predicate.CommandLine([line]),
    ];

    private static string Kernel(MeasuredLab lab) => DirectKernel.MeasuredKernel(
        File.ReadAllBytes(Path.Combine(lab.Paths.Guest, "vmlinuz")), (uint)Initrd(lab).Length,
        MeasuredPolicies.MemoryMib) ?? throw new InvalidOperationException("no kernel");

    private static byte[] Initrd(MeasuredLab lab) => File.ReadAllBytes(Path.Combine(lab.Paths.Guest, "initrd.gz"));

    /// <summary>The command line of the plan, and what the firmware adds for the kernel's loader.</summary>
    private static string Line(MeasuredLab lab, string arguments)
    {
        CompartmentRef machine = new(lab.Bank, Bailiwick.Ledger.Statements.StatementName.Parse("vault-1"));
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"mac port {machine} 0"));
        string mac = "02:" + string.Join(':', hash.Take(5).Select(one => $"{one:x2}"));
        return DirectKernel.MeasuredLine(
            $"{arguments} bailiwick.machine={MeasuredPolicies.Machine} "
            + $"bailiwick.nic0={mac},10.20.1.11/24,10.20.1.1,-,-");
    }

    private static void AssertOnly(MachineTpmRefusalCode code, MachineTpmVerdict verdict)
    {
        var refused = Assert.IsType<MachineTpmVerdict.Refused>(verdict);
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code));
    }

    private void Note(string what) => output.WriteLine($"{_clock.Elapsed.TotalSeconds:0.0} s: {what}");
}
