using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;
using Bailiwick.Tpm.Sealing;

namespace Bailiwick.HostTests.Tpm;

/// <summary>Secrets that a real software TPM gives out only in the state they were made for.</summary>
public sealed class SealingTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>
{
    private static readonly PcrSelection Boot = PcrSelection.Of(TpmHash.Sha256, 0, 7, 14);
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    [Fact]
    public void Unseals_in_the_same_state_and_not_after_an_extend()
    {
        using var open = tpm.Open();
        var (parent, salt) = Keys(open);
        var made = SealedObject.Create(parent, salt, SealedObject.PresentPolicy(open, Boot).Span, _secret);
        var kept = SealedObject.FromBlobs(parent, made.Blobs);
        Assert.Equal(_secret, kept.Unseal(salt, UnsealPolicy.AtPcrs(Boot), static lent => lent.ToArray()));
        new PcrRegisters(open).Extend(new PcrMeasurement(14, TpmHash.Sha256, new byte[32]));
        var refused = Assert.Throws<TpmException>(
            () => kept.Unseal(salt, UnsealPolicy.AtPcrs(Boot), static lent => lent.ToArray()));
        Assert.Equal(AccessFault.PolicyRefused, refused.Fault);
        Assert.Contains("PCR", refused.NextStep, StringComparison.Ordinal);
    }

    [Fact]
    public void Unseals_what_was_wrapped_for_it_and_not_after_an_extend()
    {
        using var open = tpm.Open();
        var (parent, salt) = Keys(open);
        var policy = SealedObject.PresentPolicy(open, Boot).ToArray();
        var imported = SealedObject.Import(parent, WrapForTpm.Wrap(parent.Public.Write(), policy, _secret));
        using var key = imported.Unseal(salt, UnsealPolicy.AtPcrs(Boot), static lent =>
        {
            var copy = lent.ToArray();
            return SecretBytes.Take(copy);
        });
        using (var loan = key.Borrow())
        {
            Assert.Equal(_secret, loan.Bytes.ToArray());
        }

        new PcrRegisters(open).Extend(new PcrMeasurement(7, TpmHash.Sha256, new byte[32]));
        Assert.Equal(AccessFault.PolicyRefused, Assert.Throws<TpmException>(
            () => imported.Unseal(salt, UnsealPolicy.AtPcrs(Boot), static lent => lent.Length)).Fault);
    }

    [Fact]
    public void Refuses_what_was_wrapped_for_another_key_or_changed()
    {
        using var open = tpm.Open();
        var (parent, _) = Keys(open);
        var good = WrapForTpm.Wrap(parent.Public.Write(), new byte[32], _secret);
        SealedObject.Import(parent, good);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var foreign = WrapForTpm.Wrap(WrapForTpm.SignerArea(other).Area, new byte[32], _secret);
        var changed = good.Duplicate.ToArray();
        changed[^1] ^= 1;
        var otherPolicy = good.Public.ToArray();
        otherPolicy[20] ^= 1;
        foreach (var wrong in (WrappedObject[])
            [foreign, good with { Duplicate = changed }, good with { Public = otherPolicy }])
        {
            Assert.Equal(AccessFault.NotForThisTpm,
                Assert.Throws<TpmException>(() => SealedObject.Import(parent, wrong)).Fault);
        }

        foreach (var wrong in (WrappedObject[])
            [good with { Public = new byte[7] }, good with { Duplicate = new byte[3000] }])
        {
            Assert.Equal(
                AccessFault.BadInput, Assert.Throws<TpmException>(() => SealedObject.Import(parent, wrong)).Fault);
        }
    }

