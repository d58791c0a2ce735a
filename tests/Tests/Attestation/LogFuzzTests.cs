using System.Text;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.RuntimeLog;

namespace Bailiwick.Tests.Attestation;

public sealed class LogFuzzTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2), Long = TimeSpan.FromSeconds(60);

    [Fact]
    public void No_mutation_of_a_boot_log_throws_or_costs_much() => BootLogs(Short);

    [Fact]
    [Trait("Category", "Slow")]
    public void No_mutation_of_a_boot_log_throws_or_costs_much_for_a_minute() => BootLogs(Long);

    [Fact]
    public void No_mutation_of_a_runtime_log_throws_or_costs_much() => RuntimeLogs(Short);

    [Fact]
    [Trait("Category", "Slow")]
    public void No_mutation_of_a_runtime_log_throws_or_costs_much_for_a_minute() => RuntimeLogs(Long);

    [Fact]
    public void No_mutation_of_predicates_throws_or_costs_much() => Predicates(Short);

    [Fact]
    [Trait("Category", "Slow")]
    public void No_mutation_of_predicates_throws_or_costs_much_for_a_minute() => Predicates(Long);

    private static void BootLogs(TimeSpan time)
    {
        byte[][] corpus = [.. BootLogVectors.Names.Select(BootLogVectors.Bytes), new BootScene().Write()];
        Assert.True(ParserFuzz.Run(corpus, time, input =>
        {
            if (MeasuredBoot.Read(input) is BootLogReading.Understood { Log: { } log })
            {
                TpmHash bank = log.Declares(TpmHash.Sha256) ? TpmHash.Sha256 : TpmHash.Sha1;
                if (log.Declares(bank))
                {
                    BootFacts facts = BootLogWriter.Facts(input, bank, "a claim");
                    Appraisal.Judge(BootScene.Predicates, facts, null);
                }
            }
        }) > 20);
    }

    private static void RuntimeLogs(TimeSpan time)
    {
        byte[] log = RuntimeLogVectorTests.Log("hahuri-invalid-eventlog.values");
        byte[] large = RuntimeLogVectorTests.Log("h12ssl.values");
        byte[][] corpus = [log, large[..20_000], .. VectorFiles.In("ima/templates", "*.bin").Select(File.ReadAllBytes)];
        Assert.True(ParserFuzz.Run(corpus, time, input =>
        {
            RuntimeReplayed replayed = RuntimeReplay.Of(RuntimeLogState.Start(TpmHash.Sha256), input);
            var quoted = QuotedPcrs.Of(
                TpmHash.Sha256, [new(10, replayed.State.Pcr10(TpmHash.Sha256).ToArray())]);
            var explained = Assert.IsType<RuntimeExplanation.Explained>(
                RuntimeExplanation.Judge(RuntimeLogState.Start(TpmHash.Sha256), input, quoted));
            Appraisal.Judge(RuntimeScene.Predicates, null, explained.Runtime);
        }) > 20);
    }

    private static void Predicates(TimeSpan time)
    {
        byte[][] corpus =
        [
            PredicateJson.Write(BootScene.Predicates), PredicateJson.Write(RuntimeScene.Predicates),
            Encoding.UTF8.GetBytes("""[{"kind":"pcr","pcr":7,"values":{"current":["00"],"next":[],"phase":"both"}}]"""),
        ];
        Assert.True(ParserFuzz.Run(corpus, time, input =>
        {
            PredicateReading reading = PredicateJson.Read(input);
            if (reading.Findings.IsEmpty)
            {
                byte[] written = PredicateJson.Write(reading.Predicates);
                Assert.Equal(written, PredicateJson.Write(PredicateJson.Read(written).Predicates));
            }
        }) > 20);
    }
}
