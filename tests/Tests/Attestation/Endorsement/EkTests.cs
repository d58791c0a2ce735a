using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Tests.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Endorsement;

/// <summary>Each reason against an endorsement certificate is reached by one cause, and by nothing but it.</summary>
public sealed class EkTests : IDisposable
{
    // Of 126 primes' primorial, as the flawed library made them: p = k * M + (65537^a mod M).
    private const string RocaModulus =
        "bbec1b92bd09cb292405d156f07cf70646f0b18e1744c3c11cdf29f514664e6b2b040df128b64dc16df5ff3dc38eddfae694"
        + "082e7f4d72517e94193ebe9d6b3404f6828169aae4dcc3df7512257f92907b4a6f8d8d45cc9787dc96a34a47e5f7b47e95f0"
        + "089b7a9239d624fa8d3f82c39416bd44951c214e7f90206dad8123beecfbe3d8416589eebae597e3410690d80893c638ae37"
        + "7f2c8634e4ae42cb4f777b615ff6461b4935db5ad554769ebbc7bade2e0f350a71349d3808470f10c3c64b84f35dfe045f5f"
        + "fe34b8e78d8227ab3b2218ed73d3115695399013c3bd4991341343408cc6238c5878db6b211abd5bc9abef15f28608aa5678"
        + "9b6a277ab30b";

    private static readonly RSA Key = RSA.Create(2048);
    private static readonly EkMaker Root = EkMaker.Root("CN=Vendor Root");
    private static readonly EkMaker Issuer = Root.Below("CN=Vendor Issuer");
    private static readonly EkContents Good = new();

    private readonly VerifierKeyCache _keys = new(8);

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Believes_a_key_that_a_vendor_certifies()
    {
        var key = Assert.IsType<EkVerdict.Genuine>(Judge(Issuer.Certify(Key, Good))).Key;
        Assert.Equal(new TpmIdentity("IFX", "SLB 9670", "id:0007"), key.Identity);
        Assert.Equal(3, key.Chain.Length);
        Assert.Empty(key.Remarks);
        Assert.Equal(Key.ExportSubjectPublicKeyInfo(), key.Key.SubjectPublicKeyInfo.ToArray());
        Assert.IsType<EkVerdict.Genuine>(Judge(Root.Certify(Key, Good)));
    }

    [Fact]
    public void Refuses_a_vendor_nobody_believes_in()
    {
        var stranger = EkMaker.Root("CN=swtpm-localca");
        AssertOnly(EkRefusalCode.UnknownIssuer, stranger.Certify(Key, Good));
        AssertOnly(EkRefusalCode.UnknownIssuer, Issuer.Certify(Key, Good), Trust([], [Issuer, Root]));
        AssertOnly(EkRefusalCode.UnknownIssuer, Issuer.Certify(Key, Good), Trust([Root], []));
    }

    [Fact]
    public void Refuses_who_has_the_name_of_a_vendor_and_not_its_key()
    {
        AssertOnly(EkRefusalCode.BadSignature, EkMaker.Root("CN=Vendor Root").Certify(Key, Good));
        AssertOnly(EkRefusalCode.BadSignature,
            EkMaker.Root("CN=Vendor Root").Below("CN=Another").Certify(Key, Good),
            Trust([Root], [EkMaker.Root("CN=Vendor Root").Below("CN=Another")]));
    }

