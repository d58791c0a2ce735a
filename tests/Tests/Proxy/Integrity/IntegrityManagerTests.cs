using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Proxy.Integrity;

/// <summary>The log on disk, and what verifiers see of it. Without a TPM here; with one in HostTests.</summary>
public sealed class IntegrityManagerTests
{
    private static readonly Guid Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000");
    private static readonly Guid NextBoot = Guid.Parse("e0000000-0000-0000-0000-000000000001");
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private static readonly PartyId Hospital = PartyId.Unsigned("hospital");
    private readonly FakeDisk _disk = new(1) { EffectiveUser = 0 };

    [Fact]
    public void A_log_that_is_opened_again_goes_on_and_a_new_boot_begins_its_own_chain()
    {
        IntegrityHead first = With(Boot, Fill);
        Assert.Equal(5, first.Entries);
        IntegrityHead second = With(Boot, log => log.Record(IntegrityKind.Drift, IntegrityReaders.Everyone, "x", ""));
        Assert.Equal(6, second.Entries);
        IntegrityHead next = With(NextBoot, log =>
        {
            IntegrityLine boot = log.Read(6, 10).Single();
            Assert.Equal((IntegrityKind.Boot, NextBoot.ToString("D")), (boot.Entry.Kind, boot.Entry.Subject));
            Assert.Equal(second.ToString(), boot.Detail.Text);
            Assert.Equal(IntegrityHead.Zero, new IntegrityHead(6, IntegrityHead.Zero).Digest);
            Assert.Equal(new IntegrityHead(6, IntegrityHead.Zero).Extend(boot.Commitment), log.Head);
        });
        Assert.Equal(7, next.Entries);
    }

    [Fact]
    public void What_is_shown_is_what_a_verifier_follows_each_reader_its_own()
    {
        With(Boot, log =>
        {
            Fill(log);
            IntegrityTail bank = Shown(log, null, Bank);
            Assert.Equal([0, 1, 2], Follow(log, bank, Bank, null).Openings.Select(o => o.Entry.Sequence));
            Assert.Equal([0, 1, 3], Follow(log, Shown(log, null, Hospital), Hospital, null).Openings
                .Select(o => o.Entry.Sequence));
            IntegrityPosition known = Follow(log, Shown(log, null, null), null, null).Position;
            log.Record(IntegrityKind.PortOpened, IntegrityReaders.Of(Bank), "bwt0", "");
            IntegrityTail tail = Shown(log, known, Bank);
            Assert.Equal(1, tail.Count);
            Assert.Equal(5, Assert.Single(Follow(log, tail, Bank, known).Openings).Entry.Sequence);
        });
    }

    [Fact]
    public void Goes_on_from_no_position_that_is_not_true()
    {
        With(Boot, log =>
        {
            Fill(log);
            IntegrityPosition known = Follow(log, Shown(log, null, null), null, null).Position;
            log.Record(IntegrityKind.PortOpened, IntegrityReaders.Of(Bank), "bwt0", "");
            Assert.Equal(known, Shown(log, known, Bank).After);
            IntegrityPosition[] false_ =
            [
                known with { Boot = NextBoot }, known with { First = 1 },
                known with { Head = known.Head with { Entries = 4 } },
                known with { Head = known.Head with { Entries = 7 } },
                known with { Head = known.Head with { Entries = long.MaxValue } },
                known with { Head = known.Head with { Entries = -1 } },
                known with { Head = known.Head with { Digest = IntegrityHead.Zero } },
            ];
            Assert.All(false_, claim =>
            {
                IntegrityTail whole = Shown(log, claim, Bank);
                Assert.Null(whole.After);
                Assert.Equal(6, whole.Count);
            });
        });
    }

    [Fact]
    public void Shows_the_boot_and_the_newest_openings_where_there_are_many()
    {
        With(Boot, log =>
        {
            for (int entry = 0; entry < IntegrityTail.MostOpenings + 5; entry++)
            {
                log.Record(IntegrityKind.PortOpened, IntegrityReaders.Of(Bank), $"bwt{entry}", "");
            }

            IntegrityReading.Followed read = Follow(log, Shown(log, null, Bank), Bank, null);
            Assert.Equal(IntegrityTail.MostOpenings, read.Openings.Length);
            Assert.Equal(IntegrityKind.Boot, read.Openings[0].Entry.Kind);
            Assert.Equal(log.Head.Entries - 1, read.Openings[^1].Entry.Sequence);
            Assert.NotNull(IntegrityTail.Read(Shown(log, null, Bank).Write(), out _));
        });
    }

