using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Ledger.Receipts;

/// <summary>One entry of a stored log.</summary>
/// <param name="Salt">The leaf's salt, 32 bytes if it is undamaged.</param>
/// <param name="Envelope">The envelope's bytes.</param>
public sealed record LedgerEntry(ReadOnlyMemory<byte> Salt, ReadOnlyMemory<byte> Envelope);

/// <summary>
/// Checks a stored log, offline, against a checkpoint: every entry is hashed again, and nothing stored is believed.
/// A log does this over the bytes it stores before it signs a root over them.
/// </summary>
/// <remarks>
/// The root says whether the entries are right. Which entry is wrong cannot be told from entries and root alone; the
/// stored hashes of the tree tell it, each believed only where it hashes, with its sibling, to a hash already
/// believed, from the checkpoint's root downwards. Where they do not, only the first index that nothing vouches for
/// can be named, and the verdict says so.
/// </remarks>
public static class LedgerAudit
{
    /// <summary>Checks the entries, and the stored hashes if they are given.</summary>
    /// <param name="entries">All entries in their order.</param>
    /// <param name="checkpoint">A checkpoint of the log, held apart from the store.</param>
    /// <param name="nodes">The stored hashes, to find the damaged entry by; null if none are stored.</param>
    public static AuditVerdict Check(
        IReadOnlyList<LedgerEntry> entries, VerifiedCheckpoint checkpoint, INodeReader? nodes = null)
    {
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var rehashed = new NodeTable();
        var unsalted = -1L;
        for (var i = 0; i < entries.Count && i < checkpoint.Size; i++)
        {
            if (entries[i].Salt.Length != LedgerLimits.SaltBytes)
            {
                unsalted = i;
                break;
            }

            rehashed.Append(LeafCommitment.LeafHash(entries[i].Salt.Span, entries[i].Envelope.Span));
        }

        if (rehashed.Size == checkpoint.Size && rehashed.Root == checkpoint.Root)
        {
            return entries.Count > checkpoint.Size
                ? new AuditVerdict.Damaged(AuditFinding.ExtraEntry, checkpoint.Size, isExact: true)
                : CheckNodes(rehashed, nodes);
        }

        var search = new Search(rehashed, nodes, checkpoint.Size);
        var (index, isExact) = search.FirstDifference(checkpoint.Root);
        return new AuditVerdict.Damaged(
            unsalted != index && index >= entries.Count ? AuditFinding.MissingEntry : AuditFinding.WrongEntry,
            index,
            isExact);
    }

    private static AuditVerdict CheckNodes(NodeTable rehashed, INodeReader? nodes)
    {
        if (nodes is null)
        {
            return new AuditVerdict.Sound(rehashed.Size);
        }

        for (var level = 0; rehashed.Size >> level > 0; level++)
        {
            for (var index = 0L; index < rehashed.Size >> level; index++)
            {
                var address = new NodeAddress(level, index);
                if (nodes.Find(address) != rehashed.Find(address))
                {
                    return new AuditVerdict.Damaged(AuditFinding.WrongNode, index << level, isExact: true);
                }
            }
        }

        return new AuditVerdict.Sound(rehashed.Size);
    }

    /// <summary>Follows the first difference between believed hashes and those made from the entries.</summary>
    private sealed class Search(NodeTable rehashed, INodeReader? nodes, long size)
    {
        public (long Index, bool IsExact) FirstDifference(Digest32 root)
        {
            var (begin, end, believed) = (0L, size, root);
            while (end - begin > 1)
            {
                var split = begin + MerkleTree.SplitPoint(end - begin);
                var (left, right) = (Stored(begin, split), Stored(split, end));
                if (left is null || right is null || MerkleTree.NodeHash(left, right) != believed)
                {
                    return (begin, false);
                }

                if (Rehashed(begin, split) != left)
                {
                    (end, believed) = (split, left);
                }
                else
                {
                    (begin, believed) = (split, right);
                }
            }

            return (begin, true);
        }

        private Digest32? Stored(long begin, long end) => nodes is null ? null : Hash(begin, end, nodes);

        private Digest32? Rehashed(long begin, long end) => Hash(begin, end, rehashed);

        private static Digest32? Hash(long begin, long end, INodeReader source)
        {
            var count = end - begin;
            if (long.IsPow2(count))
            {
                var level = System.Numerics.BitOperations.Log2((ulong)count);
                return source.Find(new NodeAddress(level, begin >> level));
            }

            var split = begin + MerkleTree.SplitPoint(count);
            return Hash(begin, split, source) is { } left && Hash(split, end, source) is { } right
                ? MerkleTree.NodeHash(left, right)
                : null;
        }
    }
}

/// <summary>What is wrong with a stored log. Closed.</summary>
public enum AuditFinding
{
    /// <summary>The entry at the index is not the one the log committed to.</summary>
    WrongEntry = 1,

    /// <summary>The log committed to an entry at the index, and there is none.</summary>
    MissingEntry,

    /// <summary>All entries are right, and one more follows that the checkpoint does not cover.</summary>
    ExtraEntry,

    /// <summary>All entries are right, and a stored hash is wrong that covers leaves from the index on.</summary>
    WrongNode,
}

/// <summary>What <see cref="LedgerAudit"/> finds: <see cref="Sound"/> or <see cref="Damaged"/>.</summary>
public abstract class AuditVerdict
{
    private AuditVerdict()
    {
    }

    /// <summary>The entries are the ones the checkpoint commits to.</summary>
    public sealed class Sound : AuditVerdict
    {
        internal Sound(long size) => Size = size;

        /// <summary>The number of entries.</summary>
        public long Size { get; }
    }

    /// <summary>They are not.</summary>
    public sealed class Damaged : AuditVerdict
    {
        internal Damaged(AuditFinding finding, long firstBadIndex, bool isExact)
        {
            Finding = finding;
            FirstBadIndex = firstBadIndex;
            IsExact = isExact;
        }

        /// <summary>What is wrong.</summary>
        public AuditFinding Finding { get; }

        /// <summary>
        /// The first index that is wrong; if not <see cref="IsExact"/>, the first that nothing vouches for, and no
        /// index before it is wrong.
        /// </summary>
        public long FirstBadIndex { get; }

        /// <summary>True if the entry at the index is proved wrong.</summary>
        public bool IsExact { get; }

        /// <summary>The finding, for people.</summary>
        public string Sentence => Words + (IsExact ? "." : " or a later one; the stored hashes do not tell which.");

        private string Words => Finding switch
        {
            AuditFinding.WrongEntry => $"Entry {FirstBadIndex} is not the one the log committed to",
            AuditFinding.MissingEntry => $"Entry {FirstBadIndex} is missing",
            AuditFinding.ExtraEntry => $"Entry {FirstBadIndex} is beyond the checkpoint",
            AuditFinding.WrongNode => $"A stored hash that covers entry {FirstBadIndex} is wrong",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }
}
