using System.Diagnostics;
using System.Security.Cryptography;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Tpm;

/// <summary>
/// Each structure has one encoding, and nothing else is read as it: hostile bytes give a fault, never an exception.
/// </summary>
public sealed class TpmStructureTests
{
    [Fact]
    public void Every_structure_is_written_as_it_was_read()
    {
        foreach (var (name, bytes, read) in TpmSamples.All)
        {
            var (written, fault) = read(bytes);
            Assert.True(fault is null, $"{name}: {fault}");
            Assert.Equal(bytes, written);
        }
    }

    [Fact]
    public void Refuses_every_structure_cut_at_any_byte_or_with_a_byte_more()
    {
        foreach (var (name, bytes, read) in TpmSamples.All)
        {
            for (int length = 0; length < bytes.Length; length++)
            {
                var (written, fault) = read(bytes.AsSpan(0, length));
                Assert.True(written is null && fault is not null, $"{name} cut to {length}");
            }

            Assert.Equal(TpmFault.TrailingBytes, read([.. bytes, 0]).Fault);
        }
    }

    [Fact]
    public void A_flipped_bit_is_refused_or_seen_in_what_was_read()
    {
        foreach (var (name, bytes, read) in TpmSamples.All)
        {
            for (int bit = 0; bit < bytes.Length * 8; bit++)
            {
                byte[] flipped = [.. bytes];
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                var (written, fault) = read(flipped);
                Assert.True(
                    written is null ? fault is not null : written.AsSpan().SequenceEqual(flipped), $"{name} bit {bit}");
            }
        }
    }

    [Fact]
    public void Mutated_structures_give_a_fault_or_their_one_encoding() => Fuzz(TimeSpan.FromSeconds(2), 20_000);

    [Fact]
    [Trait("Category", "Slow")]
    public void Mutated_structures_give_a_fault_or_their_one_encoding_for_a_minute() =>
        Fuzz(TimeSpan.FromSeconds(60), int.MaxValue);

    [Theory]
    [InlineData(TpmFault.WrongMagic, "ff544348", 0)]
    [InlineData(TpmFault.UnknownAttestation, "8019", 4)]
    [InlineData(TpmFault.UnknownAttestation, "8016", 4)]
    [InlineData(TpmFault.NotAName, "0022000f", 6)]
    [InlineData(TpmFault.NotAName, "0021", 6)]
    [InlineData(TpmFault.TooLarge, "ffff", 42)]
    [InlineData(TpmFault.NotBoolean, "02", 80)]
    [InlineData(TpmFault.TooLarge, "ffffffff", 89)]
    [InlineData(TpmFault.UnknownHash, "0012", 93)]
    [InlineData(TpmFault.WrongSize, "04", 95)]
    [InlineData(TpmFault.TooLarge, "ffff", 99)]
    [InlineData(TpmFault.Truncated, "0021", 99)]
    [InlineData(TpmFault.TrailingBytes, "001f", 99)]
    public void Refuses_a_quote_with_one_field_that_lies(TpmFault expected, string hex, int at)
    {
        byte[] quote = File.ReadAllBytes(VectorFiles.Find("quotes/keylime/quote.msg"));
        Convert.FromHexString(hex).CopyTo(quote, at);
        Assert.False(TpmAttest.TryRead(quote, out _, out var fault));
        Assert.Equal(expected, fault);
    }

    [Theory]
    [InlineData(TpmFault.UnknownKeyType, "0025", 0)]
    [InlineData(TpmFault.UnknownHash, "0027", 2)]
    [InlineData(TpmFault.ReservedBits, "80000072", 4)]
    [InlineData(TpmFault.ReservedBits, "00050473", 4)]
    [InlineData(TpmFault.WrongSize, "0014", 8)]
    [InlineData(TpmFault.TooLarge, "0041", 8)]
    [InlineData(TpmFault.UnknownSymmetric, "0013", 42)]
    [InlineData(TpmFault.UnknownScheme, "001a", 44)]
    [InlineData(TpmFault.WrongSize, "0400", 48)]
    [InlineData(TpmFault.WrongSize, "00ff", 54)]
    [InlineData(TpmFault.TooLarge, "0201", 54)]
    public void Refuses_a_public_area_with_one_field_that_lies(TpmFault expected, string hex, int at)
    {
        byte[] area = TpmSamples.WindowsBytes("AK", "Public");
        Convert.FromHexString(hex).CopyTo(area, at);
        Assert.False(TpmPublic.TryRead(area, out _, out var fault));
        Assert.Equal(expected, fault);
    }

