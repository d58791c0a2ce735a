using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Checkpoints;

/// <summary>A log that shows two histories, or an older one: hostile cases P02 and L02.</summary>
public sealed class HistoryTests
{
    [Fact]
    public void Follows_a_log_that_grows()
    {
        var log = new LogUnderTest();
        var held = log.Head();
        for (var i = 0; i < 20; i++)
        {
            log.Append($"entry {i}");
            var next = log.Head();
            var proof = ConsistencyProof.Make(held.Size, next.Size, log.Nodes);
            held = Assert.IsType<HistoryVerdict.Advanced>(CheckpointHistory.Consider(held, next, proof)).Newest;
        }

        Assert.Equal(20, held.Size);
        Assert.IsType<HistoryVerdict.Same>(CheckpointHistory.Consider(held, log.Head()));
    }

    [Fact]
    public void Exposes_a_log_that_forked()
    {
        var (honest, forked) = (Grow(8, "v9"), Grow(8, "v9 for others"));
        MustRefuse(CheckpointHistory.Consider(honest.Head(), forked.Head()), HistoryRefusal.Fork);

        // Further growth on the other branch cannot be proved to contain what was seen.
        forked.Append("v10", "v11");
        var proof = ConsistencyProof.Make(9, 11, forked.Nodes);
        MustRefuse(CheckpointHistory.Consider(honest.Head(), forked.Head(), proof), HistoryRefusal.BadProof);
        var seen = honest.Head();
        honest.Append("v10", "v11");
        MustRefuse(CheckpointHistory.Consider(seen, forked.Head(), Proof(honest, 9, 11)), HistoryRefusal.BadProof);
        Assert.IsType<HistoryVerdict.Advanced>(CheckpointHistory.Consider(seen, honest.Head(), Proof(honest, 9, 11)));
    }

    [Fact]
    public void Refuses_a_rewritten_tail_signed_again()
    {
        var log = Grow(12, "tail");
        var held = log.Head();
        var rewritten = new LogUnderTest(log.Signer);
        foreach (var entry in log.Entries.Take(10))
        {
            rewritten.Append(entry.Envelope.ToArray());
        }

        rewritten.Append("other", "tail", "and", "more");
        for (var size = 1; size < rewritten.Nodes.Size; size++)
        {
            var proof = Proof(rewritten, size, rewritten.Nodes.Size);
            MustRefuse(CheckpointHistory.Consider(held, rewritten.Head(), proof), HistoryRefusal.BadProof);
        }
    }

    [Fact]
    public void Refuses_a_smaller_log_and_another_log_and_no_proof()
    {
        var log = Grow(3, "one");
        var early = log.Head();
        log.Append("two", "three");
        MustRefuse(
            CheckpointHistory.Consider(log.Head(), early, Proof(log, 4, 6)), HistoryRefusal.Shrunk);
        MustRefuse(CheckpointHistory.Consider(early, log.Head()), HistoryRefusal.BadProof);
        MustRefuse(CheckpointHistory.Consider(early, log.Head(), Proof(log, 3, 6)), HistoryRefusal.BadProof);

        var key = NoteKey.Of("log.example/other", log.Signer.PublicKey);
        var note = new Checkpoint("log.example/other", 6, log.Nodes.Root).Sign(key, log.Signer);
        var other = Assert.IsType<CheckpointVerdict.Opened>(Checkpoint.Open(note, key, "log.example/other"));
        MustRefuse(
            CheckpointHistory.Consider(early, other.Checkpoint, Proof(log, 4, 6)), HistoryRefusal.OtherLog);
        Assert.IsType<HistoryVerdict.Advanced>(CheckpointHistory.Consider(early, log.Head(), Proof(log, 4, 6)));
    }

    [Fact]
    public void Counts_a_witness_once_and_only_over_this_checkpoint()
    {
        var log = Grow(3, "one");
        var (first, second, stranger) = (Signatory.NewKey(), Signatory.NewKey(), Signatory.NewKey());
        var (one, two) = (Witness("w1.example/w", first), Witness("w2.example/w", second));
        var alias = Witness("w3.example/w", first);

        var note = log.Head();
        note = log.Open(CosignatureV1.Add(note, one, first, 1_679_315_147));
        note = log.Open(CosignatureV1.Add(note, one, first, 1_679_315_148));
        note = log.Open(CosignatureV1.Add(note, alias, first, 1_679_315_149));
        note = log.Open(CosignatureV1.Add(note, Witness("w2.example/w", stranger), stranger, 1));
        Assert.Equal(5, note.Note.Signatures.Length);

        var found = CosignatureV1.Find(note, [one, one, alias, two]);
        Assert.Equal(1_679_315_148, Assert.Single(found).Time);
        note = log.Open(CosignatureV1.Add(note, two, second, 7));
        Assert.Equal(2, CosignatureV1.Find(note, [one, alias, two]).Length);

        // The same lines under another checkpoint say nothing.
        log.Append("next");
        var moved = SignedNote.Compose(
            log.Head().Note.Text, [.. log.Head().Note.Signatures, .. note.Note.Signatures[1..]]);
        var bare = CheckpointWithValidLine(log, moved);
        Assert.Empty(CosignatureV1.Find(bare, [one, alias, two]));
        Assert.Empty(CosignatureV1.Find(note, [Witness("w9.example/w", second)]));
        Assert.Empty(CosignatureV1.Find(note, [NoteKey.Of("w2.example/w", second.PublicKey)]));
    }

    private static VerifiedCheckpoint CheckpointWithValidLine(LogUnderTest log, byte[] note)
    {
        var signed = Assert.IsType<NoteReading.Read>(SignedNote.Parse(note)).Note;
        var fresh = Assert.IsType<NoteReading.Read>(SignedNote.Parse(log.Note())).Note;
        return log.Open(SignedNote.Compose(fresh.Text, [fresh.Signatures[0], .. signed.Signatures[1..]]));
    }

    private static NoteKey Witness(string name, EcdsaSigner signer) =>
        NoteKey.Of(name, signer.PublicKey, NoteKeyUse.Cosignature);

    private static LogUnderTest Grow(int count, string last)
    {
        var log = new LogUnderTest(Shared.Value);
        for (var i = 0; i < count; i++)
        {
            log.Append($"v{i + 1}");
        }

        return log.Append(last);
    }

    private static readonly Lazy<EcdsaSigner> Shared = new(Signatory.NewKey);

    private static ConsistencyProof Proof(LogUnderTest log, long from, long to) =>
        ConsistencyProof.Make(from, to, log.Nodes);

    private static void MustRefuse(HistoryVerdict verdict, HistoryRefusal reason) =>
        Assert.Equal(reason, Assert.IsType<HistoryVerdict.Refused>(verdict).Reason);
}
