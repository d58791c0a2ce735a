using System.Text;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.RuntimeLog;

namespace Bailiwick.Tests.Attestation.Predicates;

public sealed class PredicateJsonTests
{
    private static readonly string Digest = BootScene.Sha256("x");

    [Fact]
    public void Reads_what_it_writes()
    {
        Predicate[] all =
        [
            .. BootScene.Predicates, .. RuntimeScene.Predicates,
            new Predicate.Pcr(14, ReferenceSet.Of([Digest], [Digest], UpdatePhase.Both)),
            new Predicate.SecureBootKeys(KeyDatabase.PlatformKey, [BootScene.Owner], null),
            new Predicate.RuntimeFiles("/usr/*", ReferenceSet.Of([Digest]), []),
        ];
        PredicateReading reading = PredicateJson.Read(PredicateJson.Write(all));
        Assert.Empty(reading.Findings);
        Assert.Equal(PredicateJson.Write(all), PredicateJson.Write(reading.Predicates));
        Assert.All(all.Zip(reading.Predicates), pair => Assert.True(PredicateJson.AreEqual(pair.First, pair.Second)));
    }

    [Theory]
    [InlineData("""{"kind":"crypto-agile"}""", "")]
    [InlineData("""[5]""", "/0")]
    [InlineData("""[{}]""", "/0/kind")]
    [InlineData("""[{"kind":"secureboot"}]""", "/0/kind")]
    [InlineData("""[{"kind":"crypto-agile","x":1}]""", "/0/x")]
    [InlineData("""[{"kind":"crypto-agile"},{"kind":"secure-boot","state":"On"}]""", "/1/state")]
    [InlineData("""[{"kind":"secure-boot"}]""", "/0/state")]
    [InlineData("""[{"kind":"secure-boot-keys","database":"db"}]""", "/0")]
    [InlineData("""[{"kind":"secure-boot-keys","database":"DB","owners":["x"]}]""", "/0/database /0/owners")]
    [InlineData("""[{"kind":"firmware-version","versions":[]}]""", "/0/versions")]
    [InlineData("""[{"kind":"kernel"}]""", "/0/digests")]
    [InlineData("""[{"kind":"kernel","digests":{"current":[]}}]""", "/0/digests/current")]
    [InlineData("""[{"kind":"kernel","digests":{"current":["AB"]}}]""", "/0/digests/current")]
    [InlineData("""[{"kind":"kernel","digests":{"current":["D"],"phase":"both"}}]""", "/0/digests/phase")]
    [InlineData("""[{"kind":"kernel","digests":{"current":["D"],"phase":"later"}}]""", "/0/digests/phase")]
    [InlineData("""[{"kind":"kernel","digests":{"current":["D"],"nxt":["D"]}}]""", "/0/digests/nxt")]
    [InlineData("""[{"kind":"pcr","pcr":24,"values":{"current":["D"]}}]""", "/0/pcr")]
    [InlineData("""[{"kind":"command-line-words"}]""", "/0")]
    [InlineData("""[{"kind":"command-line-words","required":[""]}]""", "/0")]
    [InlineData("""[{"kind":"runtime-files"}]""", "/0")]
    [InlineData("""[{"kind":"runtime-files","signers":["abc"]}]""", "/0/signers /0")]
    [InlineData("""[{"kind":"program","digests":{"current":["D"]}}]""", "/0/path")]
    [InlineData("""[{"kind":"no-violations","kind":"crypto-agile"}]""", "")]
    [InlineData("""[{"kind":"no-violations"}] """ + "x", "")]
    public void Refuses_and_names_every_place(string json, string pointers)
    {
        PredicateReading reading = PredicateJson.Read(
            Encoding.UTF8.GetBytes(json.Replace("\"D\"", $"\"{Digest}\"", StringComparison.Ordinal)));
        Assert.Equal(pointers.Split(' '), reading.Findings.Select(f => f.Pointer));
        Assert.All(reading.Findings, f => Assert.EndsWith(".", f.Pointer.Length > 0 ? f.Sentence : ".",
            StringComparison.Ordinal));
    }

    [Fact]
    public void Refuses_more_predicates_than_the_limit()
    {
        string many = string.Join(',', Enumerable.Repeat("""{"kind":"no-violations"}""", 65));
        Assert.Single(PredicateJson.Read(Encoding.UTF8.GetBytes($"[{many}]")).Findings);
    }
}
