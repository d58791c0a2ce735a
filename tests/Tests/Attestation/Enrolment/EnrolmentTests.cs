using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.Endorsement;
using Bailiwick.Tests.Attestation.Tpm;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Attestation.Enrolment;

/// <summary>Which TPM stands for a host is found out by two checks and one answer, and signed.</summary>
public sealed class EnrolmentTests
{
    private const string Host = "0000000000000000000000000000000000000000000000000000000000000001/host-1";
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private static readonly EcdsaSigner Service = Signatory.NewKey();
    private static readonly SoftwareTpm Tpm = new();
    private static readonly SoftwareTpm Other = new();
    private static readonly EkMaker Vendor = EkMaker.Root("CN=Vendor");
    private static readonly VerifierKeyCache Keys = new(16);
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void Challenges_the_TPM_that_the_operator_states()
    {
        EnrolmentCandidate candidate = Open(Tpm.Claim());
        Assert.Equal(Tpm.Quoting.Area.Name, candidate.AttestationName);
        Assert.Single(candidate.Doubts);
    }

    [Fact]
    public void Refuses_what_could_not_be_an_endorsement_key()
    {
        TpmPublic area = Tpm.EndorsementKey;
        AssertOnly(EnrolmentRefusalCode.NotAnEndorsementKey, Tpm.Claim() with
        {
            EndorsementKey = area with { Attributes = area.Attributes ^ TpmAttributes.FixedTpm },
        });
        AssertOnly(EnrolmentRefusalCode.NotAnEndorsementKey, Tpm.Claim() with { EndorsementKey = TpmSamples.Sealed() });
    }

    [Fact]
    public void Refuses_a_TPM_that_no_operator_states() => AssertOnly(
        EnrolmentRefusalCode.NoTpmStated, Tpm.Claim(), Expectation() with { EndorsementKey = null });

    [Fact]
    public void Refuses_another_TPM_than_the_operator_states()
    {
        AssertOnly(EnrolmentRefusalCode.OtherTpm, Other.Claim());
        AssertOnly(EnrolmentRefusalCode.OtherTpm, Tpm.Claim() with { EndorsementKey = Other.EndorsementKey });
    }

    [Theory]
    [InlineData(TpmAttributes.FixedTpm)]
    [InlineData(TpmAttributes.FixedParent)]
    [InlineData(TpmAttributes.SensitiveDataOrigin)]
    [InlineData(TpmAttributes.Restricted)]
    [InlineData(TpmAttributes.Sign)]
    [InlineData(TpmAttributes.Decrypt)]
    public void Refuses_a_key_that_would_sign_what_no_TPM_made_or_can_leave_it(TpmAttributes one)
    {
        TpmPublic area = Tpm.Quoting.Area;
        AssertOnly(EnrolmentRefusalCode.NotAnAttestationKey, Tpm.Claim() with
        {
            AttestationKey = area with { Attributes = area.Attributes ^ one },
        });
    }

    [Fact]
    public void Gives_every_reason_at_once()
    {
        EnrolmentClaim claim = new(default, TpmSamples.Sealed(), Tpm.EndorsementKey);
        var refused = Assert.IsType<EnrolmentVerdict.Refused>(
            Judge(claim, Expectation() with { EndorsementKey = null }));
        Assert.Equal(
            [
                EnrolmentRefusalCode.NotAnEndorsementKey, EnrolmentRefusalCode.NoTpmStated,
                EnrolmentRefusalCode.NotAnAttestationKey,
            ],
            refused.Refusals.Select(refusal => refusal.Code).Distinct());
    }

    [Fact]
    public void A_certificate_counts_for_its_own_key_by_a_believed_vendor_and_else_is_a_doubt()
    {
        EnrolmentExpectation believing = Expectation() with { Vendors = SoftwareTpm.Believed(Vendor) };
        byte[] good = Tpm.CertificateOf(Vendor);
        EnrolmentCandidate genuine = Open(Tpm.Claim(good), believing);
        Assert.Empty(genuine.Doubts);
        Assert.Equal(EvidenceAssurance.Tpm, Answered(genuine).Assurance);
        (EnrolmentClaim Claim, EnrolmentExpectation Expectation)[] doubtful =
        [
            (Tpm.Claim(good), Expectation()), (Tpm.Claim(), believing),
            (Tpm.Claim(Other.CertificateOf(Vendor)), believing),
            (Tpm.Claim(Tpm.CertificateOf(EkMaker.Root("CN=Stranger"))), believing),
            (Tpm.Claim(Tpm.CertificateOf(EkMaker.Root("CN=Vendor"))), believing),
            (Tpm.Claim([0x30, 0]), believing),
        ];
        foreach (var (claim, expectation) in doubtful)
        {
            EnrolmentCandidate candidate = Open(claim, expectation);
            Assert.NotEmpty(candidate.Doubts);
            Assert.Equal(EvidenceAssurance.SoftwareTpm, Answered(candidate).Assurance);
        }
    }

    [Fact]
    public void A_challenge_is_answered_once_and_only_by_its_secret()
    {
        var challenge = new EnrolmentChallenge(Open(Tpm.Claim()), Secret);
        EnrolledKey? key = challenge.Answer(Secret);
        Assert.Equal(
            (Bank, Host, Tpm.EndorsementId), (key?.Tenant, key?.Host ?? "", key?.EndorsementKey));
        Assert.Equal(Tpm.Quoting.Area, key?.AttestationKey.Area);
        Assert.Null(challenge.Answer(Secret));

        foreach (byte[] wrong in (byte[][])[[], Secret[..31], [.. Secret, 0], new byte[32]])
        {
            var asked = new EnrolmentChallenge(Open(Tpm.Claim()), Secret);
            Assert.Null(asked.Answer(wrong));
            Assert.Null(asked.Answer(Secret));
        }
    }

