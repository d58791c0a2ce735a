using System.Text.Json;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.BootLog;

public sealed class BootLogVectorTests
{
    public static TheoryData<string> Logs => [.. BootLogVectors.Names];

    [Theory]
    [MemberData(nameof(Logs))]
    public void Gives_the_published_verdict(string name)
    {
        JsonElement verdict = BootLogVectors.Verdict(name);
        BootLogReading reading = MeasuredBoot.Read(BootLogVectors.Bytes(name));
        if (BootLogVectors.Text(verdict, "parse") == "reject")
        {
            Assert.IsType<BootLogReading.Rejected>(reading);
            return;
        }

        MeasuredBoot log = Assert.IsType<BootLogReading.Understood>(reading).Log;
        Assert.Equal(
            BootLogVectors.Text(verdict, "format"), log.Format == BootLogFormat.CryptoAgile ? "agile" : "sha1");
        Assert.Equal(verdict.GetProperty("events").GetInt32(), log.Count);
        Assert.Equal(verdict.GetProperty("trailing").GetInt32(), log.Trailing);
        Assert.Equal(
            verdict.GetProperty("banks").EnumerateArray().Select(b => b.GetString()), log.Banks.Select(b => b.Name));
        foreach (JsonProperty bank in verdict.GetProperty("replay").EnumerateObject())
        {
            TpmHash known = Assert.NotNull(PcrBanks.Named(bank.Name));
            BootReplay replay = BootReplay.Of(log, known);
            Assert.Equal(
                bank.Value.EnumerateObject().Select(p => $"{p.Name} {p.Value.GetString()}"),
                replay.Touched.Select(p => $"{p} {Convert.ToHexStringLower(replay.Value(p))}"));
        }
    }
}
