using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Board;

/// <summary>
/// The verified part of one log and the leaves that wait for a checkpoint. Leaves are hashed into the tree as they
/// come; they count only once a signed root covers exactly them, and then the root proves each of them and, because the
/// tree was only ever appended to, that the log still begins as it did.
/// </summary>
internal sealed class FollowedLog
{
    /// <summary>Most leaves that wait for a checkpoint.</summary>
    public const int MaxPending = 1_000_000;

    /// <summary>Most bytes of envelopes that wait for a checkpoint.</summary>
    public const long MaxPendingBytes = 256L * 1024 * 1024;

    private readonly NoteKey _log;
    private readonly IBoardMemory _memory;
    private readonly Dictionary<string, SubjectMark> _marks = new(StringComparer.Ordinal);
    private readonly List<Pending> _pending = [];
    private long _pendingBytes;
    private VerifiedCheckpoint? _remembered;
    private CompactRange _range = CompactRange.Empty;
    private CompactRange _ahead = CompactRange.Empty;
    private StatementBook _book = StatementBook.Empty;
    private VerifiedCheckpoint? _newest;

    public FollowedLog(NoteKey log, IBoardMemory memory)
    {
        _log = log;
        _memory = memory;
    }

    /// <summary>The number of leaves that are verified.</summary>
    public long Size => _range.Size;

    /// <summary>The newest checkpoint known, from before a restart or since.</summary>
    public VerifiedCheckpoint? Held => _newest ?? _remembered;

    /// <summary>Reads what was kept over a restart; a refusal if it is not what this log signed.</summary>
    public BoardEvent.Refused? Recall()
    {
        if (_memory.Load() is not { } kept)
        {
            return null;
        }

        if (Checkpoint.Open(kept.Note.AsSpan(), _log, _log.Name) is not CheckpointVerdict.Opened opened)
        {
            return Refuse(
                FollowerRefusal.BadMemory, "The checkpoint that was kept is not signed by this log; find out why.");
        }

        _remembered = opened.Checkpoint;
        foreach (var mark in kept.Marks)
        {
            _marks[mark.Subject] = mark;
        }

        return null;
    }

    /// <summary>Judges the checkpoint that a board offers before anything is read from it.</summary>
    public BoardEvent.Refused? Greet(string note) => Open(note, out var shown) ?? CompareToHeld(shown);

    /// <summary>Forgets the leaves that wait, as after a connection that broke off.</summary>
    public void DropPending()
    {
        _pending.Clear();
        _pendingBytes = 0;
        _ahead = _range;
    }

    /// <summary>
    /// Begins with the first leaf again, as after a restart: the newest checkpoint and the marks of what was seen stay,
    /// so nothing else can be shown in its place and nothing of it withheld.
    /// </summary>
    public BoardEvent? Reread()
    {
        (_remembered, _newest) = (_newest ?? _remembered, null);
        (_range, _book) = (CompactRange.Empty, StatementBook.Empty);
        DropPending();
        return null;
    }

    /// <summary>Takes the next leaf.</summary>
    public BoardEvent.Refused? Take(WatchEvent.Entry entry)
    {
        if (entry.Index != _ahead.Size)
        {
            return Refuse(FollowerRefusal.OutOfOrder, $"Leaf {entry.Index} came where leaf {_ahead.Size} is next.");
        }

        if (_pending.Count == MaxPending || _pendingBytes > MaxPendingBytes)
        {
            return Refuse(FollowerRefusal.Flood, $"{_pending.Count} leaves came without a checkpoint.");
        }

        if (!Digest32.TryParseBase64(entry.Commitment, out var commitment))
        {
            return Refuse(FollowerRefusal.OutOfOrder, $"Leaf {entry.Index} has no commitment of 32 bytes.");
        }

        byte[]? envelope = null;
        if (entry.Envelope is { } opened)
        {
            envelope = Canonical(opened);
            if (envelope is null || !Salted(entry.Salt, out var salt)
                || LeafCommitment.Of(salt, envelope) != commitment)
            {
                return Refuse(
                    FollowerRefusal.WrongOpening, $"What the board shows as leaf {entry.Index} is not that leaf.");
            }
        }

        _ahead = _ahead.Append(MerkleTree.LeafHash(commitment.Bytes), out _);
        if (_remembered is { } remembered && _ahead.Size == remembered.Size && _ahead.Root() != remembered.Root)
        {
            return Refuse(
                FollowerRefusal.Fork, $"The board shows other leaves than those of {remembered}, seen before.");
        }

        _pending.Add(new Pending(entry.Index, envelope));
        _pendingBytes += envelope?.Length ?? 0;
        return null;
    }

