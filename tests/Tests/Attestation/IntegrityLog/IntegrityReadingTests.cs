using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Attestation.IntegrityLog;

/// <summary>A verifier follows a log by digests, opens what is its own, and refuses every other log.</summary>
public sealed class IntegrityReadingTests
{
    private static readonly PartyId Bank = IntegrityScene.Bank;
    private static readonly PartyId Hospital = IntegrityScene.Hospital;
    private readonly IntegrityScene _scene = IntegrityScene.Good(first: 40);

    [Fact]
    public void Follows_a_log_from_the_boot_and_opens_what_is_the_tenants_and_the_hosts()
    {
        var bank = Followed(_scene.Tail(Bank), Bank);
        Assert.Equal(_scene.Position, bank.Position);
        Assert.Equal(40, bank.From);
        Assert.Equal([40, 41, 42, 44], bank.Openings.Select(o => o.Entry.Sequence));
        Assert.Equal([40, 41, 43, 44], Followed(_scene.Tail(Hospital), Hospital).Openings
            .Select(o => o.Entry.Sequence));
        Assert.Equal([40, 41], Followed(_scene.Tail(PartyId.Unsigned("x")), PartyId.Unsigned("x")).Openings
            .Select(o => o.Entry.Sequence));
        Assert.Empty(Followed(_scene.Tail(null), null).Openings);
    }

    [Fact]
    public void Goes_on_from_where_it_was_and_from_nowhere_else()
    {
        IntegrityTail tail = _scene.Tail(Bank, after: 3);
        var followed = Followed(tail, Bank, _scene.At(3));
        Assert.Equal(43, followed.From);
        Assert.Equal(_scene.Position, followed.Position);
        Refused(IntegrityRefusalCode.OtherPosition, tail, Bank, known: null);
        Refused(IntegrityRefusalCode.OtherPosition, tail, Bank, _scene.At(2));
        Refused(IntegrityRefusalCode.OtherPosition, tail, Bank, _scene.At(3) with { First = 39 });
        Refused(IntegrityRefusalCode.OtherPosition, tail, Bank, _scene.At(3) with { Boot = Guid.Empty });
        Refused(IntegrityRefusalCode.OtherPosition, tail, Bank,
            _scene.At(3) with { Head = _scene.HeadAt(3) with { Digest = IntegrityHead.Zero } });

        // A tail of nothing new is a tail; and the boot in the evidence must be the one that was followed.
        Assert.Empty(Followed(_scene.Tail(Bank, after: 6), Bank, _scene.Position).Openings);
        Assert.Equal(IntegrityRefusalCode.OtherPosition, Assert.IsType<IntegrityReading.Refused>(
            IntegrityReading.Judge(tail, Guid.Empty, _scene.Head, new(Bank, _scene.At(3)))).Code);
    }

    [Fact]
    public void The_chain_is_how_a_TPM_extends_a_register()
    {
        byte[] zeroThenBoot = [.. new byte[32], .. _scene.Entries[0].Commitment().Bytes];
        Assert.Equal(Digest32.Of(zeroThenBoot), _scene.HeadAt(1).Digest);
    }

    [Fact]
    public void A_commitment_is_over_its_tag_the_salt_and_the_entry()
    {
        IntegrityOpening opening = _scene.Entries[2];
        byte[] committed =
            [.. "bailiwick integrity entry v1\0"u8, .. opening.Salt.Span, .. opening.Entry.Write()];
        Assert.Equal(Digest32.Of(committed), opening.Commitment());
        byte[] salt = RandomNumberGenerator.GetBytes(32);
        Assert.Equal(
            Digest32.Of([.. "bailiwick integrity detail v1\0"u8, .. salt, .. "plan"u8]),
            new IntegrityDetail(salt, "plan").Digest());
        Assert.Throws<ArgumentOutOfRangeException>(() => new IntegrityDetail(default, "plan").Digest());
        Assert.Throws<ArgumentOutOfRangeException>(() => (opening with { Salt = default }).Commitment());
    }

