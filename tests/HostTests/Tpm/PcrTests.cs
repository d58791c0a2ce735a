using System.Globalization;
using System.Security.Cryptography;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm;
using Bailiwick.Tpm.Keys;
using Bailiwick.Tpm.Pcrs;

namespace Bailiwick.HostTests.Tpm;

/// <summary>PCRs of a real software TPM: read, extended, and the one for the integrity log.</summary>
public sealed class PcrTests(PrivateSwtpm tpm) : IClassFixture<PrivateSwtpm>
{
    [Fact]
    public async Task Reads_all_24_as_tpm2_pcrread_does()
    {
        PcrReading reading;
        using (var open = tpm.Open())
        {
            var registers = new PcrRegisters(open);
            registers.Extend([.. Enumerable.Range(0, 16)
                .Select(pcr => new PcrMeasurement(pcr, TpmHash.Sha256, SHA256.HashData([(byte)pcr])))]);
            reading = registers.Read(PrivateSwtpm.AllPcrs);
        }

        var theirs = (await tpm.Tool("tpm2_pcrread", "sha256")).Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.Contains(": 0x", StringComparison.Ordinal)).Select(line => line.Split(": 0x"))
            .ToDictionary(pair => int.Parse(pair[0], CultureInfo.InvariantCulture), pair => pair[1]);
        Assert.Equal(24, theirs.Count);
        Assert.All(theirs, one => Assert.Equal(one.Value, Hex(reading, one.Key)));
    }

    [Fact]
    public void Extends_by_hashing_the_old_value_with_the_digest()
    {
        using var open = tpm.Open();
        var registers = new PcrRegisters(open);
        var set = PcrSelection.Of(TpmHash.Sha256, 12);
        var before = registers.Read(set).Values.All.Single().Value.ToArray();
        var digest = SHA256.HashData("one"u8);
        registers.Extend(new PcrMeasurement(12, TpmHash.Sha256, digest));
        Assert.Equal(SHA256.HashData([.. before, .. digest]), registers.Read(set).Values.All.Single().Value.ToArray());
    }

    [Fact]
    public void Extends_nothing_when_one_of_several_measurements_is_wrong()
    {
        using var open = tpm.Open();
        var registers = new PcrRegisters(open);
        Assert.Equal([TpmHash.Sha256], registers.Banks());
        var good = new PcrMeasurement(11, TpmHash.Sha256, new byte[32]);
        var before = registers.Read(PrivateSwtpm.AllPcrs);
        (PcrMeasurement Wrong, AccessFault Fault)[] rows =
        [
            (new(11, TpmHash.Sha1, new byte[20]), AccessFault.Unsupported),
            (new(11, TpmHash.Sha384, new byte[48]), AccessFault.Unsupported),
            (new(11, TpmHash.Sha256, new byte[31]), AccessFault.BadInput),
            (new(11, TpmHash.Sha256, new byte[33]), AccessFault.BadInput),
            (new(24, TpmHash.Sha256, new byte[32]), AccessFault.BadInput),
            (new(-1, TpmHash.Sha256, new byte[32]), AccessFault.BadInput),
        ];
        foreach (var (wrong, fault) in rows)
        {
            Assert.Equal(fault, Assert.Throws<TpmException>(() => registers.Extend(good, wrong)).Fault);
        }

        Assert.Equal(before.UpdateCounter, registers.Read(PrivateSwtpm.AllPcrs).UpdateCounter);
        registers.Extend(good);
        Assert.NotEqual(before.UpdateCounter, registers.Read(PrivateSwtpm.AllPcrs).UpdateCounter);
    }

    [Fact]
    public void Refuses_to_read_a_bank_that_is_not_there()
    {
        using var open = tpm.Open();
        var registers = new PcrRegisters(open);
        var absent = PcrSelection.Of(TpmHash.Sha1, 0);
        Assert.Equal(AccessFault.Unsupported, Assert.Throws<TpmException>(() => registers.Read(absent)).Fault);
        Assert.Throws<ArgumentOutOfRangeException>(() => PcrSelection.Of(TpmHash.Sha256, 24));
        Assert.Throws<ArgumentOutOfRangeException>(() => PcrSelection.Of(TpmHash.Sha256, -1));
    }

    [Fact]
    public void A_quote_is_over_the_values_that_are_read()
    {
        using var open = tpm.Open();
        var set = PcrSelection.Of(TpmHash.Sha256, 15, 0, 7, 15);
        IntegrityRegister.Open(open).Extend(SHA256.HashData("record"u8));
        var reading = new PcrRegisters(open).Read(set);
        var quote = AttestationKey.OpenOrCreate(open).Quote(set, []);
        byte[] digest = SHA256.HashData([.. reading.Values.All.SelectMany(value => value.Value.ToArray())]);
        Assert.Equal(digest, quote.Message[^32..].ToArray());
        Assert.Equal(digest, quote.Values.DigestOver(set, TpmHash.Sha256));

        // Of a key of the endorsement hierarchy the counts are those of the clock, not disguised.
        Assert.True(TpmAttest.TryRead(quote.Message.Span, out var attest, out _));
        Assert.Equal(open.ReadClock().ResetCount, attest.Clock.ResetCount);
    }

    [Fact]
    public void The_integrity_log_has_a_PCR_that_nothing_but_a_reset_clears()
    {
        tpm.PowerCycle();
        using (var open = tpm.Open())
        {
            var register = IntegrityRegister.Open(open, 13);
            Assert.Equal(new byte[32], register.Read().ToArray());
            var digest = SHA256.HashData("record"u8);
            register.Extend(digest);
            Assert.Equal(SHA256.HashData([.. new byte[32], .. digest]), register.Read().ToArray());
        }

        tpm.PowerCycle();
        using var again = tpm.Open();
        Assert.Equal(new byte[32], IntegrityRegister.Open(again, 13).Read().ToArray());
    }

    [Fact]
    public async Task The_integrity_log_refuses_a_PCR_that_can_be_reset_or_is_the_firmwares()
    {
        using (var open = tpm.Open())
        {
            foreach (var pcr in new[] { -1, 0, 7, 16, 17, 23, 24 })
            {
                Assert.Equal(
                    AccessFault.BadInput, Assert.Throws<TpmException>(() => IntegrityRegister.Open(open, pcr)).Fault);
            }

            Assert.Equal(IntegrityRegister.DefaultPcr, IntegrityRegister.Open(open).Pcr);
            Assert.Equal(AccessFault.BadInput, Assert.Throws<TpmException>(
                () => IntegrityRegister.Open(open).Extend(new byte[20])).Fault);
        }

        // The TPM agrees: 23 can be reset by whoever asks, 15 cannot.
        await tpm.Tool("tpm2_pcrreset", "23");
        Assert.NotEqual(0, (await tpm.ToolResult("tpm2_pcrreset", "15")).ExitCode);
    }

    private static string Hex(PcrReading reading, int pcr) =>
        Convert.ToHexString((reading.Values.Find(TpmHash.Sha256, pcr) ?? default).Span);
}
