using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Secrets;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;
using Bailiwick.Tpm.Sealing;

namespace Bailiwick.HostTests.Tpm;

/// <summary>A release that is kept as it came opens again by a real software TPM, in the approved state only.</summary>
public sealed class KeptReleaseTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>
{
    private static readonly byte[] Context = Encoding.UTF8.GetBytes("{\"key\":\"volume 7\"}");
    private static readonly EcdsaSigner Sender = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    [Fact]
    public void Opens_again_while_the_state_is_the_approved_one_and_not_in_another()
    {
        using TpmConnection open = tpm.Open();
        EndorsementKey endorsement = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        using SecretBytes key = SecretBytes.Random(KeySeal.KeyLength);
        using KeptRelease kept = Kept(open, endorsement, key);
        PcrRegisters registers = new(open);
        for (int again = 0; again < 3; again++)
        {
            using SecretBytes opened = kept.Open((shown, context) => Part(endorsement, shown, context));
            Assert.True(opened.HasSameBytesAs(key));
            // What a host logs while it works.
            registers.Extend(
                new PcrMeasurement(10, TpmHash.Sha256, new byte[32]),
                new PcrMeasurement(15, TpmHash.Sha256, new byte[32]));
        }

        registers.Extend(new PcrMeasurement(9, TpmHash.Sha256, new byte[32]));
        Assert.Equal(
            AccessFault.PolicyRefused,
            Assert.Throws<TpmException>(() => kept.Open((shown, context) => Part(endorsement, shown, context))).Fault);
    }

    [Fact]
    public void Opens_with_no_other_part_and_not_after_it_was_forgotten()
    {
        using TpmConnection open = tpm.Open();
        EndorsementKey endorsement = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        using SecretBytes key = SecretBytes.Random(KeySeal.KeyLength);
        KeptRelease kept = Kept(open, endorsement, key);
        Assert.Throws<KeyServiceException>(() => kept.Open((_, _) => SecretBytes.Random(KeySeal.KeyLength)));
        using (SecretBytes opened = kept.Open((shown, context) => Part(endorsement, shown, context)))
        {
            Assert.True(opened.HasSameBytesAs(key));
        }

        kept.Dispose();
        Assert.Throws<ObjectDisposedException>(() => kept.Open((shown, context) => Part(endorsement, shown, context)));
    }

    private static KeptRelease Kept(TpmConnection open, EndorsementKey endorsement, SecretBytes key)
    {
        Assert.True(TpmWrappingKey.TryOf(endorsement.Public, out TpmWrappingKey? target, out _));
        using SecretBytes part = SecretBytes.Random(KeySeal.KeyLength);
        using SecretLoan loan = part.Borrow();
        TpmDelivery delivery = TpmDelivery.Wrap(
            target, new PcrRegisters(open).Read(TpmDelivery.Registers).Values, (Sender, Sender.PublicKey),
            Digest32.Of(Context), loan.Bytes, RandomNumberGenerator.Fill)
            ?? throw new InvalidOperationException("a register has no value");
        using SessionKey session = SessionKey.Create();
        return session.Keep(KeySeal.Seal(key, session.PublicKey, Context, part) with
        {
            Tpm = JsonElement.Parse(delivery.Write()),
        });
    }

    private static SecretBytes Part(EndorsementKey endorsement, JsonElement shown, ReadOnlyMemory<byte> context)
    {
        TpmDelivery delivery = TpmDelivery.Read(shown, Digest32.Of(context.Span))
            ?? throw new InvalidOperationException("not for this context");
        return DeliveredSecret.Open(endorsement, delivery, static lent => SecretBytes.Take(lent.ToArray()));
    }
}