    [Fact]
    public void Refuses_a_selection_that_names_a_bank_twice()
    {
        byte[] once = PcrSelection.OfBanks(new(TpmHash.Sha256, 1), new(TpmHash.Sha1, 1)).Write();
        Assert.True(PcrSelection.TryRead(once, out _, out _));
        once[11] = 0x0b;
        Assert.False(PcrSelection.TryRead(once, out _, out var fault));
        Assert.Equal(TpmFault.DuplicateBank, fault);
    }

    [Fact]
    public void Refuses_more_than_a_structure_may_have_without_reading_it() =>
        Assert.Equal(TpmFault.TooLarge, TpmSamples.ReadAttest(new byte[TpmLimits.StructureBytes + 1]).Fault);

    [Fact]
    public void Sizes_that_lie_make_nothing_be_allocated()
    {
        byte[] lie = [0, 1, 0, 0x0b, 0, 0, 0, 0, 0xff, 0xff];
        TpmPublic.TryRead(lie, out _, out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            TpmPublic.TryRead(lie, out _, out _);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000 * 256);
    }

    [Fact]
    public void The_name_in_a_creation_certificate_is_the_name_of_the_key()
    {
        Assert.True(TpmPublic.TryRead(TpmSamples.WindowsBytes("AK", "Public"), out var ak, out _));
        Assert.True(TpmAttest.TryRead(TpmSamples.WindowsBytes("AK", "CreateAttestation"), out var attest, out _));
        var creation = Assert.IsType<TpmAttestBody.Creation>(attest.Body);
        Assert.Equal(ak.Name, creation.ObjectName);
        Assert.Equal(
            SHA256.HashData(TpmSamples.WindowsBytes("AK", "CreateData")), creation.CreationHash.ToArray());
        Assert.NotEqual((ak with { Attributes = ak.Attributes | TpmAttributes.Decrypt }).Name,
            creation.ObjectName);
    }

    [Fact]
    public void The_digest_over_registers_follows_the_order_of_the_banks()
    {
        PcrValue one = new(TpmHash.Sha1, 3, new byte[20]), two = new(TpmHash.Sha256, 0, new byte[32]),
            three = new(TpmHash.Sha256, 7, Enumerable.Repeat((byte)7, 32).ToArray());
        var values = PcrValues.Of([three, one, two]);
        var selection = PcrSelection.OfBanks(new(TpmHash.Sha256, 0x81), new(TpmHash.Sha1, 8));
        Assert.Equal(
            SHA256.HashData([.. two.Value.Span, .. three.Value.Span, .. one.Value.Span]),
            values?.DigestOver(selection, TpmHash.Sha256));
        Assert.Null(values?.DigestOver(PcrSelection.Of(TpmHash.Sha256, 0, 1), TpmHash.Sha256));
        Assert.Null(PcrValues.Of([one, one]));
        Assert.Null(PcrValues.Of([one with { Register = 24 }]));
        Assert.Null(PcrValues.Of([one with { Bank = TpmHash.Sha256 }]));
    }

    private static void Fuzz(TimeSpan limit, int rounds)
    {
        var random = new Random(20);
        var clock = Stopwatch.StartNew();
        for (int round = 0; round < rounds && clock.Elapsed < limit; round++)
        {
            var (_, bytes, read) = TpmSamples.All[random.Next(TpmSamples.All.Count)];
            byte[] mutated = Mutation.Of(bytes, random);
            var (written, fault) = read(mutated);
            Assert.True(written is null ? fault is not null : written.AsSpan().SequenceEqual(mutated),
                Convert.ToHexString(mutated));
        }
    }
}
