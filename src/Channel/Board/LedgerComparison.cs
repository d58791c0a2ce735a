using System.Collections.Immutable;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Channel.Board;

/// <summary>
/// Compares two checkpoints of one log that different parties hold. This is what exposes a log that shows different
/// histories to different readers, or an old one to a reader who has forgotten: neither reader can notice alone.
/// </summary>
public static class LedgerComparison
{
    /// <summary>Compares; where the sizes differ, a proof is asked of the board.</summary>
    /// <param name="one">A checkpoint.</param>
    /// <param name="other">A checkpoint that somebody else holds.</param>
    /// <param name="board">Whom to ask for a proof. It need not be honest: a proof is checked.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<LedgerComparisonVerdict> Compare(
        VerifiedCheckpoint one, VerifiedCheckpoint other, IBoard board, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(board);
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        var (older, newer) = one.Size <= other.Size ? (one, other) : (other, one);
        ConsistencyProof? proof = null;
        if (older.Size > 0 && older.Size < newer.Size)
        {
            try
            {
                proof = Read(older.Size, newer.Size, await board.Consistency(older.Size, newer.Size, cancel));
            }
            catch (BoardException)
            {
                // A log that cannot prove that it is one log is treated as one that is not.
            }
        }

        return CheckpointHistory.Consider(older, newer, proof) switch
        {
            HistoryVerdict.Same => new LedgerComparisonVerdict.Same(),
            HistoryVerdict.Advanced => new LedgerComparisonVerdict.Behind(older, newer),
            HistoryVerdict.Refused { Reason: HistoryRefusal.Fork } fork =>
                new LedgerComparisonVerdict.Forked(older, newer, IsProved: true, fork.Sentence),
            HistoryVerdict.Refused refused =>
                new LedgerComparisonVerdict.Forked(older, newer, IsProved: false, refused.Sentence),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private static ConsistencyProof? Read(long first, long second, ProofHashes hashes)
    {
        var path = ImmutableArray.CreateBuilder<Digest32>();
        foreach (var text in hashes.Hashes.Take(LedgerLimits.ProofHashes))
        {
            if (!Digest32.TryParseBase64(text, out var hash))
            {
                return null;
            }

            path.Add(hash);
        }

        return new ConsistencyProof(first, second, path.ToImmutable());
    }
}

/// <summary>What a comparison shows.</summary>
public abstract record LedgerComparisonVerdict
{
    private LedgerComparisonVerdict()
    {
    }

    /// <summary>Both hold the same state of one log.</summary>
    public sealed record Same : LedgerComparisonVerdict;

    /// <summary>One log; who holds the older checkpoint is behind, or was shown an old state.</summary>
    public sealed record Behind(VerifiedCheckpoint Older, VerifiedCheckpoint Newer) : LedgerComparisonVerdict;

    /// <summary>Not one log.</summary>
    /// <param name="Older">The smaller checkpoint.</param>
    /// <param name="Newer">The larger one.</param>
    /// <param name="IsProved">
    /// True if the two notes alone convict the log (two roots at one size); false if no consistency proof was given.
    /// </param>
    /// <param name="Sentence">What was found.</param>
    public sealed record Forked(VerifiedCheckpoint Older, VerifiedCheckpoint Newer, bool IsProved, string Sentence)
        : LedgerComparisonVerdict;
}