    [Fact]
    public void Refuses_a_log_that_was_cut_or_has_one_too_many()
    {
        IntegrityTail whole = _scene.Tail(null);
        for (int count = 0; count < whole.Count; count++)
        {
            // Cut at its end it begins too late; cut at its beginning, its boot is missing or the chain differs.
            ReadOnlyMemory<byte> kept = whole.Commitments[..(count * Digest32.Length)];
            IntegrityRefusalCode code = count == 0 ? IntegrityRefusalCode.Incomplete : IntegrityRefusalCode.Mismatch;
            Refused(code, whole with { Commitments = kept }, null);
        }

        IntegrityTail tail = _scene.Tail(Bank, after: 2);
        Refused(IntegrityRefusalCode.Incomplete,
            tail with { Commitments = tail.Commitments[..^Digest32.Length], Openings = [] }, Bank, _scene.At(2));
        Refused(IntegrityRefusalCode.Incomplete,
            tail with { Commitments = (byte[])[.. tail.Commitments.Span, .. new byte[32]] }, Bank, _scene.At(2));
        Refused(IntegrityRefusalCode.Incomplete,
            whole with { Commitments = new byte[32 * 100] }, null);
        Followed(tail, Bank, _scene.At(2));
    }

    [Fact]
    public void Refuses_every_changed_bit_and_every_two_entries_that_changed_places()
    {
        IntegrityTail whole = _scene.Tail(Bank);
        for (int bit = 0; bit < whole.Commitments.Length * 8; bit += 7)
        {
            byte[] changed = whole.Commitments.ToArray();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Refused(IntegrityRefusalCode.Mismatch, whole with { Commitments = changed }, Bank);
        }

        for (int one = 0; one + 1 < whole.Count; one++)
        {
            byte[] moved = whole.Commitments.ToArray();
            whole.Commitments.Span.Slice(one * 32, 32).CopyTo(moved.AsSpan((one + 1) * 32));
            whole.Commitments.Span.Slice((one + 1) * 32, 32).CopyTo(moved.AsSpan(one * 32));
            Refused(IntegrityRefusalCode.Mismatch, whole with { Commitments = moved }, Bank);
        }

        Followed(whole, Bank);
    }

    [Fact]
    public void Refuses_another_log_in_the_same_boot_and_takes_a_new_one_after_it()
    {
        IntegrityScene other = IntegrityScene.Good(first: 40);
        other.Add(IntegrityKind.Drift, IntegrityReaders.Everyone, "x");
        Assert.Equal(IntegrityRefusalCode.Rewritten, Judge(other, _scene.Position));
        IntegrityScene earlier = IntegrityScene.Good(first: 39);
        Assert.Equal(IntegrityRefusalCode.Rewritten, Judge(earlier, _scene.Position));
        IntegrityScene shorter = new(first: 40);
        Assert.Equal(IntegrityRefusalCode.Rewritten, Judge(shorter, _scene.Position));

        // The register was reset in the same boot: the log goes on behind, with a boot of its own.
        Assert.Null(Judge(IntegrityScene.Good(first: 46), _scene.Position));
        Assert.Null(Judge(_scene, _scene.At(2)));
        IntegrityScene reboot = new(first: 0, boot: Guid.Parse("e0000000-0000-0000-0000-000000000001"));
        Assert.IsType<IntegrityReading.Followed>(IntegrityReading.Judge(
            reboot.Tail(Bank), reboot.Position.Boot, reboot.Head, new(Bank, _scene.Position)));

        static IntegrityRefusalCode? Judge(IntegrityScene scene, IntegrityPosition known) =>
            (IntegrityReading.Judge(scene.Tail(Bank), IntegrityScene.Boot, scene.Head, new(Bank, known))
                as IntegrityReading.Refused)?.Code;
    }

    [Fact]
    public void Refuses_an_opening_that_opens_something_else()
    {
        IntegrityTail whole = _scene.Tail(Bank);
        IntegrityOpening own = _scene.Entries[2];
        IntegrityOpening With(IntegrityEntry entry) => own with { Entry = entry };
        IntegrityEntry Entry(long sequence, string subject) =>
            new(sequence, IntegrityKind.PlanPart, IntegrityReaders.Of(Bank), subject, own.Entry.Digest);
        IntegrityOpening[] wrong =
        [
            own with { Salt = new byte[32] },
            With(Entry(42, "another")),
            With(Entry(43, own.Entry.Subject)),
            With(Entry(39, own.Entry.Subject)),
            With(Entry(46, own.Entry.Subject)),
            With(Entry(long.MaxValue, own.Entry.Subject)),
            With(_scene.Entries[1].Entry),
            With(new IntegrityEntry(42, IntegrityKind.Plan, IntegrityReaders.Of(Bank), own.Entry.Subject,
                own.Entry.Digest)),
            With(new IntegrityEntry(42, IntegrityKind.PlanPart, IntegrityReaders.Everyone, own.Entry.Subject,
                own.Entry.Digest)),
        ];
        Assert.All(wrong, opening => Refused(
            IntegrityRefusalCode.FalseOpening, whole with { Openings = [whole.Openings[0], opening] }, Bank));
        Followed(whole with { Openings = [whole.Openings[0], own] }, Bank);
    }

