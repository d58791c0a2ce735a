using System.Buffers.Binary;
using System.Collections.Immutable;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.BootLog;

/// <summary>
/// A06 and A07: logs and quotes made to deceive (CVE-2021-42299, a bank left alone; CVE-2022-0317, unquoted PCRs;
/// CVE-2026-12681, header bytes taken for entries).
/// </summary>
public sealed class HostileBootLogTests
{
    private static readonly byte[] Good = new BootScene().Write();

    [Fact]
    public void A_log_that_gives_the_quoted_values_explains_them() =>
        Assert.Equal(24, Assert.IsType<BootExplanation.Explained>(Judge(Good)).Boot.Pcrs.Count);

    [Fact]
    public void Refuses_a_log_truncated_at_any_event()
    {
        MeasuredBoot log = BootLogWriter.Understood(Good);
        Assert.All(Enumerable.Range(0, Good.Length).Where(n => n % 7 == 0), length =>
            Assert.True(MeasuredBoot.Read(Good.AsSpan(0, length)) is BootLogReading.Rejected
                || Judge(Good[..length]) is BootExplanation.Refused
                || Facts(Good[..length]) < log.Count - 1));
    }

    [Fact]
    public void No_flipped_byte_changes_a_digest_that_is_believed()
    {
        byte[][] digests = Digests(Good);
        for (int at = 0; at < Good.Length; at++)
        {
            byte[] log = [.. Good];
            log[at] ^= 0x41;
            if (MeasuredBoot.Read(log) is BootLogReading.Understood
                && Judge(log) is BootExplanation.Explained { Boot.Pcrs.Count: 24 })
            {
                // Types, labels and other banks are not measured; what is believed is the same.
                Assert.Equal(digests, Digests(log));
            }
        }
    }

    [Fact]
    public void Refuses_swapped_and_doubled_events_of_one_PCR()
    {
        MeasuredBoot log = BootLogWriter.Understood(Good);
        int first = Enumerable.Range(0, log.Count - 1).First(i => log[i].Pcr == 7 && log[i + 1].Pcr == 7);
        int at = Start(first), next = Start(first + 1), end = Start(first + 2);
        byte[] swapped = [.. Good[..at], .. Good[next..end], .. Good[at..next], .. Good[end..]];
        byte[] doubled = [.. Good[..next], .. Good[at..]];
        Assert.Equal([7], Mismatches(swapped));
        Assert.Equal([7], Mismatches(doubled));
    }

    [Fact]
    public void Refuses_a_bank_that_the_log_does_not_declare() => Assert.Equal(BootLogRefusalCode.BankNotInLog,
        Refusals(BootExplanation.Judge(BootLogWriter.Understood(Good),
            QuotedPcrs.Of(TpmHash.Sha384, [new(0, new byte[48])])))[0].Code);

    [Fact]
    public void Refuses_all_zero_PCRs_and_a_bank_that_firmware_left_alone()
    {
        QuotedPcrs zeros = QuotedPcrs.Of(TpmHash.Sha256,
            Enumerable.Range(0, 24).Select(p => new KeyValuePair<int, ReadOnlyMemory<byte>>(p, new byte[32])));
        byte[] nothing = new BootLogWriter().Bytes;
        Assert.Equal(Enumerable.Repeat(BootLogRefusalCode.NothingMeasured, 8),
            Refusals(BootExplanation.Judge(BootLogWriter.Understood(nothing), zeros)).Select(r => r.Code));
        Assert.Equal(Enumerable.Repeat(BootLogRefusalCode.Mismatch, 8),
            Refusals(BootExplanation.Judge(BootLogWriter.Understood(Good), zeros)).Select(r => r.Code));
    }