    /// <summary>Takes a checkpoint: all that waits becomes verified, or nothing does.</summary>
    public BoardEvent Take(WatchEvent.Checkpoint checkpoint)
    {
        if (Open(checkpoint.Note, out var shown) is { } bad)
        {
            return bad;
        }

        if (CompareToHeld(shown) is { } older)
        {
            return older;
        }

        if (shown.Size != _ahead.Size)
        {
            return Refuse(
                FollowerRefusal.OutOfOrder, $"A checkpoint of {shown.Size} came after {_ahead.Size} leaves.", shown);
        }

        if (shown.Root != _ahead.Root())
        {
            return Refuse(
                FollowerRefusal.WrongRoot, $"The leaves do not hash to the root of {shown}: another log is signed.",
                shown);
        }

        return Commit(checkpoint.Note, shown);
    }

    private BoardEvent Commit(string note, VerifiedCheckpoint shown)
    {
        var book = _book;
        var added = ImmutableArray.CreateBuilder<VerifiedStatement>();
        var refused = ImmutableArray.CreateBuilder<RefusedEntry>();
        foreach (var pending in _pending)
        {
            switch (pending.Envelope is null ? null : book.Consider(pending.Envelope))
            {
                case null or StatementVerdict.Repeated:
                    break;
                case StatementVerdict.Refused no:
                    refused.Add(new RefusedEntry(pending.Index, no.Reason, no.Sentence));
                    break;
                case StatementVerdict.Accepted yes:
                    if (Replaces(yes.Statement) is { } sentence)
                    {
                        return Refuse(FollowerRefusal.Replaced, sentence, shown);
                    }

                    book = yes.Next;
                    added.Add(yes.Statement);
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        if (FirstMissing(book) is { } missing)
        {
            return Refuse(
                FollowerRefusal.Withheld,
                $"Revision {missing.Revision} of {missing.Subject} was seen before and is not shown now.", shown);
        }

        var unopened = _pending.Where(pending => pending.Envelope is null).Select(pending => pending.Index);
        var details = new AdvanceDetails(added.ToImmutable(), refused.ToImmutable(), [.. unopened])
        {
            IsAnew = _newest is null,
        };
        // Kept before it is told: what somebody acted on is never forgotten.
        var changed = NewestMarks(added);
        _memory.Save(Encoding.UTF8.GetBytes(note), changed);
        foreach (var mark in changed)
        {
            _marks[mark.Subject] = mark;
        }

        (_book, _range, _newest) = (book, _ahead, shown);
        _pending.Clear();
        _pendingBytes = 0;
        return new BoardEvent.Advanced(shown, book, details);
    }

    /// <summary>The newest mark of each subject in a run of statements, which come with rising revisions.</summary>
    private static List<SubjectMark> NewestMarks(IEnumerable<VerifiedStatement> added) =>
    [
        .. added.Select(SubjectMark.Of).GroupBy(mark => mark.Subject, StringComparer.Ordinal)
            .Select(marks => marks.Last()),
    ];

    private string? Replaces(VerifiedStatement statement)
    {
        var mark = SubjectMark.Of(statement);
        return _marks.TryGetValue(mark.Subject, out var seen) && seen.Revision == mark.Revision
            && seen.Digest != mark.Digest
                ? $"{statement} is shown as {mark.Digest}; it was seen as {seen.Digest}."
                : null;
    }

    private SubjectMark? FirstMissing(StatementBook book) => _newest is not null
        ? null
        : _marks.Values.FirstOrDefault(mark =>
            book.Find(mark.Owner, mark.Kind, mark.Name) is not { } held || held.Revision < mark.Revision);

    private BoardEvent.Refused? Open(string note, out VerifiedCheckpoint shown)
    {
        switch (Checkpoint.Open(Encoding.UTF8.GetBytes(note), _log, _log.Name))
        {
            case CheckpointVerdict.Opened opened:
                shown = opened.Checkpoint;
                return null;
            case CheckpointVerdict.Refused refused:
                // A caller goes on only when there is no refusal, so this value is never looked at.
                shown = null!;
                return Refuse(FollowerRefusal.BadCheckpoint, refused.Sentence);
            default:
                throw new UnreachableException();
        }
    }

    private BoardEvent.Refused? CompareToHeld(VerifiedCheckpoint shown) => Held switch
    {
        { } held when shown.Size < held.Size => Refuse(
            FollowerRefusal.Rollback, $"The board shows {shown}; it was seen at {held.Size} before.", shown),
        { } held when shown.Size == held.Size && shown.Root != held.Root => Refuse(
            FollowerRefusal.Fork, $"The log signed two roots at {held.Size}: {held.Root} and {shown.Root}.", shown),
        _ => null,
    };

    private BoardEvent.Refused Refuse(FollowerRefusal reason, string sentence, VerifiedCheckpoint? shown = null) =>
        new(reason, sentence, Held, shown);

    private static byte[]? Canonical(System.Text.Json.JsonElement envelope)
    {
        try
        {
            return CanonicalJson.Write(envelope);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool Salted(string? text, [NotNullWhen(true)] out byte[]? salt) =>
        StrictBase64.TryDecode(text, LedgerLimits.SaltBytes, out salt) && salt.Length == LedgerLimits.SaltBytes;

    private sealed record Pending(long Index, byte[]? Envelope);
}
