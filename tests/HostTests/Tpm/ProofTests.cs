using System.Security.Cryptography;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;
using Bailiwick.Tpm.Sealing;

namespace Bailiwick.HostTests.Tpm;

/// <summary>What a host's TPM gives, judged by the verifiers that never saw it.</summary>
public sealed class ProofTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>, IDisposable
{
    private static readonly byte[] Nonce = RandomNumberGenerator.GetBytes(32);
    private static readonly PcrSelection Selection = PcrSelection.Of(TpmHash.Sha256, 0, 1, 2, 3, 4, 5, 6, 7, 14, 15);
    private readonly VerifierKeyCache _keys = new(16);

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void The_endorsement_key_is_genuine_for_who_believes_the_vendor_and_for_nobody_else()
    {
        using var open = tpm.Open();
        var key = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        var certificate = key.ReadCertificate() ?? throw new InvalidOperationException("no certificate");
        var believed = EkTrust.FromPem(File.ReadAllText(tpm.RootsFile), File.ReadAllText(tpm.IntermediatesFile));
        var expectation = new EkExpectation(believed, DateTimeOffset.UtcNow, EkExpiry.Refuse, key.Public.Key);
        var verdict = EkVerifier.Verify(certificate.Span, expectation, _keys);
        var why = verdict is EkVerdict.Refused no ? string.Join("; ", no.Refusals.Select(one => one.Sentence)) : "";
        Assert.True(verdict is EkVerdict.Genuine, why);
        var stranger = expectation with { Trust = EkTrust.FromPem("", "") };
        Assert.IsType<EkVerdict.Refused>(EkVerifier.Verify(certificate.Span, stranger, _keys));
        var other = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.EccP256);
        Assert.IsType<EkVerdict.Refused>(
            EkVerifier.Verify(certificate.Span, expectation with { Shown = other.Public.Key }, _keys));
    }

    [Fact]
    public void A_quote_is_verified_and_continues_the_one_before()
    {
        using var open = tpm.Open();
        var key = AttestationKey.OpenOrCreate(open);
        var accepted = Assert.IsType<AttestationKeyVerdict.Acceptable>(AttestationKeyCheck.Check(key.Public));
        var expectation = new QuoteExpectation
        {
            Key = accepted.Key,
            Nonce = Nonce,
            Selection = Selection,
            LastSeen = null,
        };
        var first = Assert.IsType<QuoteVerdict.Verified>(
            QuoteVerifier.Verify(key.Quote(Selection, Nonce), expectation, _keys)).Quote;
        Assert.Equal(QuoteContinuity.First, first.Continuity);
        IntegrityRegister.Open(open).Extend(SHA256.HashData("record"u8));
        var again = expectation with { LastSeen = first.Clock };
        var quote = key.Quote(Selection, Nonce);
        Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(quote, again, _keys));

        // Another nonce, other registers, the values of before, another key.
        Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(key.Quote(Selection, new byte[32]), again, _keys));
        Assert.IsType<QuoteVerdict.Refused>(
            QuoteVerifier.Verify(key.Quote(PcrSelection.Of(TpmHash.Sha256, 0), Nonce), again, _keys));
        Assert.IsType<QuoteVerdict.Refused>(
            QuoteVerifier.Verify(quote with { Values = first.Values }, again, _keys));
        var other = AttestationKey.OpenOrCreate(open, 0x81010040);
        Assert.NotEqual(key.Name, other.Name);
        Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(other.Quote(Selection, Nonce), again, _keys));
    }

    [Theory]
    [InlineData(EndorsementAlgorithm.Rsa2048)]
    [InlineData(EndorsementAlgorithm.EccP256)]
    public void A_challenge_made_without_a_TPM_opens_for_its_name_and_for_no_other(EndorsementAlgorithm algorithm)
    {
        using var open = tpm.Open();
        var endorsement = EndorsementKey.OpenOrCreate(open, algorithm);
        var key = AttestationKey.OpenOrCreate(open);
        Assert.True(TpmWrappingKey.TryOf(endorsement.Public, out var target, out _));
        var secret = RandomNumberGenerator.GetBytes(32);
        var made = MadeCredential.Make(target, key.Name, secret, RandomNumberGenerator.Fill);
        var credential = new TpmCredential(made.Blob, made.EncryptedSeed);
        Assert.Equal(secret, key.Activate(endorsement, credential, static lent => lent.ToArray()));
        var other = MadeCredential.Make(target, endorsement.Name, secret, RandomNumberGenerator.Fill);
        Assert.Equal(AccessFault.NotForThisTpm, Assert.Throws<TpmException>(() => key.Activate(
            endorsement, new TpmCredential(other.Blob, other.EncryptedSeed), static lent => lent.Length)).Fault);
    }

    [Fact]
    public void A_secret_wrapped_without_a_TPM_comes_out_in_the_approved_state_and_in_no_other()
    {
        using var open = tpm.Open();
        var parent = StorageKey.OpenOrCreate(open);
        var salt = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        var registers = new PcrRegisters(open);
        var policy = PolicyDigest.Start(TpmHash.Sha256).WithPcrs(Selection, registers.Read(Selection).Values);
        Assert.NotNull(policy);
        Assert.Equal(SealedObject.PresentPolicy(open, Selection).ToArray(), policy.Bytes.ToArray());
        Assert.True(TpmWrappingKey.TryOf(parent.Public, out var target, out _));
        var secret = RandomNumberGenerator.GetBytes(32);
        var made = TpmImport.Wrap(target, policy, secret, RandomNumberGenerator.Fill);
        var held = SealedObject.Import(
            parent, new WrappedObject(made.Public.Write(), made.Duplicate, made.EncryptedSeed));
        var terms = UnsealPolicy.AtPcrs(Selection);
        Assert.Equal(secret, held.Unseal(salt, terms, static lent => lent.ToArray()));
        registers.Extend(new PcrMeasurement(4, TpmHash.Sha256, new byte[32]));
        Assert.Equal(AccessFault.PolicyRefused, Assert.Throws<TpmException>(
            () => held.Unseal(salt, terms, static lent => lent.Length)).Fault);
    }
}