    [Fact]
    public void Refuses_a_quote_over_no_PCRs_or_too_few()
    {
        QuotedPcrs all = BootLogWriter.Quote(Good);
        QuotedPcrs some = QuotedPcrs.Of(TpmHash.Sha256,
            [new(7, all.Value(7).ToArray()), new(4, new byte[32])]);
        Assert.Equal(Enumerable.Repeat(BootLogRefusalCode.NotQuoted, 8), Refusals(BootExplanation.Judge(
            BootLogWriter.Understood(Good), QuotedPcrs.Of(TpmHash.Sha256, []))).Select(r => r.Code));
        Assert.Contains(Refusals(BootExplanation.Judge(BootLogWriter.Understood(Good), some)),
            r => r is { Code: BootLogRefusalCode.Mismatch, Pcr: 4 });
    }

    [Fact]
    public void Events_of_a_PCR_that_was_not_quoted_prove_nothing()
    {
        QuotedPcrs all = BootLogWriter.Quote(Good);
        QuotedPcrs firmware = QuotedPcrs.Of(TpmHash.Sha256, Enumerable.Range(0, 8).Select(
            p => new KeyValuePair<int, ReadOnlyMemory<byte>>(p, all.Value(p).ToArray())));
        var explained = Assert.IsType<BootExplanation.Explained>(
            BootExplanation.Judge(BootLogWriter.Understood(Good), firmware));
        Assert.DoesNotContain(BootFacts.Of(explained.Boot).All, f => f.Pcr > 7);
    }

    [Theory]
    [InlineData(BootLogFaultCode.PcrOutOfRange, 0, 255u)]
    [InlineData(BootLogFaultCode.PcrOutOfRange, 0, 24u)]
    [InlineData(BootLogFaultCode.PcrOutOfRange, 0, uint.MaxValue)]
    [InlineData(BootLogFaultCode.DigestTwice, 8, 3u)]
    [InlineData(BootLogFaultCode.DigestTwice, 8, uint.MaxValue)]
    [InlineData(BootLogFaultCode.BankNotDeclared, 12, 0x7777u)]
    [InlineData(BootLogFaultCode.DataBeyondEnd, 68, uint.MaxValue)]
    [InlineData(BootLogFaultCode.DataBeyondEnd, 68, 5u)]
    [InlineData(BootLogFaultCode.DataBeyondEnd, 68, 0x8000_0000u)]
    public void Refuses_an_event_with(BootLogFaultCode code, int offset, uint value)
    {
        var writer = new BootLogWriter();
        int at = writer.Bytes.Length + offset;
        writer.Add(0, BootEventType.PostCode, "abcd");
        byte[] log = writer.Bytes;
        BootLogWriter.Understood(log);
        if (code == BootLogFaultCode.BankNotDeclared)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(log.AsSpan(at), (ushort)value);
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(log.AsSpan(at), value);
        }

