using System.Diagnostics;
using System.Text.RegularExpressions;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.BootLog;

namespace Bailiwick.HostTests.Attestation;

/// <summary>tpm2_eventlog (package tpm2-tools) as the oracle of what replaying a log gives.</summary>
public sealed partial class EventLogToolTests
{
    // Version 5.4 ends with a segmentation fault on it.
    private const string BeyondTheTool = "go-attestation__option_rom_eventlog";

    public static TheoryData<string> Logs =>
    [
        .. BootLogVectors.Verdicts.Where(v => BootLogVectors.Text(v, "parse") == "ok")
            .Select(v => BootLogVectors.Text(v, "log")).Where(name => name != BeyondTheTool),
    ];

    [Theory]
    [MemberData(nameof(Logs))]
    public void Gives_the_PCRs_that_tpm2_eventlog_gives(string name)
    {
        byte[] bytes = BootLogVectors.Bytes(name);
        MeasuredBoot log = Assert.IsType<BootLogReading.Understood>(MeasuredBoot.Read(bytes)).Log;
        string? yaml = Ask(bytes);
        if (log.Count == 1)
        {
            // A log with a declaration alone, or less; the tool has no common answer to those.
            Assert.All(PcrBanks.All, bank => Assert.Empty(BootReplay.Of(log, bank).Touched));
            return;
        }

        Assert.NotNull(yaml);
        foreach (TpmHash bank in log.Banks.Select(b => b.Bank).OfType<TpmHash>())
        {
            BootReplay replay = BootReplay.Of(log, bank);
            Assert.Equal(
                Values(yaml, bank).Where(v => !Skipped(log, v.Key)),
                replay.Touched.Where(pcr => !Skipped(log, pcr)).Select(
                    pcr => KeyValuePair.Create(pcr, Convert.ToHexStringLower(replay.Value(pcr)))));
        }
    }

    /// <summary>Version 5.4 does not know StartupLocality, with which PCR 0 does not start at zero.</summary>
    private static bool Skipped(MeasuredBoot log, int pcr) => pcr == 0
        && Enumerable.Range(0, log.Count).Any(i => !log[i].Extends && log[i].Data.StartsWith("StartupLocality"u8));

    /// <summary>The part below `pcrs:` and the bank's name: `    7  : 0x0102…`.</summary>
    private static List<KeyValuePair<int, string>> Values(string yaml, TpmHash bank) =>
    [
        .. yaml[yaml.IndexOf("\npcrs:", StringComparison.Ordinal)..].Split('\n')
            .SkipWhile(l => l != $"  {bank.Text()}:").Skip(1).Select(l => Value().Match(l))
            .TakeWhile(m => m.Success)
            .Select(m => KeyValuePair.Create(
                int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), m.Groups[2].Value)),
    ];

    private static string? Ask(byte[] log)
    {
        string file = Path.Combine(Path.GetTempPath(), $"bailiwick-{Guid.NewGuid():N}.log");
        File.WriteAllBytes(file, log);
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("tpm2_eventlog", [file])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            }) ?? throw new InvalidOperationException("tpm2_eventlog does not start.");
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            string output = process.StandardOutput.ReadToEnd();
            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)));
            return process.ExitCode == 0 ? output : null;
        }
        finally
        {
            File.Delete(file);
        }
    }

    [GeneratedRegex("^    ([0-9]+) *: 0x([0-9a-f]+)$")]
    private static partial Regex Value();
}
