using System.Text.Json;
using Bailiwick.Tests.Attestation.BootLog;

namespace Bailiwick.Tests.Cli;

/// <summary><c>bailiwick evidence</c>: what a person with a log in hand learns from it.</summary>
public sealed class EvidenceVerbsTests
{
    private static readonly string[] Compared = ["format", "banks", "trailing", "replay"];

    [Theory]
    [InlineData("keylime__binary_bios_measurements-secureboot")]
    [InlineData("keylime__mb_log.b64")]
    [InlineData("tpm2-tss__binary_measurements_hcrtm.b64")]
    [InlineData("go-attestation__windows_gcp_shielded_vm.json")]
    [InlineData("tpm2-tools__specid-vendordata.bin")]
    [InlineData("keylime__binary_bios_measurements-empty")]
    public void A_boot_log_gives_the_published_verdict(string name)
    {
        JsonElement verdict = BootLogVectors.Verdict(name);
        Ending ending = CommandLine.Run(
            ".", "evidence", "bootlog", VectorFiles.Find($"bootlogs/{name}"), "--json");
        Assert.Equal(BootLogVectors.Text(verdict, "parse"), BootLogVectors.Text(ending.Json, "verdict"));
        if (BootLogVectors.Text(verdict, "parse") == "reject")
        {
            Assert.Equal(1, ending.Code);
            return;
        }

        Assert.Equal(0, ending.Code);
        Assert.Equal(verdict.GetProperty("events").GetInt32(), ending.Json.GetProperty("events").GetArrayLength());
        Assert.All(Compared, member => Assert.True(
            JsonElement.DeepEquals(verdict.GetProperty(member), ending.Json.GetProperty(member)), member));
    }

    [Fact]
    public void A_boot_log_is_shown_to_people()
    {
        Ending ending = CommandLine.Run(
            ".", "evidence", "bootlog", VectorFiles.Find("bootlogs/tpm2-tools__event-sd-boot-fedora37.bin"));
        Assert.Equal(0, ending.Code);
        Assert.Contains("Exit Boot Services Invocation", ending.Output, StringComparison.Ordinal);
        Assert.Contains("28 events", ending.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "sha256:799dd2260e53bc8b2a8bca1eda79989fb781b61cd43dbbe2257d44bf9b08b8d0")]
    [InlineData(1, "sha256:0000000000000000000000000000000000000000000000000000000000000001")]
    [InlineData(2, "sha256:00")]
    [InlineData(2, "md5:00000000000000000000000000000001")]
    public void A_runtime_log_is_matched_with_a_quoted_value(int code, string value)
    {
        Ending ending = CommandLine.Run(".", "evidence", "ima",
            VectorFiles.Find("ima/hahuri-invalid-eventlog.values.binary_runtime_measurements"), "--json",
            "--pcr10", value);
        Assert.Equal(code, ending.Code);
        if (code == 0)
        {
            Assert.Equal((37, 36), (ending.Json.GetProperty("entries").GetInt32(),
                ending.Json.GetProperty("matched").GetInt32()));
        }
    }

    [Theory]
    [InlineData("bootlog")]
    [InlineData("ima")]
    public void A_file_that_is_not_there_is_exit_2(string verb)
    {
        Ending ending = CommandLine.Run(".", "evidence", verb, "/nonexistent/log");
        Assert.Equal((2, ""), (ending.Code, ending.Output));
    }
}