        Assert.Equal(code, Assert.IsType<BootLogReading.Rejected>(MeasuredBoot.Read(log)).Fault.Code);
    }

    [Theory]
    [InlineData(BootLogFaultCode.BankTwice, 4, 20, 4, 20)]
    [InlineData(BootLogFaultCode.DigestLengthWrong, 4, 20, 11, 20)]
    [InlineData(BootLogFaultCode.DigestLengthWrong, 4, 20, 0x1234, 0)]
    [InlineData(BootLogFaultCode.DigestLengthWrong, 4, 20, 0x1234, 65)]
    public void Refuses_a_declaration_of_banks_with(BootLogFaultCode code, params int[] banks)
    {
        byte[] declaration = BootLogWriter.Declaration([.. banks.Chunk(2).Select(b => (b[0], b[1]))]);
        BootLogReading reading = MeasuredBoot.Read(new BootLogWriter(declaration).Bytes);
        Assert.Equal(code, Assert.IsType<BootLogReading.Rejected>(reading).Fault.Code);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(uint.MaxValue)]
    public void Refuses_a_declaration_of_more_banks_than_it_has(uint count)
    {
        byte[] declaration = BootLogWriter.Declaration([(4, 20), (11, 32)]);
        BinaryPrimitives.WriteUInt32LittleEndian(declaration.AsSpan(24), count);
        BootLogReading reading = MeasuredBoot.Read(new BootLogWriter(declaration).Bytes);
        Assert.Equal(BootLogFaultCode.SpecIdMalformed, Assert.IsType<BootLogReading.Rejected>(reading).Fault.Code);
    }

    [Theory]
    [InlineData(0x00, 1)]
    [InlineData(0x00, 4096)]
    [InlineData(0xFF, 31)]
    [InlineData(0xFF, 4096)]
    public void Padding_of_one_byte_at_the_end_is_counted_and_no_event(int fill, int count)
    {
        byte[] padding = [.. Enumerable.Repeat((byte)fill, count)];
        MeasuredBoot log = BootLogWriter.Understood([.. Good, .. padding]);
        Assert.Equal((count, BootLogWriter.Understood(Good).Count), (log.Trailing, log.Count));
        Assert.IsType<BootLogReading.Rejected>(MeasuredBoot.Read([.. Good, .. padding, 1]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void PCR_0_starts_at_the_locality_that_started_the_TPM(byte locality)
    {
        var log = new BootLogWriter();
        byte[] before = BootReplay.Of(BootLogWriter.Understood(log.Bytes), TpmHash.Sha256).Value(0).ToArray();
        log.Add(0, BootEventType.NoAction, [.. "StartupLocality\0"u8, locality]);
        BootReplay replay = BootReplay.Of(BootLogWriter.Understood(log.Bytes), TpmHash.Sha256);
        Assert.Equal([.. before[..^1], locality], replay.Value(0).ToArray());
        Assert.Empty(replay.Touched);
        log.Add(0, BootEventType.PostCode, "x");
        byte[] extended = BootReplay.Of(BootLogWriter.Understood(log.Bytes), TpmHash.Sha256).Value(0).ToArray();
        log.Add(0, BootEventType.NoAction, [.. "StartupLocality\0"u8, 0]);
        Assert.Equal(
            extended, BootReplay.Of(BootLogWriter.Understood(log.Bytes), TpmHash.Sha256).Value(0).ToArray());
    }

    [Fact]
    public void Refuses_more_events_and_bytes_than_the_limits()
    {
        var log = new BootLogWriter();
        byte[] least = [3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        for (int i = 1; i < BootLogLimits.Events; i++)
        {
            log.Raw(least);
        }

        Assert.Equal(BootLogLimits.Events, BootLogWriter.Understood(log.Bytes).Count);
        log.Raw(least);
        Assert.Equal(BootLogFaultCode.TooManyEvents,
            Assert.IsType<BootLogReading.Rejected>(MeasuredBoot.Read(log.Bytes)).Fault.Code);
        Assert.Equal(BootLogFaultCode.TooLarge, Assert.IsType<BootLogReading.Rejected>(
            MeasuredBoot.Read(new byte[BootLogLimits.Bytes + 1])).Fault.Code);
    }

    private static BootExplanation Judge(byte[] log) =>
        BootExplanation.Judge(BootLogWriter.Understood(log), BootLogWriter.Quote(Good));

    private static ImmutableArray<BootLogRefusal> Refusals(BootExplanation explanation) =>
        Assert.IsType<BootExplanation.Refused>(explanation).Refusals;

    private static IEnumerable<int?> Mismatches(byte[] log) => Refusals(Judge(log)).Select(r => r.Pcr);

    private static int Facts(byte[] log) =>
        BootFacts.Of(Assert.IsType<BootExplanation.Explained>(Judge(log)).Boot).All.Length;

    private static byte[][] Digests(byte[] bytes)
    {
        MeasuredBoot log = BootLogWriter.Understood(bytes);
        return
        [
            .. Enumerable.Range(0, 24).SelectMany(pcr => Enumerable.Range(0, log.Count)
                .Where(i => log[i].Extends && log[i].Pcr == pcr)
                .Select(i => log[i].Digest(TpmHash.Sha256).ToArray()).Where(d => d.Length > 0)),
        ];
    }

    /// <summary>Where an event of the good log begins: before its SHA-1 digest lie 14 bytes.</summary>
    private static int Start(int number) => Good.AsSpan().IndexOf(
        BootLogWriter.Understood(Good)[number].Digest(TpmHash.Sha256)) - 20 - 2 - 2 - 12;
}
