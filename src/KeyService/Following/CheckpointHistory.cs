using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Channel.Board;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.KeyService.Following;

/// <summary>
/// Whether a host's checkpoint is part of the history that this key service verified: the same checkpoint was seen, or
/// a consistency proof (RFC 9162, section 2.1.4) leads from it to the newest one. The proof comes from the board and is
/// believed only because it hashes to the verified root.
/// </summary>
public sealed class CheckpointHistory(IBoard board)
{
    private const int MostKept = 1024;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Digest32> _roots = [];
    private readonly Queue<long> _byAge = [];

    /// <summary>Remembers a verified checkpoint.</summary>
    public void Keep(long size, Digest32 root)
    {
        lock (_gate)
        {
            if (_roots.TryAdd(size, root))
            {
                _byAge.Enqueue(size);
                if (_byAge.Count > MostKept)
                {
                    _roots.Remove(_byAge.Dequeue());
                }
            }
        }
    }

    /// <summary>Judges a claimed checkpoint against the newest verified one; what is not proven is not so.</summary>
    public async Task<CheckpointStanding> Judge(
        EvidenceCheckpoint claimed, VerifiedPoint newest, CancellationToken cancel) =>
        await Find(claimed, newest, cancel) ?? CheckpointStanding.Inconsistent;

    /// <summary>As <see cref="Judge"/>, but null when the board does not answer with a proof.</summary>
    public async Task<CheckpointStanding?> Find(
        EvidenceCheckpoint claimed, VerifiedPoint newest, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(claimed);
        ArgumentNullException.ThrowIfNull(newest);
        if (claimed.Size > newest.Size)
        {
            return CheckpointStanding.Ahead;
        }

        Digest32? kept = claimed.Size == newest.Size ? newest.Root : Kept(claimed.Size);
        if (kept is not null)
        {
            return kept == claimed.Root ? CheckpointStanding.Consistent : CheckpointStanding.Inconsistent;
        }

        bool? proved = claimed.Size == 0 ? false : await IsProved(claimed, newest, cancel);
        if (proved is true)
        {
            Keep(claimed.Size, claimed.Root);
        }

        return proved is { } known ? known ? CheckpointStanding.Consistent : CheckpointStanding.Inconsistent : null;
    }

    private Digest32? Kept(long size)
    {
        lock (_gate)
        {
            return _roots.GetValueOrDefault(size);
        }
    }

    private async Task<bool?> IsProved(EvidenceCheckpoint claimed, VerifiedPoint newest, CancellationToken cancel)
    {
        try
        {
            ProofHashes proof = await board.Consistency(claimed.Size, newest.Size, cancel);
            var path = ImmutableArray.CreateBuilder<Digest32>();
            foreach (string text in proof.Hashes)
            {
                if (!Digest32.TryParseBase64(text, out var hash) || path.Count == LedgerLimits.ProofHashes)
                {
                    return false;
                }

                path.Add(hash);
            }

            return new ConsistencyProof(claimed.Size, newest.Size, path.ToImmutable())
                .Proves(claimed.Root, newest.Root);
        }
        catch (BoardException)
        {
            return null;
        }
    }
}
