using System.Collections.Immutable;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Board;

/// <summary>What a <see cref="BoardFollower"/> tells.</summary>
public abstract class BoardEvent
{
    private BoardEvent()
    {
    }

    /// <summary>
    /// The log has grown to a checkpoint, and every leaf up to it was hashed into its root. Also told once when a
    /// follower has caught up with a board that has nothing new.
    /// </summary>
    public sealed class Advanced : BoardEvent
    {
        internal Advanced(VerifiedCheckpoint checkpoint, StatementBook book, AdvanceDetails details)
        {
            Checkpoint = checkpoint;
            Book = book;
            Added = details.Added;
            RefusedEntries = details.Refused;
            Unopened = details.Unopened;
            IsAnew = details.IsAnew;
        }

        /// <summary>
        /// Whether it tells of the log from its beginning: the first time, and when the board opened more of it.
        /// </summary>
        public bool IsAnew { get; }

        /// <summary>The checkpoint.</summary>
        public VerifiedCheckpoint Checkpoint { get; }

        /// <summary>Everything that is verified up to it.</summary>
        public StatementBook Book { get; }

        /// <summary>The statements that were accepted since the last event of this kind, in the log's order.</summary>
        public ImmutableArray<VerifiedStatement> Added { get; }

        /// <summary>Entries since then that were opened and refused. They change nothing.</summary>
        public ImmutableArray<RefusedEntry> RefusedEntries { get; }

        /// <summary>
        /// Indices since then that the board did not open to this reader: not meant for it, or withheld. For a host,
        /// which may read all, each of these is a thing to report.
        /// </summary>
        public ImmutableArray<long> Unopened { get; }
    }

    /// <summary>The Master's suggestions, whole. They decide nothing.</summary>
    public sealed class PlacementsChanged : BoardEvent
    {
        internal PlacementsChanged(ImmutableArray<PlacementRow> placements) => Placements = placements;

        /// <summary>All of them, unverified.</summary>
        public ImmutableArray<PlacementRow> Placements { get; }
    }

    /// <summary>The board is there and has nothing new.</summary>
    public sealed class Alive : BoardEvent
    {
        internal Alive()
        {
        }
    }

    /// <summary>The board cannot be asked, or fell silent. What was verified stays so; it only gets older.</summary>
    public sealed class Silent : BoardEvent
    {
        internal Silent(string sentence) => Sentence = sentence;

        /// <summary>Why, for people.</summary>
        public string Sentence { get; }
    }

    /// <summary>
    /// The board showed something that an honest log cannot show. Nothing of it was taken; what was verified before
    /// stays. The follower asks again, and tells again if it is shown the same.
    /// </summary>
    public sealed class Refused : BoardEvent
    {
        internal Refused(FollowerRefusal reason, string sentence, VerifiedCheckpoint? held, VerifiedCheckpoint? shown)
        {
            Reason = reason;
            Sentence = sentence;
            Held = held;
            Shown = shown;
        }

        /// <summary>Why.</summary>
        public FollowerRefusal Reason { get; }

        /// <summary>Why, for people.</summary>
        public string Sentence { get; }

        /// <summary>The newest checkpoint held, or null if there is none.</summary>
        public VerifiedCheckpoint? Held { get; }

        /// <summary>
        /// The checkpoint that was shown, if the log signed it: together with <see cref="Held"/> the proof for others.
        /// </summary>
        public VerifiedCheckpoint? Shown { get; }
    }
}

/// <summary>An entry that was opened and is no acceptable statement.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Reason">Why.</param>
/// <param name="Sentence">Why, for people.</param>
public sealed record RefusedEntry(long Index, StatementRefusal Reason, string Sentence);

/// <summary>The parts of an advance besides the checkpoint and the book.</summary>
internal sealed record AdvanceDetails(
    ImmutableArray<VerifiedStatement> Added, ImmutableArray<RefusedEntry> Refused, ImmutableArray<long> Unopened)
{
    public required bool IsAnew { get; init; }
}

/// <summary>Why a follower does not take what a board shows. Closed.</summary>
public enum FollowerRefusal
{
    /// <summary>The checkpoint is not a note that the log's key signed.</summary>
    BadCheckpoint = 1,

    /// <summary>The log is smaller than it was seen to be.</summary>
    Rollback,

    /// <summary>The log signed another root for leaves that were already seen.</summary>
    Fork,

    /// <summary>The leaves that were sent do not hash to the root that is signed.</summary>
    WrongRoot,

    /// <summary>Leaves came out of order, or a checkpoint does not cover what was sent.</summary>
    OutOfOrder,

    /// <summary>A salt and an envelope do not open the commitment of their leaf.</summary>
    WrongOpening,

    /// <summary>A revision that was accepted before is not shown any more.</summary>
    Withheld,

    /// <summary>Another statement stands where one was accepted before.</summary>
    Replaced,

    /// <summary>More leaves came without a checkpoint than a follower holds.</summary>
    Flood,

    /// <summary>What was kept over the restart cannot be read.</summary>
    BadMemory,
}
