using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.Quotes;

namespace Bailiwick.Tests.Cli;

/// <summary>What <c>bailiwick evidence quote</c> and <c>evidence ek</c> say about files others made.</summary>
public sealed class EvidenceQuoteTests : IDisposable
{
    private static readonly string Keylime = VectorFiles.Find("quotes/keylime");
    private static readonly string Nonce = File.ReadAllText(Path.Combine(Keylime, "nonce.hex")).Trim();
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_quote_that_holds_ends_with_0_and_shows_its_registers()
    {
        Ending ending = Quote("ak.pem", Nonce, "--pcrs", Path.Combine(Keylime, "pcrs.out"));
        Assert.True(ending.Code == 0, ending.ToString());
        Assert.Equal("ok", ending.Json.GetProperty("verdict").GetString());
        Assert.Equal(0, ending.Json.GetProperty("reasons").GetArrayLength());
        Assert.Equal("d471c0674951f0ef",
            ending.Json.GetProperty("pcrs").GetProperty("sha256").GetProperty("16").GetString()?[..16]);
        Assert.Equal(0, Quote("ak.pem", Nonce).Code);
    }

    [Fact]
    public void Another_nonce_ends_with_1_and_says_so()
    {
        Ending ending = Quote("ak.pem", new string('0', 40), "--pcrs", Path.Combine(Keylime, "pcrs.out"));
        Assert.Equal(1, ending.Code);
        Assert.Equal("reject", ending.Json.GetProperty("verdict").GetString());
        Assert.Equal(["nonce-mismatch"], Reasons(ending));
        Assert.False(ending.Json.TryGetProperty("pcrs", out _));
    }

    [Fact]
    public void A_file_of_registers_cannot_remap_what_was_quoted()
    {
        // CVE-2024-29039: the value stays, and the file says that it is of register 17, or of another bank.
        byte[] pcrs = File.ReadAllBytes(Path.Combine(Keylime, "pcrs.out"));
        pcrs[9] = 2;
        Assert.Equal(["selection-differs", "values-not-quoted", "values-missing"], Reasons(WithRegisters(pcrs)));
        pcrs[9] = 1;
        pcrs[142] ^= 1;
        Assert.Equal(["values-differ"], Reasons(WithRegisters(pcrs)));
        Assert.Equal(2, WithRegisters(pcrs[..^1]).Code);
        pcrs[4] = 0x0c;
        Assert.Equal(2, WithRegisters(pcrs).Code);
    }

    [Fact]
    public void Public_areas_and_plain_signatures_are_taken_too()
    {
        byte[] nonce = new byte[20];
        var values = QuoteMaker.Values(0, 7);
        foreach (var maker in new[] { QuoteMaker.P256, QuoteMaker.RsaSsa, QuoteMaker.RsaPss })
        {
            var claim = maker.Sign(maker.Attest(nonce, PcrSelection.Of(TpmHash.Sha256, 0, 7), values), values);
            byte[] plain = TpmSignature.TryRead(claim.Signature.Span, out var signature, out _)
                && signature is TpmSignature.Rsa rsa ? rsa.Value.ToArray() : claim.Signature.ToArray();
            byte[] raw = [.. values.All.SelectMany(value => value.Value.ToArray())];
            Ending ending = Run("quote", "--ak", Put("area", maker.Area.WriteSized()), "--message",
                Put("message", claim.Message.ToArray()), "--signature", Put("signature", plain), "--pcrs",
                Put("values", raw), "--nonce", Convert.ToHexString(nonce), "--json");
            Assert.True(ending.Code == 0, ending.ToString());
        }
    }

    [Fact]
    public void A_key_that_is_no_attestation_key_is_a_reason()
    {
        var maker = QuoteMaker.P256;
        var values = QuoteMaker.Values(0);
        byte[] message = maker.Attest(new byte[20], PcrSelection.Of(TpmHash.Sha256, 0), values).Write();
        var free = maker.Area with { Attributes = maker.Area.Attributes & ~TpmAttributes.Restricted };
        Ending ending = Run("quote", "--ak", Put("area", free.Write()), "--message", Put("message", message),
            "--signature", Put("signature", maker.Signature(message).Write()), "--nonce", new string('0', 40),
            "--json");
        Assert.Equal(["key-not-restricted"], Reasons(ending));
    }

    [Fact]
    public void Files_that_are_none_of_these_end_with_2()
    {
        Assert.Equal(2, Quote("nonce.txt", Nonce).Code);
        Assert.Equal(2, Quote("missing", Nonce).Code);
        Assert.Equal(2, Quote("ak.pem", "xyz").Code);
        Assert.Equal(1, Run("ek", Put("x", [1, 2, 3]), "--roots", Roots).Code);
        Assert.Equal(2, Run("ek", Put("x", [1, 2, 3]), "--roots", Roots, "--at", "yesterday").Code);
        Assert.Equal(2, Run("ek", Put("x", [1, 2, 3])).Code);
    }

    [Theory]
    [InlineData("keylime_933cdb1745.der", "NTC", "NPCT75x", "RSA 2048")]
    [InlineData("keylime_dfd310e73a.der", "IFX", "SLB 9670 TPM2.0", "ECC P-256")]
    public void A_genuine_TPM_ends_with_0_and_is_named(string file, string maker, string model, string key)
    {
        Ending ending = Ek(file);
        Assert.True(ending.Code == 0, ending.ToString());
        Assert.Equal(("ok", maker, model, key), (Text(ending, "verdict"), Text(ending, "manufacturer"),
            Text(ending, "model"), Text(ending, "key")));
    }

    [Fact]
    public void A_software_TPM_ends_with_1()
    {
        Ending ending = Ek("keylime_3a888ace14.der");
        Assert.Equal((1, "reject"), (ending.Code, Text(ending, "verdict")));
        Assert.Equal(["unknown-issuer"], Reasons(ending));
    }

    private static string Roots => VectorFiles.Find("ekcerts/pool/roots.pem");

    private static string? Text(Ending ending, string member) => ending.Json.GetProperty(member).GetString();

    private static IEnumerable<string?> Reasons(Ending ending) =>
        ending.Json.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetString());

    private Ending Ek(string file) => Run("ek", VectorFiles.Find($"ekcerts/{file}"), "--roots", Roots,
        "--intermediates", VectorFiles.Find("ekcerts/pool/inter.pem"), "--at", "2026-06-01T00:00:00Z", "--json");

    private Ending WithRegisters(byte[] pcrs) => Quote("ak.pem", Nonce, "--pcrs", Put("pcrs", pcrs));

    private Ending Quote(string ak, string nonce, params string[] more) => Run([
        "quote", "--ak", Path.Combine(Keylime, ak), "--message", Path.Combine(Keylime, "quote.msg"), "--signature",
        Path.Combine(Keylime, "quote.sig"), "--nonce", nonce, "--json", .. more]);

    private Ending Run(params string[] arguments) => CommandLine.Run(_root.FullName, ["evidence", .. arguments]);

    private string Put(string name, byte[] bytes)
    {
        string path = Path.Combine(_root.FullName, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
