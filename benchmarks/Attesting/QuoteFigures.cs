using System.Security.Cryptography;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;

namespace Bailiwick.Benchmarks.Attesting;

/// <summary>
/// A quote judged whole, beside its bare ECDSA verify with an opened key and beside one whose key is opened each time;
/// a real RSA quote beside tpm2_checkquote; and an endorsement certificate judged by the whole pool of vendors, beside
/// the bare verifies of its path.
/// </summary>
internal sealed class QuoteFigures(Effort effort, Action<string> tell)
{
    private const string Tool = "/usr/bin/tpm2_checkquote";
    private const string Certificate = "ekcerts/keylime_73ffb9ae9d.der";

    private static readonly DateTimeOffset At = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly Goal
        OverVerify = new(1.5, "reading and judging may cost half of what the signature costs"),
        OverOpening = new(0.6, "keys are kept opened because opening costs more than verifying"),
        OverTool = new(0.1, "a verifier of thousands of hosts cannot start a program for each"),
        OverPath = new(3, "finding a path among 1,733 intermediates may cost two of its verifies");

    internal async Task<IReadOnlyList<Figure>> Measure(string directory) =>
        [.. await Ecdsa(), .. await Rsa(directory), await Endorsement()];

    private async Task<IReadOnlyList<Figure>> Ecdsa()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] nonce = new byte[32];
        var selection = PcrSelection.Of(TpmHash.Sha256, Enumerable.Range(0, 16));
        var values = PcrValues.Of(Enumerable.Range(0, 16).Select(
            register => new PcrValue(TpmHash.Sha256, register, new byte[32]))) ?? PcrValues.None;
        byte[] message = new TpmAttest
        {
            QualifiedSigner = TpmName.OfHandle(0x4000000b), ExtraData = nonce,
            Clock = new TpmClockInfo(1, 1, 0, true), FirmwareVersion = 1,
            Body = new TpmAttestBody.Quote(selection, values.DigestOver(selection, TpmHash.Sha256)),
        }.Write();
        byte[] plain = ecdsa.SignData(message, HashAlgorithmName.SHA256);
        var claim = new QuoteClaim(
            message, new TpmSignature.Ecdsa(TpmHash.Sha256, plain.AsMemory(0, 32), plain.AsMemory(32)).Write(),
            values);
        var expectation = new QuoteExpectation
        {
            Key = QuoteKey.Bare(Known(ecdsa.ExportSubjectPublicKeyInfo())), Nonce = nonce, Selection = selection,
            LastSeen = null,
        };
        using var kept = new VerifierKeyCache(16);
        using var none = new VerifierKeyCache(0);
        int count = effort.Count(4000);
        double[] medians = await Race.Run(effort,
            Race.Timed(count, _ => Race.Repeat(count, () => Judge(claim, expectation, kept))),
            Race.Timed(count, _ => Race.Repeat(count, () => BenchException.Unless(
                ecdsa.VerifyData(message, plain, HashAlgorithmName.SHA256)))),
            Race.Timed(count, _ => Race.Repeat(count, () => Judge(claim, expectation, none))));
        return
        [
            Figure.Rate("attestation.quote", medians[0], "its bare P-256 verify", medians[1], OverVerify),
            Figure.Rate("attestation.quote-kept-key", medians[0], "the same, opening the key each time", medians[2],
                OverOpening),
        ];
    }

    private async Task<IReadOnlyList<Figure>> Rsa(string directory)
    {
        byte[] pcrs = await File.ReadAllBytesAsync(Vector("quotes/keylime/pcrs.out"));
        string pem = await File.ReadAllTextAsync(Vector("quotes/keylime/ak.pem"));
        byte[] nonce = await File.ReadAllBytesAsync(Vector("quotes/keylime/nonce.txt"));
        var fields = PemEncoding.Find(pem);
        var claim = new QuoteClaim(
            await File.ReadAllBytesAsync(Vector("quotes/keylime/quote.msg")),
            await File.ReadAllBytesAsync(Vector("quotes/keylime/quote.sig")),
            PcrValues.Of([new PcrValue(TpmHash.Sha256, 16, pcrs.AsMemory(142, 32))]) ?? PcrValues.None);
        var expectation = new QuoteExpectation
        {
            Key = QuoteKey.Bare(Known(Convert.FromBase64String(pem[fields.Base64Data]))), Nonce = nonce,
            Selection = PcrSelection.Of(TpmHash.Sha256, 16), LastSeen = null,
        };
        if (!File.Exists(Tool))
        {
            tell($"attestation: {Tool} is not here (package tpm2-tools); that comparison is left out");
            return [];
        }

        using var kept = new VerifierKeyCache(16);
        int count = effort.Count(4000), starts = effort.Count(20);
        double[] medians = await Race.Run(effort,
            Race.Timed(count, _ => Race.Repeat(count, () => Judge(claim, expectation, kept))),
            Race.Timed(starts, _ => Race.Repeat(starts, () => ToolRun.Start(Tool, directory,
                "-u", Vector("quotes/keylime/ak.pem"), "-m", Vector("quotes/keylime/quote.msg"),
                "-s", Vector("quotes/keylime/quote.sig"), "-f", Vector("quotes/keylime/pcrs.out"),
                "-q", Convert.ToHexStringLower(nonce)))));
        return [Figure.Rate("attestation.quote-tool", medians[0], "tpm2_checkquote", medians[1], OverTool)];
    }

    private async Task<Figure> Endorsement()
    {
        byte[] certificate = await File.ReadAllBytesAsync(Vector(Certificate));
        var trust = EkTrust.FromPem(
            await File.ReadAllTextAsync(Vector("ekcerts/pool/roots.pem")),
            await File.ReadAllTextAsync(Vector("ekcerts/pool/inter.pem")));
        var expectation = new EkExpectation(trust, At, EkExpiry.Refuse, null);
        using var kept = new VerifierKeyCache(16);
        using var rsa = RSA.Create(2048);
        byte[] signature = rsa.SignData(certificate, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        int issuers = EkVerifier.Verify(certificate, expectation, kept) is EkVerdict.Genuine genuine
            ? genuine.Key.Chain.Length - 1 : throw new BenchException("A good certificate is refused.");
        int count = effort.Count(1000);
        double[] medians = await Race.Run(effort,
            Race.Timed(count, _ => Race.Repeat(count, () => BenchException.Unless(
                EkVerifier.Verify(certificate, expectation, kept) is EkVerdict.Genuine))),
            Race.Timed(count, _ => Race.Repeat(count * issuers, () => BenchException.Unless(rsa.VerifyData(
                certificate, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)))));
        return Figure.Rate("attestation.ek", medians[0], $"{issuers} bare RSA-2048 verifies", medians[1], OverPath);
    }

    private static void Judge(QuoteClaim claim, QuoteExpectation expectation, VerifierKeyCache keys) =>
        BenchException.Unless(QuoteVerifier.Verify(claim, expectation, keys) is QuoteVerdict.Verified);

    private static SubjectKey Known(byte[] spki) =>
        SubjectKey.Parse(spki) ?? throw new BenchException("A key cannot be read.");

    private static string Vector(string relative) => Path.Combine(Checkout.Root, "tests", "Vectors", relative);
}
