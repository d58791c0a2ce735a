using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Quotes;

/// <summary>Quotes of real TPMs, with the verdict that others give.</summary>
public sealed class QuoteVectorTests : IDisposable
{
    private readonly VerifierKeyCache _keys = new(8);

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Verifies_the_keylime_quote_and_refuses_another_nonce()
    {
        var values = PcrValues.Of([new PcrValue(TpmHash.Sha256, 16, KeylimeRegister)]);
        Assert.NotNull(values);
        var claim = new QuoteClaim(Bytes("keylime/quote.msg"), Bytes("keylime/quote.sig"), values);
        var demand = new QuoteExpectation
        {
            Key = QuoteKey.Bare(FromPem(File.ReadAllText(VectorFiles.Find("quotes/keylime/ak.pem")))),
            Nonce = Bytes("keylime/nonce.txt"),
            Selection = PcrSelection.Of(TpmHash.Sha256, 16),
            LastSeen = null,
        };
        var quote = Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(claim, demand, _keys)).Quote;
        Assert.Equal(3u, quote.Clock.ResetCount);
        Assert.False(quote.Key.IsAttestationKey);
        byte[] other = Bytes("keylime/nonce.txt");
        other[0] ^= 1;
        var refused = Assert.IsType<QuoteVerdict.Refused>(
            QuoteVerifier.Verify(claim, demand with { Nonce = other }, _keys));
        Assert.Equal([QuoteRefusalCode.NonceMismatch], refused.Refusals.Select(r => r.Code));
    }

    [Theory]
    [InlineData("azure-snp-vtpm", false)]
    [InlineData("az-snp-vtpm-v1", true)]
    [InlineData("az-tdx-vtpm-v1", true)]
    [InlineData("keylime-checkquote", true)]
    public void Gives_each_virtual_TPMs_quote_its_verdict(string name, bool valid)
    {
        using var all = JsonDocument.Parse(Bytes("azure.json"));
        var entry = all.RootElement.EnumerateArray().Single(e => e.GetProperty("name").GetString() == name);
        byte[] message = entry.GetProperty("quote_b64").GetBytesFromBase64();
        byte[] plain = entry.GetProperty("sig_b64").GetBytesFromBase64();
        byte[] signature = new TpmSignature.Rsa(false, TpmHash.Sha256, plain).Write();
        var key = QuoteKey.Bare(FromPem(entry.GetProperty("ak_pem").GetString()));
        byte[] nonce = Convert.FromHexString(entry.GetProperty("extra").GetString() ?? "");
        var verdict = QuoteVerifier.VerifyAttest(message, signature, key, nonce, _keys);
        if (!valid)
        {
            Assert.Equal([QuoteRefusalCode.NotSignedByKey],
                Assert.IsType<AttestVerdict.Refused>(verdict).Refusals.Select(r => r.Code));
            return;
        }

        var attest = Assert.IsType<AttestVerdict.Signed>(verdict).Attest.Attest;
        var quote = Assert.IsType<TpmAttestBody.Quote>(attest.Body);
        Assert.Equal(entry.GetProperty("pcr_digest").GetString(), Convert.ToHexStringLower(quote.PcrDigest.Span));
        Assert.Equal(entry.GetProperty("reset").GetUInt32(), attest.Clock.ResetCount);
        Assert.Equal(entry.GetProperty("sel")[0][1].EnumerateArray().Select(r => r.GetInt32()),
            quote.Selection.Banks.Single().Registers);
    }

    [Fact]
    public void Refuses_the_Windows_quote_for_SHA1_and_for_nothing_else()
    {
        Assert.True(TpmPublic.TryRead(TpmSamples.WindowsBytes("AK", "Public"), out var area, out _));
        Assert.Equal(
            [AttestationKeyRefusalCode.WeakHash],
            Assert.IsType<AttestationKeyVerdict.Refused>(AttestationKeyCheck.Check(area)).Codes);
        var key = area.Key;
        var values = PcrValues.Of(TpmSamples.Windows.GetProperty("Log").GetProperty("PCRs").EnumerateArray().Select(
            pcr => new PcrValue(TpmHash.Sha1, pcr.GetProperty("Index").GetInt32(),
                pcr.GetProperty("Digest").GetBytesFromBase64())));
        Assert.True(key is not null && values is not null);
        byte[] message = TpmSamples.WindowsBytes("Quote", "Quote");
        byte[] signature = TpmSamples.WindowsBytes("Quote", "Signature");
        var demand = new QuoteExpectation
        {
            Key = QuoteKey.Bare(key),
            Nonce = default,
            Selection = PcrSelection.Of(TpmHash.Sha1, Enumerable.Range(0, 24)),
            LastSeen = null,
        };
        var refused = Assert.IsType<QuoteVerdict.Refused>(
            QuoteVerifier.Verify(new QuoteClaim(message, signature, values), demand, _keys));
        Assert.Equal([QuoteRefusalCode.WeakSignatureHash, QuoteRefusalCode.WeakBank],
            refused.Refusals.Select(r => r.Code));
        Assert.True(TpmSignature.TryRead(signature, out var read, out _));
        Assert.True(_keys.Verifies(key, SignatureForm.RsaPkcs1, TpmHash.Sha1, message,
            Assert.IsType<TpmSignature.Rsa>(read).Value.Span));
    }

    private static ReadOnlyMemory<byte> KeylimeRegister => Bytes("keylime/pcrs.out").AsMemory(142, 32);

    private static byte[] Bytes(string name) => File.ReadAllBytes(VectorFiles.Find($"quotes/{name}"));

    private static SubjectKey FromPem(string? pem)
    {
        var fields = PemEncoding.Find(pem);
        var key = SubjectKey.Parse(Convert.FromBase64String((pem ?? "")[fields.Base64Data]));
        Assert.NotNull(key);
        return key;
    }
}