    [Fact]
    public void Unseals_in_a_state_that_the_right_key_has_approved_and_in_no_other()
    {
        using var open = tpm.Open();
        var (parent, salt) = Keys(open);
        using var signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] reference = [.. "volume 7"u8];
        var policy = WrapForTpm.ApprovedPolicy(WrapForTpm.SignerArea(signer).Name, reference);
        var made = SealedObject.Create(parent, salt, policy, _secret);
        var now = SealedObject.PresentPolicy(open, Boot).ToArray();
        var good = WrapForTpm.Approve(signer, now, reference);
        Assert.Equal(_secret, made.Unseal(salt, UnsealPolicy.ApprovedBy(Boot, good), static lent => lent.ToArray()));
        PolicyApproval[] wrong =
        [
            WrapForTpm.Approve(stranger, now, reference),
            WrapForTpm.Approve(signer, now, [.. "volume 8"u8]),
            WrapForTpm.Approve(signer, SHA256.HashData(now), reference),
            good with { SignerPublic = WrapForTpm.SignerArea(stranger).Area },
        ];
        foreach (var approval in wrong)
        {
            Assert.Equal(AccessFault.PolicyRefused, Assert.Throws<TpmException>(
                () => made.Unseal(salt, UnsealPolicy.ApprovedBy(Boot, approval), static lent => lent.Length)).Fault);
        }

        // A new state needs a new approval, and no new object.
        new PcrRegisters(open).Extend(new PcrMeasurement(14, TpmHash.Sha256, new byte[32]));
        Assert.Equal(AccessFault.PolicyRefused, Assert.Throws<TpmException>(
            () => made.Unseal(salt, UnsealPolicy.ApprovedBy(Boot, good), static lent => lent.Length)).Fault);
        var later = WrapForTpm.Approve(signer, SealedObject.PresentPolicy(open, Boot).ToArray(), reference);
        Assert.Equal(_secret, made.Unseal(salt, UnsealPolicy.ApprovedBy(Boot, later), static lent => lent.ToArray()));
    }

    [Fact]
    public void Refuses_to_seal_nothing_too_much_or_without_a_policy()
    {
        using var open = tpm.Open();
        var (parent, salt) = Keys(open);
        foreach (var (policy, secret) in ((int, int)[])[(32, 0), (32, 129), (0, 32), (31, 32), (33, 32)])
        {
            Assert.Equal(AccessFault.BadInput, Assert.Throws<TpmException>(
                () => SealedObject.Create(parent, salt, new byte[policy], new byte[secret])).Fault);
        }

        var most = SealedObject.Create(
            parent, salt, SealedObject.PresentPolicy(open, Boot).Span, new byte[AccessLimits.SealedBytes]);
        Assert.Equal(
            AccessLimits.SealedBytes, most.Unseal(salt, UnsealPolicy.AtPcrs(Boot), static lent => lent.Length));
    }

    [Fact]
    public void A_secret_never_crosses_the_wire_in_clear()
    {
        using var tap = new WireTap(tpm.PathOf("tap.sock"), tpm.Socket);
        using var open = TpmConnection.Open(TpmAddress.Swtpm(tpm.PathOf("tap.sock")), TimeSpan.FromSeconds(20));
        var (parent, salt) = Keys(open);
        var made = SealedObject.Create(parent, salt, SealedObject.PresentPolicy(open, Boot).Span, _secret);
        Assert.Equal(_secret, made.Unseal(salt, UnsealPolicy.AtPcrs(Boot), static lent => lent.ToArray()));
        Assert.False(tap.Saw(_secret));

        // The tap sees what is no secret.
        AttestationKey.OpenOrCreate(open).Quote(Boot, _secret);
        Assert.True(tap.Saw(_secret));
    }

    [Fact]
    public void A_use_that_fails_leaves_the_TPM_usable()
    {
        using var open = tpm.Open();
        var (parent, salt) = Keys(open);
        var made = SealedObject.Create(parent, salt, SealedObject.PresentPolicy(open, Boot).Span, _secret);
        Assert.Throws<InvalidOperationException>(() => made.Unseal<int>(
            salt, UnsealPolicy.AtPcrs(Boot), static _ => throw new InvalidOperationException("its user failed")));
        Assert.Equal(_secret, made.Unseal(salt, UnsealPolicy.AtPcrs(Boot), static lent => lent.ToArray()));
    }

    private static (StorageKey Parent, EndorsementKey Salt) Keys(TpmConnection open) =>
        (StorageKey.OpenOrCreate(open), EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048));
}
