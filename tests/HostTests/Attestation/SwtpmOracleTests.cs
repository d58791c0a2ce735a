using System.Security.Cryptography;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.HostTests.Tpm;

namespace Bailiwick.HostTests.Attestation;

/// <summary>
/// What a TPM (swtpm) makes is verified here as tpm2-tools verify it, and what is made here a TPM takes.
/// </summary>
public sealed class SwtpmOracleTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>
{
    private static readonly PcrSelection Boot = PcrSelection.Of(TpmHash.Sha256, 0, 1, 2, 3, 4, 5, 6, 7, 14);

    [Theory]
    [InlineData("rsa", "rsassa", "sha256")]
    [InlineData("rsa", "rsassa", "sha384")]
    [InlineData("rsa", "rsapss", "sha256")]
    [InlineData("ecc", "ecdsa", "sha256")]
    public async Task Quotes_are_verified_as_tpm2_checkquote_verifies_them(string type, string scheme, string hash)
    {
        byte[] nonce = RandomNumberGenerator.GetBytes(24);
        await MakeKeys(type, scheme, hash);
        await Run("tpm2_pcrextend", "14:sha256=" + new string('a', 64));
        await Run("tpm2_quote", "-c", "ak.ctx", "-l", Boot.ToString(), "-q", Convert.ToHexStringLower(nonce),
            "-m", "quote.msg", "-s", "quote.sig", "-o", "quote.pcrs", "-g", hash, "--scheme", scheme);
        await Oracle(scheme, hash, "quote.msg", Convert.ToHexStringLower(nonce), "-f", "quote.pcrs");
        var values = await Values([.. Boot.Banks.Single().Registers]);
        Assert.True(TpmPublic.TryReadSized(Bytes("ak.pub"), out var area, out _));
        var key = Assert.IsType<AttestationKeyVerdict.Acceptable>(AttestationKeyCheck.Check(area)).Key;
        Assert.Equal(Convert.ToHexStringLower(Bytes("ak.name")), area.Name.Hex);
        var demand = new QuoteExpectation { Key = key, Nonce = nonce, Selection = Boot, LastSeen = null };
        var claim = new QuoteClaim(Bytes("quote.msg"), Bytes("quote.sig"), values);
        using var keys = new VerifierKeyCache(2);
        var quote = Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(claim, demand, keys)).Quote;
        var again = demand with { LastSeen = quote.Clock, QualifiedSigner = quote.QualifiedSigner };
        Assert.Equal(QuoteContinuity.SameBoot,
            Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(claim, again, keys)).Quote.Continuity);
        await RefusedByBoth(claim, demand, keys, scheme, hash);
    }

    [Theory]
    [InlineData("rsa")]
    [InlineData("ecc")]
    public async Task A_TPM_answers_a_challenge_for_the_key_it_holds_and_for_no_other(string type)
    {
        await MakeKeys(type, type == "rsa" ? "rsassa" : "ecdsa", "sha256");
        Assert.True(TpmPublic.TryReadSized(Bytes("ek.pub"), out var area, out _));
        Assert.True(TpmPublic.TryReadSized(Bytes("ak.pub"), out var ak, out _));
        Assert.True(TpmWrappingKey.TryOf(area, out var endorsement, out _));
        Assert.Equal(PolicyDigest.OfEndorsementKeys(TpmHash.Sha256).Bytes.ToArray(), area.Policy.ToArray());
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        Write("credential", MadeCredential.Make(endorsement, ak.Name, secret, RandomNumberGenerator.Fill).ToToolFile());
        await Activate();
        Assert.Equal(secret, Bytes("answer"));
        var other = (ak with { Attributes = ak.Attributes ^ TpmAttributes.NoDictionaryAttack }).Name;
        Write("credential", MadeCredential.Make(endorsement, other, secret, RandomNumberGenerator.Fill).ToToolFile());
        await Assert.ThrowsAnyAsync<Exception>(Activate);
    }

    [Theory]
    [InlineData("rsa")]
    [InlineData("ecc")]
    public async Task A_TPM_imports_what_is_wrapped_for_it_and_opens_it_in_one_state(string type)
    {
        await Flush();
        var values = await Values(7, 23);
        var policy = PolicyDigest.Start(TpmHash.Sha256).WithPcrs(PcrSelection.Of(TpmHash.Sha256, 7, 23), values);
        Assert.NotNull(policy);
        await Run("tpm2_createprimary", "-C", "o", "-G", type, "-c", "parent.ctx");
        await Run("tpm2_readpublic", "-c", "parent.ctx", "-o", "parent.pub");
        Assert.True(TpmPublic.TryReadSized(Bytes("parent.pub"), out var area, out _));
        Assert.True(TpmWrappingKey.TryOf(area, out var parent, out _));
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        var wrapped = TpmImport.Wrap(parent, policy, secret, RandomNumberGenerator.Fill);
        Write("w.pub", wrapped.Public.WriteSized());
        Write("w.dup", new TpmWriter().Sized(wrapped.Duplicate.Span).ToArray());
        Write("w.seed", new TpmWriter().Sized(wrapped.EncryptedSeed.Span).ToArray());
        await Run("tpm2_import", "-C", "parent.ctx", "-u", "w.pub", "-i", "w.dup", "-s", "w.seed", "-r", "w.priv");
        await Flush();
        await Run("tpm2_load", "-C", "parent.ctx", "-u", "w.pub", "-r", "w.priv", "-c", "w.ctx");
        await Flush();
        await Run("tpm2_unseal", "-c", "w.ctx", "-p", "pcr:sha256:7,23", "-o", "opened");
        Assert.Equal(secret, Bytes("opened"));
        await Run("tpm2_pcrextend", "23:sha256=" + new string('b', 64));
        await Flush();
        await Assert.ThrowsAnyAsync<Exception>(
            () => Run("tpm2_unseal", "-c", "w.ctx", "-p", "pcr:sha256:7,23", "-o", "opened"));
    }

    [Fact]
    public async Task Policies_have_the_digests_a_trial_session_gives()
    {
        await MakeKeys("ecc", "ecdsa", "sha256");
        var start = PolicyDigest.Start(TpmHash.Sha256);
        Assert.True(TpmPublic.TryReadSized(Bytes("ak.pub"), out var ak, out _));
        await Trial("tpm2_policyauthvalue", start.WithAuthValue());
        await Trial("tpm2_policysecret", start.WithSecret(TpmName.OfHandle(0x40000001), []), "-c", "o");
        var values = await Values(0, 3);
        var pcrs = start.WithPcrs(PcrSelection.Of(TpmHash.Sha256, 0, 3), values);
        Assert.NotNull(pcrs);
        await Trial("tpm2_policypcr", pcrs, "-l", "sha256:0,3");
        Write("approved", pcrs.Bytes.ToArray());
        await Trial("tpm2_policyauthorize", PolicyDigest.ApprovedBy(TpmHash.Sha256, ak.Name, []),
            "-i", "approved", "-n", "ak.name");
    }

    private async Task<PcrValues> Values(params int[] registers)
    {
        await Run("tpm2_pcrread", "-o", "values", PcrSelection.Of(TpmHash.Sha256, registers).ToString());
        var values = PcrValues.Of(registers.Select((register, i) =>
            new PcrValue(TpmHash.Sha256, register, Bytes("values").AsMemory(i * 32, 32))));
        Assert.NotNull(values);
        return values;
    }

    private async Task RefusedByBoth(
        QuoteClaim claim, QuoteExpectation demand, VerifierKeyCache keys, string scheme, string hash)
    {
        byte[] changed = claim.Message.ToArray();
        changed[^1] ^= 1;
        Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(claim with { Message = changed }, demand, keys));
        Write("changed.msg", changed);
        await Assert.ThrowsAnyAsync<Exception>(() => Oracle(
            scheme, hash, "changed.msg", Convert.ToHexStringLower(demand.Nonce.Span)));
        Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(claim, demand with { Nonce = new byte[24] }, keys));
        if (scheme != "rsapss")
        {
            await Assert.ThrowsAnyAsync<Exception>(() => Oracle(scheme, hash, "quote.msg", new string('0', 48)));
        }
    }

    /// <summary>tpm2_checkquote 5.4 does not verify RSASSA-PSS; there the TPM itself is asked, about the signature.
    /// </summary>
    private async Task Oracle(string scheme, string hash, string message, string nonce, params string[] more)
    {
        if (scheme == "rsapss")
        {
            await Run("tpm2_verifysignature", "-c", "ak.ctx", "-g", hash, "-m", message, "-s", "quote.sig");
            await Flush();
            return;
        }

        await Run(["tpm2_checkquote", "-u", "ak.pem", "-m", message, "-s", "quote.sig", "-q", nonce, "-g", hash,
            .. more]);
    }

    private async Task MakeKeys(string type, string scheme, string hash)
    {
        await Flush();
        await Run("tpm2_createek", "-G", type, "-c", "ek.ctx", "-u", "ek.pub");
        await Flush();
        await Run("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", type, "-g", hash, "-s", scheme,
            "-u", "ak.pub", "-n", "ak.name");
        await Flush();
        await Run("tpm2_readpublic", "-c", "ak.ctx", "-f", "pem", "-o", "ak.pem");
        await Flush();
    }

    private async Task Activate()
    {
        await Flush();
        await Run("tpm2_startauthsession", "--policy-session", "-S", "session.ctx");
        await Run("tpm2_policysecret", "-S", "session.ctx", "-c", "e");
        try
        {
            await Run("tpm2_activatecredential", "-c", "ak.ctx", "-C", "ek.ctx", "-i", "credential", "-o", "answer",
                "-P", "session:session.ctx");
        }
        finally
        {
            await Run("tpm2_flushcontext", "session.ctx");
            await Flush();
        }
    }

    private async Task Trial(string command, PolicyDigest expected, params string[] arguments)
    {
        await Run("tpm2_startauthsession", "-S", "trial.ctx");
        await Run([command, "-S", "trial.ctx", "-L", "trial.digest", .. arguments]);
        await Run("tpm2_flushcontext", "trial.ctx");
        Assert.Equal(expected.Hex, Convert.ToHexStringLower(Bytes("trial.digest")));
    }

    /// <summary>A program of tpm2-tools; names of files are those in the TPM's own directory.</summary>
    private Task<string> Run(params string[] argv) => tpm.Tool([argv[0], .. argv[1..].Select(Placed)]);

    private string Placed(string argument) => IsFile(argument) ? tpm.PathOf(argument)
        : argument.StartsWith("session:", StringComparison.Ordinal) ? "session:" + tpm.PathOf(argument[8..])
        : argument;

    private static bool IsFile(string argument) =>
        argument is "values" or "credential" or "answer" or "opened" or "approved"
        || (argument.Contains('.', StringComparison.Ordinal) && !argument.Contains(':', StringComparison.Ordinal));

    private Task<string> Flush() => Run("tpm2_flushcontext", "-t");

    private byte[] Bytes(string file) => File.ReadAllBytes(tpm.PathOf(file));

    private void Write(string file, byte[] bytes) => File.WriteAllBytes(tpm.PathOf(file), bytes);
}
