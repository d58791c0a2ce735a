using System.Text.Json;
using Bailiwick.HostTests.Lab;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>A machine whose TPM was never given back runs again when its owner says so, and only then.</summary>
[Collection(LabCollection.Name)]
public sealed class TpmTakeoverTests(ITestOutputHelper output)
{
    private const string Tpm = "vault-1.tpm";

    [Fact]
    [Trait("Category", "Slow")]
    public async Task After_a_loss_of_power_a_machine_with_a_TPM_waits_for_its_owners_takeover()
    {
        await using MeasuredLab lab = await MeasuredLab.Up();
        await lab.Drain("host-2", true);
        await lab.Until("running", "host-1");
        MachineProof first = await MachineProof.Take(lab.Line("host-1"), "");
        output.WriteLine("it runs");
        await lab.PowerLoss("host-1");
        await lab.Until("refused", "host-1", "[tpm-state-not-returned]");
        output.WriteLine("it is refused");

        // Neither asking again nor giving back what lay there in the meantime makes the state the newest.
        await Task.Delay(TimeSpan.FromSeconds(8), TestContext.Current.CancellationToken);
        await lab.Until("refused", "host-1", "[tpm-state-not-returned]");
        Assert.EndsWith("/host-1", await Holder(lab), StringComparison.Ordinal);

        LabProgramResult wrong = await TakeOver(lab, Tpm, "host-2");
        Assert.Equal((2, ""), (wrong.ExitCode, wrong.Output));
        Assert.Contains($"host-1 holds {Tpm}, not host-2", wrong.Error, StringComparison.Ordinal);
        LabProgramResult other = await TakeOver(lab, "vault-2.tpm", "host-1");
        Assert.Equal((2, ""), (other.ExitCode, other.Output));
        Assert.Contains("no key for vault-2.tpm", other.Error, StringComparison.Ordinal);
        Assert.EndsWith("/host-1", await Holder(lab), StringComparison.Ordinal);

        LabProgramResult right = await TakeOver(lab, Tpm, "host-1");
        Assert.True(right.ExitCode == 0, right.Error);
        await lab.Until("running", "host-1");
        output.WriteLine("it runs again");
        MachineProof again = await MachineProof.Take(lab.Line("host-1"), "");
        Assert.Equal(first.Key, again.Key);
        Assert.EndsWith("/host-1", await Holder(lab), StringComparison.Ordinal);
    }

    private static Task<LabProgramResult> TakeOver(MeasuredLab lab, string name, string from) =>
        new CommandLine(lab.Paths).Run(
            "bank", "volume", "takeover", name, "--from", from, "--keys", Path.Combine(lab.Paths.Keys, "bank"));

    private static async Task<string?> Holder(MeasuredLab lab)
    {
        JsonElement all = await new CommandLine(lab.Paths).Json("bank", "volume", "list");
        return all.EnumerateArray()
            .Single(one => one.GetProperty("volume").GetString() == $"{lab.Bank}/{Tpm}")
            .GetProperty("holders").EnumerateArray().SingleOrDefault() is { ValueKind: JsonValueKind.Object } one
                ? one.GetProperty("host").GetString() : null;
    }
}
