using System.Security.Cryptography;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Quotes;

/// <summary>Each reason against a quote is reached by one planted cause, and by nothing but it.</summary>
public sealed class QuoteTests : IDisposable
{
    private static readonly QuoteMaker Maker = QuoteMaker.P256;
    private static readonly byte[] Nonce = RandomNumberGenerator.GetBytes(32);
    private static readonly PcrSelection Boot = PcrSelection.Of(TpmHash.Sha256, 0, 1, 2, 3, 4, 5, 6, 7);
    private static readonly PcrValues BootValues = QuoteMaker.Values(Enumerable.Range(0, 8));

    private readonly VerifierKeyCache _keys = new(4);

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Verifies_a_quote_of_every_kind_of_key()
    {
        foreach (var maker in new[] { QuoteMaker.P256, QuoteMaker.P384, QuoteMaker.RsaSsa, QuoteMaker.RsaPss })
        {
            var claim = maker.Sign(maker.Attest(Nonce, Boot, BootValues), BootValues);
            var quote = Assert.IsType<QuoteVerdict.Verified>(
                QuoteVerifier.Verify(claim, Demand() with { Key = maker.Key }, _keys)).Quote;
            Assert.True(quote.Key.IsAttestationKey);
            Assert.Equal(8, quote.Values.Count);
            Assert.Equal(QuoteContinuity.First, quote.Continuity);
            AssertOnly(QuoteRefusalCode.NotSignedByKey, claim, Demand() with
            {
                Key = QuoteKey.Bare(Other(maker)),
            });
        }
    }

