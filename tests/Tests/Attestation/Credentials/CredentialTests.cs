using System.Security.Cryptography;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Credentials;

/// <summary>
/// Challenges and wrapped secrets, opened here as a TPM opens them. That a TPM does is for the tests on a host.
/// </summary>
public sealed class CredentialTests
{
    private static readonly ECDiffieHellman Private = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
    private static readonly TpmName Name = TpmSamples.AttestationKey().Name;
    private static readonly byte[] Secret = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public void Only_the_endorsement_key_and_the_name_give_the_secret_back()
    {
        var made = MadeCredential.Make(Endorsement(), Name, Secret, RandomNumberGenerator.Fill);
        byte[] seed = CredentialOpener.SeedFor(Private, made.EncryptedSeed.Span, "IDENTITY");
        Assert.Equal([0, 32, .. Secret], CredentialOpener.Open(made.Blob.Span, seed, Name));
        Assert.Null(CredentialOpener.Open(made.Blob.Span, seed, TpmSamples.AttestationKey().Name));
        byte[] other = CredentialOpener.SeedFor(Private, made.EncryptedSeed.Span, "DUPLICATE");
        Assert.Null(CredentialOpener.Open(made.Blob.Span, other, Name));
        byte[] changed = made.Blob.ToArray();
        changed[^1] ^= 1;
        Assert.Null(CredentialOpener.Open(changed, seed, Name));
    }

    [Fact]
    public void A_wrapped_secret_opens_for_its_parent_and_is_bound_to_its_policy()
    {
        var policy = PolicyDigest.Start(TpmHash.Sha256).WithAuthValue();
        var wrapped = TpmImport.Wrap(Endorsement(), policy, Secret, RandomNumberGenerator.Fill);
        byte[] seed = CredentialOpener.SeedFor(Private, wrapped.EncryptedSeed.Span, "DUPLICATE");
        byte[] sensitive = CredentialOpener.Open(wrapped.Duplicate.Span, seed, wrapped.Public.Name) ?? [];
        Assert.Equal([0, 8, 0, 0, 0, 32], sensitive[2..8]);
        Assert.Equal([0, 32, .. Secret], sensitive[40..]);
        var detail = Assert.IsType<TpmKeyDetail.KeyedHash>(wrapped.Public.Detail);
        Assert.Equal(SHA256.HashData([.. sensitive[8..40], .. Secret]), detail.Unique.ToArray());
        Assert.Equal(policy.Bytes.ToArray(), wrapped.Public.Policy.ToArray());
        Assert.False(wrapped.Public.Attributes.HasFlag(TpmAttributes.UserWithAuth));
        TpmName otherName = (wrapped.Public with { Policy = default }).Name;
        Assert.Null(CredentialOpener.Open(wrapped.Duplicate.Span, seed, otherName));
    }

    [Fact]
    public void The_same_randomness_gives_the_same_bytes_and_other_randomness_others()
    {
        foreach (var key in new[] { Endorsement(), WrappingKey(TpmSamples.EndorsementKey()) })
        {
            MadeCredential Make(byte fill) => MadeCredential.Make(key, Name, Secret, span => span.Fill(fill));
            Assert.Equal(Make(7).ToToolFile(), Make(7).ToToolFile());
            Assert.NotEqual(Make(7).EncryptedSeed.ToArray(), Make(8).EncryptedSeed.ToArray());
        }
    }

