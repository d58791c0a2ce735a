using System.Security.Cryptography;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;
using Bailiwick.Tpm.Sealing;

namespace Bailiwick.HostTests.Tpm;

/// <summary>Secrets that a verifier sends to one real software TPM for one state of it.</summary>
public sealed class DeliveryTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>
{
    private static readonly Digest32 Purpose = Digest32.Of("volume 7"u8);
    private static readonly EcdsaSigner Sender = NewSender();
    private static readonly EcdsaSigner Stranger = NewSender();
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    [Theory]
    [InlineData(EndorsementAlgorithm.Rsa2048)]
    [InlineData(EndorsementAlgorithm.EccP256)]
    public void Opens_in_the_approved_state_and_in_no_other_until_that_is_approved_too(EndorsementAlgorithm algorithm)
    {
        using var open = tpm.Open();
        var key = EndorsementKey.OpenOrCreate(open, algorithm);
        var delivery = Wrap(key, Values(open));
        Assert.Equal(_secret, Lend(key, delivery));
        new PcrRegisters(open).Extend(new PcrMeasurement(9, TpmHash.Sha256, new byte[32]));
        Refused(AccessFault.PolicyRefused, key, delivery);
        Assert.Equal(_secret, Lend(key, delivery with
        {
            Approval = TpmDelivery.Approve(Values(open), Sender, Purpose) ?? throw new InvalidOperationException(),
        }));
    }

    [Fact]
    public void What_the_host_logs_meanwhile_does_not_close_it()
    {
        using var open = tpm.Open();
        var key = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        var delivery = Wrap(key, Values(open));
        new PcrRegisters(open).Extend(
            new PcrMeasurement(10, TpmHash.Sha256, new byte[32]), new PcrMeasurement(15, TpmHash.Sha256, new byte[32]));
        Assert.Equal(_secret, Lend(key, delivery));
    }

    [Fact]
    public void Opens_by_no_approval_but_the_senders_for_this_purpose()
    {
        using var open = tpm.Open();
        var key = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        var values = Values(open);
        var delivery = Wrap(key, values);
        Assert.Equal(_secret, Lend(key, delivery));
        var other = Digest32.Of("volume 8"u8);
        TpmSignature Approve(EcdsaSigner by, Digest32 purpose) =>
            TpmDelivery.Approve(values, by, purpose) ?? throw new InvalidOperationException();
        Refused(AccessFault.PolicyRefused, key, delivery with { Approval = Approve(Stranger, Purpose) });
        Refused(AccessFault.PolicyRefused, key, delivery with { Approval = Approve(Sender, other) });
        Refused(AccessFault.PolicyRefused, key, delivery with
        {
            Approval = Approve(Sender, other),
            Purpose = other,
        });
        Refused(AccessFault.PolicyRefused, key, delivery with
        {
            Approval = Approve(Stranger, Purpose),
            Signer = TpmDelivery.AreaOf(Stranger.PublicKey),
        });
    }

    [Fact]
    public async Task Opens_in_no_other_TPM()
    {
        using var open = tpm.Open();
        await using var elsewhere = new PrivateSwtpm();
        await elsewhere.InitializeAsync();
        using var there = elsewhere.Open();
        var mine = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        var theirs = EndorsementKey.OpenOrCreate(there, EndorsementAlgorithm.Rsa2048);
        var delivery = Wrap(theirs, Values(there));
        Assert.Equal(_secret, Lend(theirs, delivery));
        Refused(AccessFault.NotForThisTpm, mine, delivery);
    }

    [Fact]
    public void The_secret_never_crosses_the_wire_in_clear()
    {
        using var tap = new WireTap(tpm.PathOf("delivery-tap.sock"), tpm.Socket);
        using var open = TpmConnection.Open(
            TpmAddress.Swtpm(tpm.PathOf("delivery-tap.sock")), TimeSpan.FromSeconds(20));
        var key = EndorsementKey.OpenOrCreate(open, EndorsementAlgorithm.Rsa2048);
        Assert.Equal(_secret, Lend(key, Wrap(key, Values(open))));
        Assert.False(tap.Saw(_secret));

        // The tap sees what is no secret.
        AttestationKey.OpenOrCreate(open).Quote(TpmDelivery.Registers, _secret);
        Assert.True(tap.Saw(_secret));
    }

    private static EcdsaSigner NewSender() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    private static PcrValues Values(TpmConnection open) => new PcrRegisters(open).Read(TpmDelivery.Registers).Values;

    private static byte[] Lend(EndorsementKey key, TpmDelivery delivery) =>
        DeliveredSecret.Open(key, delivery, static lent => lent.ToArray());

    private static void Refused(AccessFault fault, EndorsementKey key, TpmDelivery delivery) =>
        Assert.Equal(fault, Assert.Throws<TpmException>(() => Lend(key, delivery)).Fault);

    private TpmDelivery Wrap(EndorsementKey key, PcrValues values)
    {
        Assert.True(TpmWrappingKey.TryOf(key.Public, out var target, out _));
        return TpmDelivery.Wrap(
            target, values, (Sender, Sender.PublicKey), Purpose, _secret, RandomNumberGenerator.Fill)
            ?? throw new InvalidOperationException("a register has no value");
    }
}
