using System.Text.Json;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.RuntimeLog;

public sealed class RuntimeLogVectorTests
{
    [Theory]
    [InlineData("h12ssl.values", 5071, 5071, 9, "sha1")]
    [InlineData("h12ssl.values", 5071, 5071, 9, "sha256")]
    [InlineData("hahuri-invalid-eventlog.values", 37, 36, 0, "sha1")]
    [InlineData("hahuri-invalid-eventlog.values", 37, 36, 0, "sha256")]
    public void Finds_the_prefix_that_gives_the_recorded_PCR_10(
        string name, int entries, int matching, int violations, string bankName)
    {
        TpmHash bank = Assert.NotNull(PcrBanks.Named(bankName));
        byte[] log = Log(name);
        RuntimeReplayed whole = RuntimeReplay.Of(RuntimeLogState.Start(bank), log);
        Assert.Null(whole.Fault);
        Assert.Equal(entries, whole.State.Count.Entries);
        Assert.Equal(violations, whole.State.Count.Violations);

        var found = Assert.IsType<RuntimeExplanation.Explained>(
            RuntimeExplanation.Judge(RuntimeLogState.Start(bank), log, Quoted(name, bank)));
        Assert.Equal(matching, found.Runtime.After.Count.Entries);
    }

    internal static byte[] Log(string name) =>
        File.ReadAllBytes(VectorFiles.Find($"ima/{name}.binary_runtime_measurements"));

    internal static QuotedPcrs Quoted(string name, TpmHash bank)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(VectorFiles.Find($"ima/{name}.pcr10.json")));
        string hex = file.RootElement.GetProperty(bank.Text()).GetString() ?? "";
        return QuotedPcrs.Of(bank, [new(10, Convert.FromHexString(hex))]);
    }
}