    [Fact]
    public void Verifies_the_longest_PSS_salt_as_old_TPMs_write_it_and_no_other_odd_one()
    {
        byte[] message = QuoteMaker.RsaPss.Attest(Nonce, Boot, BootValues).Write();
        var demand = Demand() with { Key = QuoteMaker.RsaPss.Key };
        Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(
            new QuoteClaim(message, QuoteMaker.RsaPss.LongSaltSignature(message).Write(), BootValues), demand, _keys));
        AssertOnly(QuoteRefusalCode.NotSignedByKey, new QuoteClaim(
            message, QuoteMaker.RsaPss.LongSaltSignature(message, shorterBy: 7).Write(), BootValues), demand);
    }

    [Fact]
    public void Numbers_of_a_signature_may_lack_leading_zeros()
    {
        for (int i = 0; i < 600; i++)
        {
            // One number in 256 begins with a zero byte, and is written without it.
            var claim = Good();
            if (claim.Signature.Length < 72)
            {
                Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(claim, Demand(), _keys));
                return;
            }
        }
    }

    [Fact]
    public void Refuses_a_replayed_nonce_or_part_of_one()
    {
        Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(Good(), Demand(), _keys));
        foreach (byte[] other in new[] { RandomNumberGenerator.GetBytes(32), Nonce[..31], [.. Nonce, 0], [] })
        {
            AssertOnly(QuoteRefusalCode.NonceMismatch, Good(), Demand() with { Nonce = other });
        }
    }

    [Fact]
    public void Refuses_a_message_that_no_TPM_made()
    {
        byte[] message = Maker.Attest(Nonce, Boot, BootValues).Write();
        message[0] = 0xfe;
        AssertOnly(QuoteRefusalCode.NotMadeByTpm, Maker.Sign(message, BootValues));
    }

    [Fact]
    public void Refuses_a_signed_message_with_a_byte_more_or_less()
    {
        byte[] message = Maker.Attest(Nonce, Boot, BootValues).Write();
        AssertOnly(QuoteRefusalCode.Malformed, Maker.Sign([.. message, 0], BootValues));
        AssertOnly(QuoteRefusalCode.Malformed, Maker.Sign(message[..^1], BootValues));
        AssertOnly(QuoteRefusalCode.Malformed, Maker.Sign([], BootValues));
    }

    [Fact]
    public void Refuses_a_signature_in_another_form()
    {
        var claim = Good();
        AssertOnly(QuoteRefusalCode.SignatureMalformed, claim with { Signature = claim.Signature[..^1] });
        AssertOnly(QuoteRefusalCode.SignatureMalformed,
            claim with { Signature = (byte[])[.. claim.Signature.Span, 0] });
        AssertOnly(QuoteRefusalCode.SignatureMalformed, claim with { Signature = default });
    }

    [Fact]
    public void Refuses_every_changed_bit_of_the_message_and_of_the_signature()
    {
        var claim = Good();
        for (int bit = 0; bit < claim.Message.Length * 8; bit++)
        {
            Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(
                claim with { Message = Flipped(claim.Message, bit) }, Demand(), _keys));
        }

        for (int bit = 0; bit < claim.Signature.Length * 8; bit++)
        {
            Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(
                claim with { Signature = Flipped(claim.Signature, bit) }, Demand(), _keys));
        }
    }

    [Fact]
    public void Refuses_a_signature_over_SHA1()
    {
        byte[] message = Maker.Attest(Nonce, Boot, BootValues).Write();
        AssertOnly(QuoteRefusalCode.WeakSignatureHash, new QuoteClaim(
            message, Maker.Signature(message, TpmHash.Sha1).Write(), BootValues));
    }

    [Fact]
    public void Refuses_another_scheme_than_the_keys_own()
    {
        byte[] message = Maker.Attest(Nonce, Boot, BootValues).Write();
        var claim = new QuoteClaim(message, Maker.Signature(message, TpmHash.Sha512).Write(), BootValues);
        AssertOnly(QuoteRefusalCode.OtherScheme, claim);
        Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(
            claim, Demand() with { Key = QuoteKey.Bare(Maker.Key.Key) }, _keys));
    }

    [Fact]
    public void Refuses_the_nonce_in_another_kind_of_attestation()
    {
        var attest = Maker.Attest(Nonce, Boot, BootValues);
        var name = Maker.Area.Name;
        foreach (TpmAttestBody body in new TpmAttestBody[]
        {
            new TpmAttestBody.Certify(name, name), new TpmAttestBody.Creation(name, new byte[32]),
            new TpmAttestBody.NvContents(name, 0, new byte[32]),
        })
        {
            AssertOnly(QuoteRefusalCode.NotAQuote, Maker.Sign(attest with { Body = body }, BootValues));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("0,1,2,3,4,5,6")]
    [InlineData("0,1,2,3,4,5,6,7,8")]
    [InlineData("8,9,10,11,12,13,14,15")]
    [InlineData("23")]
    public void Refuses_a_quote_over_other_registers_than_demanded(string registers)
    {
        int[] chosen = [.. registers.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        var values = QuoteMaker.Values(chosen);
        AssertOnly(QuoteRefusalCode.SelectionDiffers,
            Maker.Sign(Maker.Attest(Nonce, PcrSelection.Of(TpmHash.Sha256, chosen), values), values));
    }

    [Fact]
    public void Refuses_a_quote_over_the_same_registers_of_another_bank()
    {
        var values = PcrValues.Of(Enumerable.Range(0, 8).Select(r => new PcrValue(TpmHash.Sha384, r, new byte[48])));
        Assert.NotNull(values);
        AssertOnly(QuoteRefusalCode.SelectionDiffers,
            Maker.Sign(Maker.Attest(Nonce, PcrSelection.Of(TpmHash.Sha384, Enumerable.Range(0, 8)), values), values));
    }

    [Fact]
    public void Refuses_a_quote_over_the_SHA1_bank_even_where_it_is_demanded()
    {
        var values = PcrValues.Of(Enumerable.Range(0, 8).Select(r => new PcrValue(TpmHash.Sha1, r, new byte[20])));
        Assert.NotNull(values);
        var selection = PcrSelection.Of(TpmHash.Sha1, Enumerable.Range(0, 8));
        AssertOnly(QuoteRefusalCode.WeakBank, Maker.Sign(Maker.Attest(Nonce, selection, values), values),
            Demand() with { Selection = selection });
    }

    [Fact]
    public void Refuses_values_that_are_missing_other_or_swapped()
    {
        var claim = Good();
        AssertOnly(QuoteRefusalCode.ValuesMissing,
            claim with { Values = QuoteMaker.Values(Enumerable.Range(0, 7)) });
        AssertOnly(QuoteRefusalCode.ValuesNotQuoted,
            claim with { Values = QuoteMaker.Values(Enumerable.Range(0, 9)) });
        var all = BootValues.All.ToArray();
        var changed = PcrValues.Of([all[0] with { Value = new byte[32] }, .. all[1..]]);
        var swapped = PcrValues.Of([all[0] with { Register = 1 }, all[1] with { Register = 0 }, .. all[2..]]);
        Assert.True(changed is not null && swapped is not null);
        AssertOnly(QuoteRefusalCode.ValuesDiffer, claim with { Values = changed });
        AssertOnly(QuoteRefusalCode.ValuesDiffer, claim with { Values = swapped });
    }

    [Fact]
    public void Refuses_another_qualified_signer()
    {
        var name = Maker.Area.Name;
        var known = name.QualifiedUnder(TpmName.OfHandle(0x4000000b));
        Assert.IsType<QuoteVerdict.Verified>(
            QuoteVerifier.Verify(Good(), Demand() with { QualifiedSigner = known }, _keys));
        AssertOnly(QuoteRefusalCode.OtherSigner, Good(), Demand() with
        {
            QualifiedSigner = name.QualifiedUnder(TpmName.OfHandle(0x40000001)),
        });
    }

    [Theory]
    [InlineData(1_000_000, 10, 5, QuoteContinuity.SameBoot)]
    [InlineData(999_999, 10, 5, QuoteContinuity.SameBoot)]
    [InlineData(2_000_000, 10, 4, QuoteContinuity.Resumed)]
    [InlineData(2_000_000, 9, 9, QuoteContinuity.NewBoot)]
    [InlineData(2_000_000, -2, 9, QuoteContinuity.NewBoot)]
    public void Tells_a_new_boot_from_the_same_one(long clock, int resets, int restarts, QuoteContinuity expected) =>
        Assert.Equal(expected, Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(
            Good(), Demand() with { LastSeen = Seen(clock, resets, restarts) }, _keys)).Quote.Continuity);

    [Theory]
    [InlineData(1, 11, 0, QuoteRefusalCode.ResetCountRolledBack)]
    [InlineData(1, 10, 6, QuoteRefusalCode.RestartCountRolledBack)]
    [InlineData(1_000_001, 10, 5, QuoteRefusalCode.ClockRolledBack)]
    public void Refuses_a_TPM_whose_state_was_put_back(
        long clock, int resets, int restarts, QuoteRefusalCode expected) =>
        AssertOnly(expected, Good(), Demand() with { LastSeen = Seen(clock, resets, restarts) });

    [Fact]
    public void Gives_every_reason_at_once()
    {
        var attest = Maker.Attest(RandomNumberGenerator.GetBytes(32), PcrSelection.Of(TpmHash.Sha256, 3), BootValues);
        var refused = Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(
            QuoteMaker.RsaSsa.Sign(attest, BootValues), Demand() with { LastSeen = Seen(0, 11, 0) }, _keys));
        Assert.Equal(
            [
                QuoteRefusalCode.OtherScheme, QuoteRefusalCode.NotSignedByKey, QuoteRefusalCode.NonceMismatch,
                QuoteRefusalCode.SelectionDiffers, QuoteRefusalCode.ValuesNotQuoted,
                QuoteRefusalCode.ResetCountRolledBack,
            ],
            refused.Refusals.Select(refusal => refusal.Code));
    }

    [Fact]
    public void Nobody_can_demand_no_register() =>
        Assert.Throws<ArgumentException>(() => QuoteVerifier.Verify(
            Good(), Demand() with { Selection = PcrSelection.Of(TpmHash.Sha256) }, _keys));

    [Fact]
    public void Mutated_quotes_never_verify_and_never_throw()
    {
        var claim = Good();
        var random = new Random(7);
        for (int i = 0; i < 1000; i++)
        {
            byte[] message = Mutation.Of(claim.Message.Span, random);
            byte[] signature = Mutation.Of(claim.Signature.Span, random);
            if (!message.AsSpan().SequenceEqual(claim.Message.Span))
            {
                Assert.IsType<QuoteVerdict.Refused>(QuoteVerifier.Verify(
                    claim with { Message = message, Signature = signature }, Demand(), _keys));
            }
        }
    }

    [Fact]
    public void The_cache_keeps_to_its_bound_and_serves_many_callers()
    {
        using var keys = new VerifierKeyCache(2);
        QuoteMaker[] makers = [QuoteMaker.P256, QuoteMaker.P384, QuoteMaker.RsaSsa, QuoteMaker.RsaPss];
        var claims = makers.Select(m => m.Sign(m.Attest(Nonce, Boot, BootValues), BootValues)).ToArray();
        Parallel.For(0, 400, i => Assert.IsType<QuoteVerdict.Verified>(QuoteVerifier.Verify(
            claims[i % 4], Demand() with { Key = makers[i % 4].Key }, keys)));
        Assert.InRange(keys.Count, 1, 2);
    }

    private static QuoteClaim Good() => Maker.Sign(Maker.Attest(Nonce, Boot, BootValues), BootValues);

    private static QuoteExpectation Demand() =>
        new() { Key = Maker.Key, Nonce = Nonce, Selection = Boot, LastSeen = null };

    private static TpmClockInfo Seen(long clock, int resets, int restarts) =>
        new((ulong)clock, (uint)resets, (uint)restarts, true);

    private static SubjectKey Other(QuoteMaker maker) => (maker.Area.Detail is TpmKeyDetail.Rsa
        ? QuoteMaker.Rsa(2048, false, TpmHash.Sha256)
        : QuoteMaker.Ecc(maker == QuoteMaker.P256 ? TpmCurve.P256 : TpmCurve.P384, maker.Hash)).Key.Key;

    private static byte[] Flipped(ReadOnlyMemory<byte> bytes, int bit)
    {
        byte[] flipped = bytes.ToArray();
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        return flipped;
    }

    private void AssertOnly(QuoteRefusalCode code, QuoteClaim claim, QuoteExpectation? demand = null) =>
        Assert.Equal([code], Assert.IsType<QuoteVerdict.Refused>(
            QuoteVerifier.Verify(claim, demand ?? Demand(), _keys)).Refusals.Select(refusal => refusal.Code));
}
