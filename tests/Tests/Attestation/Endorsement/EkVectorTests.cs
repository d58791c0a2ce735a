using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;

namespace Bailiwick.Tests.Attestation.Endorsement;

/// <summary>Certificates of real chips and clouds, judged by the vendors' own roots and intermediates.</summary>
public sealed class EkVectorTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Lazy<EkTrust> Pool = new(() => EkTrust.FromPem(
        File.ReadAllText(VectorFiles.Find("ekcerts/pool/roots.pem")),
        File.ReadAllText(VectorFiles.Find("ekcerts/pool/inter.pem"))));

    private readonly VerifierKeyCache _keys = new(32);

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Reads_every_certificate_of_the_pool()
    {
        Assert.Equal(46, Pool.Value.Roots);
        Assert.Equal(1733, Pool.Value.Intermediates);
        Assert.Equal(0, Pool.Value.Unreadable);
    }

    [Fact]
    public void Gives_every_real_certificate_its_verdict()
    {
        using var verdicts = JsonDocument.Parse(File.ReadAllBytes(VectorFiles.Find("ekcerts/verdicts.json")));
        int judged = 0;
        foreach (var entry in verdicts.RootElement.EnumerateArray())
        {
            string file = entry.GetProperty("file").GetString() ?? "";
            byte[] der = File.ReadAllBytes(VectorFiles.Find($"ekcerts/{file}"));
            var verdict = EkVerifier.Verify(der, new EkExpectation(Pool.Value, At, EkExpiry.Refuse, null), _keys);
            if (entry.GetProperty("issuer").GetString() == "CN=swtpm-localca")
            {
                Assert.Equal([EkRefusalCode.UnknownIssuer],
                    Assert.IsType<EkVerdict.Refused>(verdict).Refusals.Select(r => r.Code));
            }
            else
            {
                Assert.True(verdict is EkVerdict.Genuine, $"{file}: {Describe(verdict)}");
                var key = Assert.IsType<EkVerdict.Genuine>(verdict).Key;
                Assert.Equal(entry.GetProperty("manufacturer")[0].GetString(), key.Identity.Manufacturer);
                Assert.Equal(entry.GetProperty("key").GetString() is "_EllipticCurvePublicKey", !key.Key.IsRsa);
                Assert.Empty(key.Remarks);
            }

            judged++;
        }

        Assert.Equal(8, judged);
    }

    [Fact]
    public void Refuses_every_real_certificate_when_nothing_is_believed()
    {
        var nobody = EkTrust.Of([], []);
        foreach (string file in VectorFiles.In("ekcerts", "*.der"))
        {
            var refused = Assert.IsType<EkVerdict.Refused>(EkVerifier.Verify(
                File.ReadAllBytes(file), new EkExpectation(nobody, At, EkExpiry.Report, null), _keys));
            Assert.Equal([EkRefusalCode.UnknownIssuer], refused.Refusals.Select(r => r.Code));
        }
    }

    [Fact]
    public void Judges_by_the_whole_pool_in_milliseconds()
    {
        byte[] der = File.ReadAllBytes(VectorFiles.Find("ekcerts/keylime_73ffb9ae9d.der"));
        var expectation = new EkExpectation(Pool.Value, At, EkExpiry.Refuse, null);
        EkVerifier.Verify(der, expectation, _keys);
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < 50; i++)
        {
            Assert.IsType<EkVerdict.Genuine>(EkVerifier.Verify(der, expectation, _keys));
        }

        Assert.InRange(clock.Elapsed.TotalMilliseconds / 50, 0, 100);
    }

    private static string Describe(EkVerdict verdict) => verdict is EkVerdict.Refused refused
        ? string.Join(' ', refused.Refusals.Select(r => r.Sentence)) : "genuine";
}
