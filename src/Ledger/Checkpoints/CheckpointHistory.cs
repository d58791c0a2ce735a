using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Ledger.Checkpoints;

/// <summary>
/// Holds a log to one history: whoever keeps the newest checkpoint it saw and asks this before it takes another can
/// be shown a log that grows and nothing else (RFC 9162 section 8.1.2).
/// </summary>
public static class CheckpointHistory
{
    /// <summary>Judges a checkpoint against the newest one held.</summary>
    /// <param name="held">The newest checkpoint held.</param>
    /// <param name="next">The checkpoint that came.</param>
    /// <param name="proof">
    /// The consistency proof from the one to the other; null where there is nothing to prove, between equal sizes and
    /// from the empty log.
    /// </param>
    public static HistoryVerdict Consider(
        VerifiedCheckpoint held, VerifiedCheckpoint next, ConsistencyProof? proof = null)
    {
        ArgumentNullException.ThrowIfNull(held);
        ArgumentNullException.ThrowIfNull(next);
        if (!string.Equals(held.Origin, next.Origin, StringComparison.Ordinal))
        {
            return Refuse(HistoryRefusal.OtherLog, $"{next} is of another log than {held}.");
        }

        if (next.Size < held.Size)
        {
            return Refuse(HistoryRefusal.Shrunk, $"{next} is smaller than what was seen: {held}.");
        }

        if (next.Size == held.Size)
        {
            return next.Root == held.Root
                ? new HistoryVerdict.Same(held)
                : Refuse(HistoryRefusal.Fork, $"The log signed two roots of {held}: {held.Root} and {next.Root}.");
        }

        if (held.Size == 0)
        {
            return new HistoryVerdict.Advanced(next);
        }

        var proved = proof is not null && proof.OldSize == held.Size && proof.NewSize == next.Size
            && proof.Proves(held.Root, next.Root);
        return proved
            ? new HistoryVerdict.Advanced(next)
            : Refuse(
                HistoryRefusal.BadProof,
                $"No proof shows that {next} contains {held}; ask again, and if none comes the log has forked.");
    }

    private static HistoryVerdict.Refused Refuse(HistoryRefusal reason, string sentence) => new(reason, sentence);
}

/// <summary>Why a checkpoint does not follow the one held. Closed.</summary>
public enum HistoryRefusal
{
    /// <summary>It is of another log.</summary>
    OtherLog = 1,

    /// <summary>It has fewer leaves than the one held.</summary>
    Shrunk,

    /// <summary>It has the same number of leaves and another root: both notes together convict the log.</summary>
    Fork,

    /// <summary>The consistency proof is missing, of other sizes, or does not hold.</summary>
    BadProof,
}

/// <summary>
/// What <see cref="CheckpointHistory"/> makes of a checkpoint: <see cref="Advanced"/>, <see cref="Same"/> or
/// <see cref="Refused"/>.
/// </summary>
public abstract class HistoryVerdict
{
    private HistoryVerdict()
    {
    }

    /// <summary>The log has grown.</summary>
    public sealed class Advanced : HistoryVerdict
    {
        internal Advanced(VerifiedCheckpoint newest) => Newest = newest;

        /// <summary>The checkpoint to hold from now on.</summary>
        public VerifiedCheckpoint Newest { get; }
    }

    /// <summary>The log has not changed.</summary>
    public sealed class Same : HistoryVerdict
    {
        internal Same(VerifiedCheckpoint newest) => Newest = newest;

        /// <summary>The checkpoint as held.</summary>
        public VerifiedCheckpoint Newest { get; }
    }

    /// <summary>Keep the checkpoint held, and show both to whoever watches the log.</summary>
    public sealed class Refused : HistoryVerdict
    {
        internal Refused(HistoryRefusal reason, string sentence)
        {
            Reason = reason;
            Sentence = sentence;
        }

        /// <summary>Why.</summary>
        public HistoryRefusal Reason { get; }

        /// <summary>Why, for people.</summary>
        public string Sentence { get; }
    }
}