    [Fact]
    public void Refuses_secrets_that_can_be_guessed_or_do_not_fit()
    {
        foreach (int length in new[] { 0, 15, 33 })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => MadeCredential.Make(
                Endorsement(), Name, new byte[length], RandomNumberGenerator.Fill));
        }

        var policy = PolicyDigest.Start(TpmHash.Sha256).WithAuthValue();
        foreach (int length in new[] { 0, TpmImport.MaxSecretBytes + 1 })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => TpmImport.Wrap(
                Endorsement(), policy, new byte[length], RandomNumberGenerator.Fill));
        }
    }

    [Fact]
    public void Nothing_is_wrapped_under_a_policy_that_demands_nothing() =>
        Assert.Throws<ArgumentException>(() => TpmImport.Wrap(
            Endorsement(), PolicyDigest.Start(TpmHash.Sha256), Secret, RandomNumberGenerator.Fill));

    [Theory]
    [InlineData(TpmAttributes.Restricted, WrappingKeyRefusal.NotAStorageKey)]
    [InlineData(TpmAttributes.Decrypt, WrappingKeyRefusal.NotAStorageKey)]
    [InlineData(TpmAttributes.Sign, WrappingKeyRefusal.NotAStorageKey)]
    [InlineData(TpmAttributes.FixedTpm, WrappingKeyRefusal.NotFixedToOneTpm)]
    [InlineData(TpmAttributes.FixedParent, WrappingKeyRefusal.NotFixedToOneTpm)]
    [InlineData(TpmAttributes.SensitiveDataOrigin, WrappingKeyRefusal.NotFixedToOneTpm)]
    public void Nothing_is_wrapped_for_a_key_with_one_attribute_the_other_way(
        TpmAttributes one, WrappingKeyRefusal expected)
    {
        var area = TpmSamples.EndorsementKey();
        AssertOnly(expected, area with { Attributes = area.Attributes ^ one });
    }

    [Fact]
    public void Nothing_is_wrapped_for_weak_keys_or_keys_without_a_cipher()
    {
        var area = TpmSamples.EndorsementKey();
        var rsa = (TpmKeyDetail.Rsa)area.Detail;
        AssertOnly(WrappingKeyRefusal.NoCipher, area with { Detail = rsa with { Symmetric = TpmSymmetric.None } });
        AssertOnly(WrappingKeyRefusal.WeakKey, area with { Detail = rsa with { Modulus = default } });
        AssertOnly(WrappingKeyRefusal.WeakHash, area with { NameHash = TpmHash.Sha1, Policy = default });
    }

    [Fact]
    public void Policies_have_the_digests_of_the_specifications()
    {
        // "PolicyA" and its SHA-384 form of the TCG EK Credential Profile 2.5, B.6.2.
        Assert.Equal("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa",
            PolicyDigest.OfEndorsementKeys(TpmHash.Sha256).Hex);
        Assert.Equal("8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e"
            + "143e8bb1133824ccb431053871c6db53", PolicyDigest.OfEndorsementKeys(TpmHash.Sha384).Hex);
        Assert.Equal("8fcd2169ab92694e0c633f1ab772842b8241bbc20288981fc7ac1eddc1fddb0e",
            PolicyDigest.Start(TpmHash.Sha256).WithAuthValue().Hex);
    }

    [Fact]
    public void Policies_differ_with_every_term()
    {
        var start = PolicyDigest.Start(TpmHash.Sha256);
        var values = PcrValues.Of(Enumerable.Range(0, 3).Select(r => new PcrValue(TpmHash.Sha256, r, new byte[32])));
        Assert.NotNull(values);
        PolicyDigest?[] all =
        [
            start, start.WithAuthValue(), start.WithAuthValue().WithAuthValue(), start.WithSecret(Name, []),
            start.WithSecret(Name, [1]), start.WithPcrs(PcrSelection.Of(TpmHash.Sha256, 0, 1), values),
            start.WithPcrs(PcrSelection.Of(TpmHash.Sha256, 0, 2), values),
            PolicyDigest.ApprovedBy(TpmHash.Sha256, Name, []), PolicyDigest.ApprovedBy(TpmHash.Sha256, Name, [1]),
        ];
        Assert.Equal(all.Length, all.OfType<PolicyDigest>().Distinct().Count());
        Assert.Null(start.WithPcrs(PcrSelection.Of(TpmHash.Sha256, 9), values));
        Assert.Throws<ArgumentOutOfRangeException>(() => start.WithSecret(Name, new byte[65]));
    }

    private static TpmWrappingKey Endorsement()
    {
        var q = Private.ExportParameters(false).Q;
        return WrappingKey(TpmSamples.EndorsementKey() with
        {
            Detail = new TpmKeyDetail.Ecc(TpmSymmetric.Aes128, TpmScheme.None, TpmCurve.P256, q.X, q.Y),
        });
    }

    private static TpmWrappingKey WrappingKey(TpmPublic area)
    {
        Assert.True(TpmWrappingKey.TryOf(area, out var key, out var refusals));
        Assert.Empty(refusals);
        return key;
    }

    private static void AssertOnly(WrappingKeyRefusal expected, TpmPublic area)
    {
        Assert.False(TpmWrappingKey.TryOf(area, out _, out var refusals));
        Assert.Equal([expected], refusals);
    }
}