    [Fact]
    public void Refuses_a_TPMs_certificate_as_that_of_a_certifier()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] leaf = Issuer.Certify(key, Good with { Subject = "CN=TPM" });
        var pretender = EkMaker.Pretending("CN=TPM", key, leaf);
        Assert.IsType<EkVerdict.Genuine>(Judge(leaf));
        AssertOnly(EkRefusalCode.IssuerNotAllowed, pretender.Certify(Key, Good), Trust([Root], [Issuer, pretender]));
    }

    [Fact]
    public void Refuses_issuers_that_may_not_certify_endorsement_keys()
    {
        var may = EkContents.Certifier("CN=May");
        foreach (var (contents, allowed) in new[]
        {
            (may, true), (may with { ExtendedUsages = [EkMaker.EndorsementUsage] }, true),
            (may with { ExtendedUsages = ["2.5.29.37.0"] }, true),
            (may with { ExtendedUsages = ["2.23.133.8.3"] }, false), (may with { Authority = false }, false),
            (may with { Authority = null }, false), (may with { Usage = X509KeyUsageFlags.DigitalSignature }, false),
            (may with { NotBefore = EkMaker.Now.AddDays(1) }, false),
            (may with { Extra = new X509Extension("1.2.3.4", [5, 0], critical: true) }, false),
        })
        {
            var issuer = Root.Below("CN=May", contents);
            byte[] leaf = issuer.Certify(Key, Good);
            if (allowed)
            {
                Assert.IsType<EkVerdict.Genuine>(Judge(leaf, Trust([Root], [issuer])));
            }
            else
            {
                AssertOnly(EkRefusalCode.IssuerNotAllowed, leaf, Trust([Root], [issuer]));
            }
        }
    }

    [Fact]
    public void Keeps_to_the_path_length_a_vendor_allows()
    {
        foreach (int length in new[] { 0, 1 })
        {
            var first = Root.Below("CN=First", EkContents.Certifier("CN=First") with { PathLength = length });
            var second = first.Below("CN=Second");
            byte[] leaf = second.Certify(Key, Good);
            var trust = Trust([Root], [first, second]);
            Assert.IsType<EkVerdict.Genuine>(Judge(first.Certify(Key, Good), trust));
            if (length == 1)
            {
                Assert.IsType<EkVerdict.Genuine>(Judge(leaf, trust));
            }
            else
            {
                AssertOnly(EkRefusalCode.IssuerNotAllowed, leaf, trust);
            }
        }
    }

    [Fact]
    public void Keeps_to_the_names_a_vendor_may_certify()
    {
        (string, string) manufacturer = ("2.23.133.2.1", "id:49465800");
        foreach (var (constraint, allowed) in new[]
        {
            (EkMaker.Constraint(true, manufacturer), true),
            (EkMaker.Constraint(true, ("2.23.133.2.1", "id:53544D20")), false),
            (EkMaker.Constraint(true, manufacturer, ("2.23.133.2.2", "Other")), false),
            (EkMaker.Constraint(false, ("2.23.133.2.1", "id:53544D20")), false),
        })
        {
            var issuer = Root.Below("CN=Named", EkContents.Certifier("CN=Named") with { Constraints = constraint });
            byte[] leaf = issuer.Certify(Key, Good);
            if (allowed)
            {
                Assert.IsType<EkVerdict.Genuine>(Judge(leaf, Trust([Root], [issuer])));
            }
            else
            {
                AssertOnly(EkRefusalCode.NameNotAllowed, leaf, Trust([Root], [issuer]));
            }
        }
    }

    [Theory]
    [InlineData("3004a0023000", true)]
    [InlineData("3008a0023000a1023000", true)]
    [InlineData("30023000", false)]
    [InlineData("30020200", false)]
    [InlineData("3004a2023000", false)]
    [InlineData("3008a0023000a0023000", false)]
    [InlineData("3008a1023000a0023000", false)]
    public void Constraints_that_have_not_their_form_make_no_certificate(string constraints, bool isOne)
    {
        var refused = Assert.IsType<EkVerdict.Refused>(Judge(
            Issuer.Certify(Key, Good with { Constraints = Convert.FromHexString(constraints) })));
        Assert.Equal(isOne, refused.Refusals.All(one => one.Code != EkRefusalCode.Malformed));
    }

    [Fact]
    public void Issuers_that_certify_each_other_lead_nowhere()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var one = EkMaker.Pretending("CN=One", key, []);
        var two = EkMaker.Pretending("CN=Two", key, one.Certify(key, EkContents.Certifier("CN=Two")));
        byte[] back = two.Certify(key, EkContents.Certifier("CN=One"));
        AssertOnly(EkRefusalCode.UnknownIssuer, two.Certify(Key, Good), EkTrust.Of(
            [Root.Certificate], [two.Certificate, back]));
    }

    [Fact]
    public void Refuses_a_certifier_as_a_TPM()
    {
        AssertOnly(EkRefusalCode.IsAuthority, Issuer.Certify(Key, Good with { Authority = true }));
        AssertOnly(EkRefusalCode.IsAuthority,
            Issuer.Certify(Key, Good with { Usage = X509KeyUsageFlags.KeyCertSign }));
    }

    [Fact]
    public void Refuses_another_usage_and_remarks_on_none()
    {
        AssertOnly(EkRefusalCode.OtherUsage, Issuer.Certify(Key, Good with { ExtendedUsages = ["1.3.6.1.5.5.7.3.1"] }));
        var key = Assert.IsType<EkVerdict.Genuine>(Judge(Issuer.Certify(Key, Good with { ExtendedUsages = null }))).Key;
        Assert.Equal([EkRemark.NoExtendedUsage], key.Remarks);
    }

    [Fact]
    public void Refuses_a_certificate_that_names_no_TPM_or_two()
    {
        foreach (byte[]? names in new[]
        {
            null, EkMaker.TpmNames("id:49465800", "SLB 9670"),
            EkMaker.TpmNames("id:49465800", "SLB 9670", "id:0007", "id:53544D20"),
        })
        {
            AssertOnly(EkRefusalCode.NoTpmIdentity, Issuer.Certify(Key, Good with { Names = names, Subject = "CN=x" }));
        }
    }

    [Fact]
    public void Refuses_a_critical_extension_it_does_not_understand()
    {
        AssertOnly(EkRefusalCode.UnknownCriticalExtension, Issuer.Certify(
            Key, Good with { Extra = new X509Extension("1.2.3.4", [5, 0], critical: true) }));
        Assert.IsType<EkVerdict.Genuine>(Judge(Issuer.Certify(
            Key, Good with { Extra = new X509Extension("1.2.3.4", [5, 0], critical: false) })));
    }

    [Fact]
    public void Refuses_keys_that_can_be_broken()
    {
        using var small = RSA.Create(1024);
        using var roca = RSA.Create(new RSAParameters
        {
            Modulus = Convert.FromHexString(RocaModulus), Exponent = [1, 0, 1],
        });
        AssertOnly(EkRefusalCode.ShortKey, Issuer.Certify(small, Good));
        AssertOnly(EkRefusalCode.RocaKey, Issuer.Certify(roca, Good));
        using var curve = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        AssertOnly(EkRefusalCode.UnknownKey, Issuer.Certify(curve, Good));
    }

    [Fact]
    public void Good_keys_do_not_bear_the_fingerprint_of_the_flawed_generator()
    {
        for (int i = 0; i < 20; i++)
        {
            using var key = RSA.Create(1024);
            var read = SubjectKey.Parse(key.ExportSubjectPublicKeyInfo());
            Assert.True(read is not null && !RocaFingerprint.Marks(read));
        }
    }

    [Fact]
    public void Refuses_a_certificate_of_another_key_than_the_TPM_shows()
    {
        using var other = RSA.Create(2048);
        byte[] certificate = Issuer.Certify(Key, Good);
        var expectation = Expect(null);
        Assert.IsType<EkVerdict.Genuine>(EkVerifier.Verify(
            certificate, expectation with { Shown = SubjectKey.Parse(Key.ExportSubjectPublicKeyInfo()) }, _keys));
        AssertOnly(EkRefusalCode.OtherKey, EkVerifier.Verify(
            certificate, expectation with { Shown = SubjectKey.Parse(other.ExportSubjectPublicKeyInfo()) }, _keys));
    }

    [Fact]
    public void Refuses_SHA1_on_the_key_and_remarks_on_it_above()
    {
        AssertOnly(EkRefusalCode.WeakSignature, Issuer.Certify(Key, Good with { Hash = HashAlgorithmName.SHA1 }));
        var old = Root.Below("CN=Old", EkContents.Certifier("CN=Old") with { Hash = HashAlgorithmName.SHA1 });
        var key = Assert.IsType<EkVerdict.Genuine>(Judge(old.Certify(Key, Good), Trust([Root], [old]))).Key;
        Assert.Equal([EkRemark.IssuerSignedOverSha1], key.Remarks);
    }

    [Fact]
    public void Expiry_is_refused_or_reported_as_the_policy_says()
    {
        byte[] expired = Issuer.Certify(Key, Good with { NotAfter = EkMaker.Now.AddDays(-1) });
        var issuer = Root.Below("CN=Gone", EkContents.Certifier("CN=Gone") with
        {
            NotAfter = EkMaker.Now.AddDays(-1),
        });
        byte[] below = issuer.Certify(Key, Good);
        AssertOnly(EkRefusalCode.NotYetValid, Issuer.Certify(Key, Good with { NotBefore = EkMaker.Now.AddDays(1) }));
        AssertOnly(EkRefusalCode.Expired, expired);
        AssertOnly(EkRefusalCode.Expired, below, Trust([Root], [issuer]));
        var reporting = Expect(null) with { Expiry = EkExpiry.Report };
        Assert.Equal([EkRemark.Expired],
            Assert.IsType<EkVerdict.Genuine>(EkVerifier.Verify(expired, reporting, _keys)).Key.Remarks);
        Assert.Equal([EkRemark.IssuerExpired], Assert.IsType<EkVerdict.Genuine>(EkVerifier.Verify(
            below, reporting with { Trust = Trust([Root], [issuer]) }, _keys)).Key.Remarks);
    }

    [Fact]
    public void Gives_every_reason_at_once()
    {
        using var small = RSA.Create(1024);
        var refused = Assert.IsType<EkVerdict.Refused>(Judge(EkMaker.Root("CN=Nobody").Certify(small, Good with
        {
            Authority = true, ExtendedUsages = ["1.2.3"], Names = null, NotAfter = EkMaker.Now.AddDays(-1),
            Subject = "CN=x",
        })));
        Assert.Equal(
            [
                EkRefusalCode.IsAuthority, EkRefusalCode.OtherUsage, EkRefusalCode.NoTpmIdentity,
                EkRefusalCode.ShortKey, EkRefusalCode.Expired, EkRefusalCode.UnknownIssuer,
            ],
            refused.Refusals.Select(r => r.Code));
    }

    [Fact]
    public void Refuses_every_cut_and_every_changed_bit()
    {
        byte[] good = Issuer.Certify(Key, Good);
        for (int length = 0; length < good.Length; length++)
        {
            AssertOnly(EkRefusalCode.Malformed, good[..length]);
        }

        AssertOnly(EkRefusalCode.Malformed, [.. good, 0]);
        for (int bit = 0; bit < good.Length * 8; bit += 3)
        {
            byte[] flipped = [.. good];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsType<EkVerdict.Refused>(Judge(flipped));
        }
    }

    [Fact]
    public void Mutated_certificates_are_refused_and_never_throw() => Fuzz(TimeSpan.FromSeconds(3));

    [Fact]
    [Trait("Category", "Slow")]
    public void Mutated_certificates_are_refused_and_never_throw_for_a_minute() => Fuzz(TimeSpan.FromSeconds(60));

    [Fact]
    public void The_padding_of_an_NV_index_is_no_part_of_the_certificate()
    {
        byte[] good = Issuer.Certify(Key, Good);
        Assert.Equal(good, EkVerifier.WithoutPadding([.. good, .. new byte[300]]).ToArray());
        Assert.Equal(good, EkVerifier.WithoutPadding([.. good, 0xff, 0xff]).ToArray());
        Assert.Equal(good, EkVerifier.WithoutPadding(good).ToArray());
        Assert.Equal(good.Length + 2, EkVerifier.WithoutPadding([.. good, 0, 1]).Length);
        Assert.Equal(3, EkVerifier.WithoutPadding([1, 2, 3]).Length);
    }

    private void Fuzz(TimeSpan limit)
    {
        byte[] good = Issuer.Certify(Key, Good);
        var random = new Random(3);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (clock.Elapsed < limit)
        {
            byte[] mutated = Mutation.Of(good, random);
            Assert.True(mutated.AsSpan().SequenceEqual(good) || Judge(mutated) is EkVerdict.Refused);
            Judge(good, EkTrust.Of([Root.Certificate], [Mutation.Of(Issuer.Certificate, random)]));
        }
    }

    private static EkTrust Trust(EkMaker[] roots, EkMaker[] intermediates) => EkTrust.Of(
        roots.Select(one => (ReadOnlyMemory<byte>)one.Certificate),
        intermediates.Select(one => (ReadOnlyMemory<byte>)one.Certificate));

    private static EkExpectation Expect(EkTrust? trust) =>
        new(trust ?? Trust([Root], [Issuer]), EkMaker.Now, EkExpiry.Refuse, null);

    private EkVerdict Judge(byte[] certificate, EkTrust? trust = null) =>
        EkVerifier.Verify(certificate, Expect(trust), _keys);

    private void AssertOnly(EkRefusalCode code, byte[] certificate, EkTrust? trust = null) =>
        AssertOnly(code, Judge(certificate, trust));

    private static void AssertOnly(EkRefusalCode code, EkVerdict verdict) =>
        Assert.Equal([code], Assert.IsType<EkVerdict.Refused>(verdict).Refusals.Select(refusal => refusal.Code));
}