    [Fact]
    public void Refuses_to_ask_with_a_secret_that_can_be_guessed()
    {
        EnrolmentCandidate candidate = Open(Tpm.Claim());
        Assert.Throws<ArgumentOutOfRangeException>(() => new EnrolmentChallenge(candidate, Secret.AsSpan(0, 15)));
        Assert.NotNull(new EnrolmentChallenge(candidate, Secret.AsSpan(0, 16)).Answer(Secret.AsSpan(0, 16)));
    }

    [Fact]
    public void A_signed_enrolment_says_what_was_found()
    {
        foreach (EnrolledKey key in (EnrolledKey[])
            [Tpm.Enrol(Bank, Host), Tpm.Enrol(Bank, Host, SoftwareTpm.Believed(Vendor), Vendor)])
        {
            EnrolledKey? read = EnrolmentDocument.Verify(
                EnrolmentDocument.Write(key, Service), Bank, Service.PublicKey, out _);
            Assert.Equal(
                (key.Tenant, key.Host, key.EndorsementKey, key.AttestationKey.Area, key.Vendors),
                (read?.Tenant, read?.Host ?? "", read?.EndorsementKey, read?.AttestationKey.Area, read?.Vendors));
        }
    }

    [Fact]
    public void Refuses_an_enrolment_that_another_key_signed_or_that_is_for_another_tenant()
    {
        byte[] document = EnrolmentDocument.Write(Tpm.Enrol(Bank, Host), Service);
        Assert.NotNull(EnrolmentDocument.Verify(document, Bank, Service.PublicKey, out _));
        Assert.Null(EnrolmentDocument.Verify(document, Bank, Signatory.NewKey().PublicKey, out string fault));
        Assert.Contains("must sign an enrolment", fault, StringComparison.Ordinal);
        Assert.Null(EnrolmentDocument.Verify(document, PartyId.Unsigned("hospital"), Service.PublicKey, out fault));
        Assert.NotEmpty(fault);
        byte[] stranger = EnrolmentDocument.Write(Tpm.Enrol(Bank, Host), Signatory.NewKey());
        Assert.Null(EnrolmentDocument.Verify(stranger, Bank, Service.PublicKey, out _));
    }

    [Theory]
    [InlineData("tenant", "")]
    [InlineData("tenant", "hospital")]
    [InlineData("host", "")]
    [InlineData("endorsementKey", "00")]
    [InlineData("attestationKey", "AAAA")]
    [InlineData("attestationKey", "endorsement")]
    [InlineData("vendors", "")]
    [InlineData("vendors", "None")]
    [InlineData("vendors", "00")]
    public void Refuses_a_signed_enrolment_with_a_member_of_another_form(string member, string value)
    {
        JsonObject said = Said();
        said[member] = value == "endorsement" ? Convert.ToBase64String(Tpm.EndorsementKey.Write()) : value;
        Assert.Null(EnrolmentDocument.Verify(
            SignedDocument.Sign(EnrolmentDocument.Format, said, Service), Bank, Service.PublicKey, out string fault));
        Assert.NotEmpty(fault);
        Assert.NotNull(EnrolmentDocument.Verify(
            SignedDocument.Sign(EnrolmentDocument.Format, Said(), Service), Bank, Service.PublicKey, out _));
    }

    [Fact]
    public void No_changed_byte_of_an_enrolment_is_verified()
    {
        byte[] good = EnrolmentDocument.Write(Tpm.Enrol(Bank, Host), Service);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] changed = [.. good];
            changed[i] ^= 0x04;
            Assert.Null(EnrolmentDocument.Verify(changed, Bank, Service.PublicKey, out _));
            Assert.Null(EnrolmentDocument.Verify(good.AsSpan(0, i), Bank, Service.PublicKey, out _));
        }
    }

    private static JsonObject Said()
    {
        JsonNode? envelope = JsonNode.Parse(EnrolmentDocument.Write(Tpm.Enrol(Bank, Host), Service));
        byte[] payload = Convert.FromBase64String(envelope?["payload"]?.GetValue<string>() ?? "");
        var said = JsonNode.Parse(Encoding.UTF8.GetString(payload)) as JsonObject ?? [];
        said.Remove("bailiwick");
        return said;
    }

    private static EnrolledKey Answered(EnrolmentCandidate candidate) =>
        new EnrolmentChallenge(candidate, Secret).Answer(Secret) ?? throw new InvalidOperationException();

    private static EnrolmentCandidate Open(EnrolmentClaim claim, EnrolmentExpectation? expectation = null) =>
        Assert.IsType<EnrolmentVerdict.Open>(Judge(claim, expectation ?? Expectation())).Candidate;

    private static void AssertOnly(
        EnrolmentRefusalCode code, EnrolmentClaim claim, EnrolmentExpectation? expectation = null)
    {
        var refused = Assert.IsType<EnrolmentVerdict.Refused>(Judge(claim, expectation ?? Expectation()));
        Assert.NotEmpty(refused.Refusals);
        Assert.All(refused.Refusals, refusal => Assert.Equal(code, refusal.Code));
    }

    private static EnrolmentVerdict Judge(EnrolmentClaim claim, EnrolmentExpectation expectation) =>
        EnrolmentCheck.Judge(claim, expectation, Keys);

    private static EnrolmentExpectation Expectation() => new()
    {
        Tenant = Bank, Host = Host, EndorsementKey = Tpm.EndorsementId, Vendors = null, At = EkMaker.Now,
    };
}
