using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Quotes;

/// <summary>What is no attestation key is refused, each attribute by its own reason (CVE-2021-3406).</summary>
public sealed class AttestationKeyTests
{
    private static readonly TpmPublic Good = QuoteMaker.RsaSsa.Area;

    [Fact]
    public void Accepts_restricted_signing_keys_that_never_leave_their_TPM()
    {
        foreach (var maker in new[] { QuoteMaker.P256, QuoteMaker.P384, QuoteMaker.RsaSsa, QuoteMaker.RsaPss })
        {
            var key = Assert.IsType<AttestationKeyVerdict.Acceptable>(AttestationKeyCheck.Check(maker.Area)).Key;
            Assert.Equal(maker.Area.Name, key.Area?.Name);
        }
    }

    [Theory]
    [InlineData(TpmAttributes.Sign, AttestationKeyRefusalCode.DoesNotSign)]
    [InlineData(TpmAttributes.Restricted, AttestationKeyRefusalCode.NotRestricted)]
    [InlineData(TpmAttributes.Decrypt, AttestationKeyRefusalCode.Decrypts)]
    [InlineData(TpmAttributes.FixedTpm, AttestationKeyRefusalCode.NotFixedTpm)]
    [InlineData(TpmAttributes.FixedParent, AttestationKeyRefusalCode.NotFixedParent)]
    [InlineData(TpmAttributes.SensitiveDataOrigin, AttestationKeyRefusalCode.ImportedSecret)]
    public void Refuses_a_key_with_one_attribute_the_other_way(TpmAttributes one, AttestationKeyRefusalCode code) =>
        AssertOnly(code, Good with { Attributes = Good.Attributes ^ one });

    [Fact]
    public void Refuses_keys_without_a_scheme_or_with_SHA1()
    {
        var detail = (TpmKeyDetail.Rsa)Good.Detail;
        AssertOnly(AttestationKeyRefusalCode.NoSigningScheme, Good with
        {
            Detail = detail with { Scheme = TpmScheme.None },
        });
        AssertOnly(AttestationKeyRefusalCode.WeakHash, Good with
        {
            Detail = detail with { Scheme = new TpmScheme(TpmSchemeKind.RsaSsa, TpmHash.Sha1) },
        });
        AssertOnly(AttestationKeyRefusalCode.WeakHash, Good with { NameHash = TpmHash.Sha1 });
    }

    [Fact]
    public void Refuses_short_keys_and_odd_exponents()
    {
        AssertOnly(AttestationKeyRefusalCode.WeakKey, QuoteMaker.Rsa(1024, false, TpmHash.Sha256).Area);
        AssertOnly(AttestationKeyRefusalCode.WeakKey, Good with
        {
            Detail = (TpmKeyDetail.Rsa)Good.Detail with { Exponent = 3 },
        });
    }

    [Fact]
    public void Refuses_what_holds_no_key()
    {
        var point = (TpmKeyDetail.Ecc)QuoteMaker.P256.Area.Detail;
        foreach (TpmKeyDetail detail in new TpmKeyDetail[]
        {
            (TpmKeyDetail.Rsa)Good.Detail with { Modulus = default },
            point with { X = default, Y = default },
            point with { X = point.Y, Y = point.X },
        })
        {
            AssertOnly(AttestationKeyRefusalCode.NotAKey, Good with { Detail = detail });
        }

        Assert.Contains(
            AttestationKeyRefusalCode.NotAKey,
            Assert.IsType<AttestationKeyVerdict.Refused>(AttestationKeyCheck.Check(TpmSamples.Sealed())).Codes);
    }

    [Fact]
    public void Gives_every_reason_and_a_sentence_for_each()
    {
        var refused = Assert.IsType<AttestationKeyVerdict.Refused>(
            AttestationKeyCheck.Check(TpmSamples.EndorsementKey() with { Attributes = TpmAttributes.Decrypt }));
        Assert.Equal(
            [
                AttestationKeyRefusalCode.DoesNotSign, AttestationKeyRefusalCode.NotRestricted,
                AttestationKeyRefusalCode.Decrypts, AttestationKeyRefusalCode.NotFixedTpm,
                AttestationKeyRefusalCode.NotFixedParent, AttestationKeyRefusalCode.ImportedSecret,
                AttestationKeyRefusalCode.NoSigningScheme,
            ],
            refused.Codes);
        Assert.All(Enum.GetValues<AttestationKeyRefusalCode>(), c => Assert.NotEmpty(AttestationKeyCheck.Sentence(c)));
    }

    [Fact]
    public void Reads_only_the_one_encoding_of_a_key()
    {
        foreach (var maker in new[] { QuoteMaker.P256, QuoteMaker.P384, QuoteMaker.RsaSsa })
        {
            byte[] spki = maker.Key.Key.SubjectPublicKeyInfo.ToArray();
            Assert.Equal(maker.Key.Key, SubjectKey.Parse(spki));
            Assert.Null(SubjectKey.Parse([.. spki, 0]));
            Assert.Null(SubjectKey.Parse(spki.AsSpan(1)));
            for (int length = 0; length < spki.Length; length++)
            {
                Assert.Null(SubjectKey.Parse(spki.AsSpan(0, length)));
            }
        }
    }

    private static void AssertOnly(AttestationKeyRefusalCode code, TpmPublic area) =>
        Assert.Equal([code], Assert.IsType<AttestationKeyVerdict.Refused>(AttestationKeyCheck.Check(area)).Codes);
}