    [Fact]
    public void An_entry_and_its_detail_are_committed_with_salts_of_their_own()
    {
        With(Boot, log =>
        {
            log.Record(IntegrityKind.Drift, IntegrityReaders.Of(Bank), "same", "same");
            log.Record(IntegrityKind.Drift, IntegrityReaders.Of(Bank), "same", "same");
            IntegrityLine[] lines = [.. log.Read(1, 2)];
            Assert.Equal(4, lines.SelectMany(l => new[] { l.Opening.Salt, l.Detail.Salt })
                .Select(salt => Convert.ToHexString(salt.Span)).Distinct().Count());
            Assert.NotEqual(lines[0].Entry.Digest, lines[1].Entry.Digest);
            Assert.All(lines, line => Assert.Equal(line.Entry.Digest, line.Detail.Digest()));
        });
    }

    [Fact]
    public void A_full_disk_lets_nothing_be_recorded_and_what_takes_away_is_owed_and_written_first()
    {
        With(Boot, log =>
        {
            _disk.FullFrom = 1;
            Assert.Throws<WorldException>(
                () => log.Record(IntegrityKind.PortOpened, IntegrityReaders.Nobody, "a", ""));
            log.RecordOrOwe(IntegrityKind.PortClosed, IntegrityReaders.Of(Bank), "b", "why");
            log.RecordOrOwe(IntegrityKind.PortClosed, IntegrityReaders.Of(Bank), "b", "why");
            log.RecordOrOwe(IntegrityKind.MachineStopped, IntegrityReaders.Of(Bank), "c", "why");
            Assert.Equal(1, log.Head.Entries);
            _disk.FullFrom = 0;
            log.Record(IntegrityKind.PortOpened, IntegrityReaders.Nobody, "d", "");
            Assert.Equal(["b", "c", "d"], log.Read(1, 10).Select(line => line.Entry.Subject));
        });
        Assert.Equal(4, With(Boot, _ => { }).Entries);
    }

    [Theory]
    [InlineData("""{"digest":"00","kind":"plan","sequence":1,"subject":"x"}""")]
    [InlineData("{}")]
    [InlineData("")]
    public void Refuses_a_log_of_another_form_with_a_sentence_that_says_what_to_do(string line)
    {
        With(Boot, _ => { });
        Append(Encoding.UTF8.GetBytes(line + "\n"));
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => With(Boot, _ => { }));
        Assert.Contains("older form", error.Message, StringComparison.Ordinal);
        Assert.Contains("move it away", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_an_entry_that_is_there_twice()
    {
        With(Boot, Fill);
        List<byte[]> records = [];
        using (PrivateDirectory directory = Directory())
        using (AppendLog.Open(directory, "integrity.log", record => records.Add(record.Payload.ToArray())))
        {
        }

        Append(records[^1]);
        Assert.Throws<InvalidDataException>(() => With(Boot, _ => { }));
    }

    private static void Fill(IntegrityManager log)
    {
        log.Record(IntegrityKind.Plan, IntegrityReaders.Everyone, "host-1", "the whole plan");
        log.Record(IntegrityKind.PlanPart, IntegrityReaders.Of(Bank), "bank/ledger", "its part");
        log.Record(IntegrityKind.PlanPart, IntegrityReaders.Of(Hospital), "hospital/records", "its part");
        log.Record(IntegrityKind.StatementRefused, IntegrityReaders.Nobody, "entry 3", "");
    }

    private static IntegrityTail Shown(IntegrityManager log, IntegrityPosition? after, PartyId? reader) =>
        log.Tail(after, log.Head, reader) ?? throw new InvalidOperationException();

    private static IntegrityReading.Followed Follow(
        IntegrityManager log, IntegrityTail shown, PartyId? reader, IntegrityPosition? known) =>
        Assert.IsType<IntegrityReading.Followed>(
            IntegrityReading.Judge(shown, Boot, log.Head, new IntegrityDemand(reader, known)));

    private PrivateDirectory Directory() => PrivateDirectory.OpenOrCreate(_disk, "/proxy");

    private void Append(byte[] payload)
    {
        using PrivateDirectory directory = Directory();
        using AppendLog log = AppendLog.Open(directory, "integrity.log");
        log.Append(payload);
    }

    private IntegrityHead With(Guid boot, Action<IntegrityManager> act)
    {
        using PrivateDirectory directory = Directory();
        using IntegrityManager log = IntegrityManager.Open(directory, boot);
        act(log);
        return log.Head;
    }
}