    [Fact]
    public void Refuses_an_opening_of_what_does_not_concern_the_reader()
    {
        ImmutableArray<IntegrityOpening> all = [.. _scene.Entries];
        IntegrityTail told = _scene.Tail(Bank);
        foreach (int foreign in new[] { 3, 5 })
        {
            Refused(IntegrityRefusalCode.ForeignOpening,
                told with { Openings = [told.Openings[0], all[foreign]] }, Bank);
        }

        Refused(IntegrityRefusalCode.ForeignOpening, _scene.Tail(null) with { Openings = [all[0]] }, null);
        Followed(told with { Openings = [told.Openings[0], all[4]] }, Bank);
    }

    [Fact]
    public void Refuses_a_log_that_does_not_begin_with_the_entry_of_the_boot()
    {
        IntegrityTail whole = _scene.Tail(Bank);
        Refused(IntegrityRefusalCode.Incomplete, whole with { Openings = whole.Openings[1..] }, Bank);
        IntegrityScene other = new(first: 0, boot: Guid.Parse("e0000000-0000-0000-0000-000000000001"));
        Assert.Equal(IntegrityRefusalCode.Incomplete, Assert.IsType<IntegrityReading.Refused>(
            IntegrityReading.Judge(other.Tail(Bank), IntegrityScene.Boot, other.Head, new(Bank, null))).Code);
    }

    [Fact]
    public void Follows_and_opens_kinds_that_it_does_not_know()
    {
        string later = Encoding.UTF8.GetString(_scene.Entries[2].Entry.Write())
            .Replace("plan-part", "gpu-slice-attached", StringComparison.Ordinal)
            .Replace("\"sequence\":42", "\"sequence\":46", StringComparison.Ordinal);
        IntegrityEntry entry = IntegrityEntry.Read(Encoding.UTF8.GetBytes(later))
            ?? throw new InvalidOperationException(later);
        _scene.Add(entry);
        IntegrityEntry read = Followed(_scene.Tail(Bank), Bank).Openings[^1].Entry;
        Assert.Equal(("gpu-slice-attached", (IntegrityKind?)null), (read.KindName, read.Kind));
        Assert.Equal(later, Encoding.UTF8.GetString(read.Write()));
    }

    [Fact]
    public void A_hundred_thousand_entries_cost_less_than_a_second_and_64_MiB()
    {
        byte[] commitments = RandomNumberGenerator.GetBytes(100_000 * Digest32.Length);
        IntegrityTail long_ = new(null, commitments, []);
        IntegrityHead head = IntegrityHead.Empty;
        for (int place = 0; place < long_.Count; place++)
        {
            head = head.Extend(long_.Commitment(place));
        }

        byte[] shown = long_.Write();
        // The quickest of some: on a machine with much else to do, one run says little about what it costs.
        double seconds = Enumerable.Range(0, 5).Min(run =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Stopwatch watch = Stopwatch.StartNew();
            IntegrityTail? read = IntegrityTail.Read(shown, out _);
            Assert.NotNull(read);
            Assert.IsType<IntegrityReading.Followed>(IntegrityReading.Judge(read, Guid.Empty, head, new(null, null)));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 << 20);
            return watch.Elapsed.TotalSeconds;
        });
        Assert.InRange(seconds, 0, 1);
        commitments[1_600_000] ^= 1;
        Assert.IsType<IntegrityReading.Refused>(IntegrityReading.Judge(
            long_, Guid.Empty, head, new(null, null)));
    }

    private IntegrityReading.Followed Followed(IntegrityTail tail, PartyId? reader, IntegrityPosition? known = null) =>
        Assert.IsType<IntegrityReading.Followed>(
            IntegrityReading.Judge(tail, IntegrityScene.Boot, _scene.Head, new(reader, known)));

    private void Refused(
        IntegrityRefusalCode code, IntegrityTail tail, PartyId? reader, IntegrityPosition? known = null) =>
        Assert.Equal(code, Assert.IsType<IntegrityReading.Refused>(
            IntegrityReading.Judge(tail, IntegrityScene.Boot, _scene.Head, new(reader, known))).Code);
}
