using System.Collections.Immutable;
using System.Text;
using Bailiwick.Channel.Principals;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Receipts;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master.Reading;
using Bailiwick.Master.Store;

namespace Bailiwick.Master.Log;

/// <summary>Who signs the log and whose board it is.</summary>
/// <param name="Name">The log's key under the log's name.</param>
/// <param name="Signer">The same key's private part.</param>
/// <param name="Datacentre">The operator.</param>
public sealed record LogIdentity(NoteKey Name, ISigner Signer, PartyId Datacentre);

/// <summary>
/// The log in memory: all entries, all hashes, and the present state. Readers see only what is durable. Only
/// <see cref="BoardWriter"/> changes it.
/// </summary>
public sealed class BoardLog
{
    private readonly Lock _gate = new();
    private readonly List<LogEntry> _entries;
    private readonly Dictionary<Digest32, LogEntry> _byStatement;
    private readonly NodeTable _nodes;
    private readonly LentReading _lent = new();
    private TaskCompletionSource _changed = NewSignal();

    private BoardLog(
        LogIdentity identity, List<LogEntry> entries, NodeTable nodes, BoardState state,
        ImmutableArray<StoredPlace> places)
    {
        PlacesAtStart = places;
        Identity = identity;
        _entries = entries;
        _byStatement = entries.ToDictionary(entry => entry.Statement.Digest);
        _nodes = nodes;
        State = state;
        foreach (var entry in entries)
        {
            _lent.Take(entry.Index, entry.Statement);
        }
    }

    /// <summary>Who signs it.</summary>
    public LogIdentity Identity { get; }

    /// <summary>Where machines were suggested when the store was last written before this start.</summary>
    public ImmutableArray<StoredPlace> PlacesAtStart { get; }

    /// <summary>The present state.</summary>
    public BoardState State { get; private set; }

    /// <summary>
    /// Reads the store and believes none of it: every entry is hashed again into the signed root, every stored hash is
    /// compared, every statement judged again. An empty store gets its first checkpoint.
    /// </summary>
    /// <exception cref="StoreDamagedException">Anything of it is not as the log committed to.</exception>
    public static BoardLog Open(BoardStore store, LogIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(store);
        var stored = store.Load();
        var note = stored.Note ?? SignEmpty(store, stored, identity);
        if (Checkpoint.Open(note, identity.Name, identity.Name.Name) is not CheckpointVerdict.Opened opened)
        {
            throw new StoreDamagedException(
                null, "The stored checkpoint is not signed by this log's key under this origin.");
        }

        Audit(stored, opened.Checkpoint);
        var book = StatementBook.Empty;
        var nodes = new NodeTable();
        var entries = new List<LogEntry>(stored.Entries.Length);
        foreach (var entry in stored.Entries)
        {
            if (book.Consider(entry.Envelope) is not StatementVerdict.Accepted accepted)
            {
                throw new StoreDamagedException(
                    entries.Count, $"Entry {entries.Count} is no statement that could be accepted in its place.");
            }

            book = accepted.Next;
            var commitment = LeafCommitment.Of(entry.Salt.Span, entry.Envelope.Span);
            nodes.Append(MerkleTree.LeafHash(commitment.Bytes));
            entries.Add(new LogEntry(entries.Count, [.. entry.Salt.Span], commitment, accepted.Statement));
        }

        var orders = stored.Orders.GroupBy(order => (order.Kind, order.Subject))
            .ToImmutableDictionary(same => same.Key, same => same.Last());
        return new BoardLog(identity, entries, nodes, new BoardState(
            opened.Checkpoint, Encoding.UTF8.GetString(note), book,
            PrincipalRegister.Of(book, identity.Datacentre), orders), stored.Places);
    }

    /// <summary>Completes when the state is replaced; ask for it before reading the state.</summary>
    public Task Changed
    {
        get
        {
            lock (_gate)
            {
                return _changed.Task;
            }
        }
    }

    /// <summary>Entries from an index on, up to but excluding another.</summary>
    public ImmutableArray<LogEntry> Range(long from, long to)
    {
        lock (_gate)
        {
            return [.. _entries.GetRange((int)from, (int)(to - from))];
        }
    }

    /// <summary>Whether a caller may read a statement.</summary>
    public bool MayRead(Principal caller, VerifiedStatement statement)
    {
        lock (_gate)
        {
            return ReadingRule.MayRead(caller, statement)
                || (ReadingRule.TenantOf(caller) is { } tenant && _lent.MayRead(tenant, statement));
        }
    }

    /// <summary>Whether entries from an index up to another open to a caller what came before them.</summary>
    public bool Opens(Principal caller, long from, long to)
    {
        lock (_gate)
        {
            return ReadingRule.TenantOf(caller) is { } tenant && _lent.Opens(tenant, from, to);
        }
    }

    /// <summary>Whether the log holds a statement.</summary>
    public bool Holds(Digest32 statement)
    {
        lock (_gate)
        {
            return _byStatement.ContainsKey(statement);
        }
    }

    /// <summary>The entry of a statement.</summary>
    /// <exception cref="KeyNotFoundException">The log does not hold it.</exception>
    public LogEntry EntryOf(Digest32 statement)
    {
        lock (_gate)
        {
            return _byStatement[statement];
        }
    }

    /// <summary>The proof that an entry is in the tree of a size that the log has had.</summary>
    public InclusionProof Inclusion(long index, long size)
    {
        lock (_gate)
        {
            return InclusionProof.Make(index, size, _nodes);
        }
    }

    /// <summary>The proof that the log of one size begins the log of another.</summary>
    public ConsistencyProof Consistency(long first, long second)
    {
        lock (_gate)
        {
            return ConsistencyProof.Make(first, second, _nodes);
        }
    }

    /// <summary>Puts up what has become durable.</summary>
    internal void Advance(IReadOnlyCollection<LogEntry> added, BoardState state)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            foreach (var entry in added)
            {
                _byStatement.Add(entry.Statement.Digest, entry);
                _nodes.Append(MerkleTree.LeafHash(entry.Commitment.Bytes));
                _entries.Add(entry);
                _lent.Take(entry.Index, entry.Statement);
            }

            State = state;
            (changed, _changed) = (_changed, NewSignal());
        }

        changed.SetResult();
    }

    /// <summary>The range from which the writer goes on.</summary>
    internal CompactRange Resume()
    {
        lock (_gate)
        {
            return CompactRange.Resume(_nodes.Size, _nodes);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static byte[] SignEmpty(BoardStore store, StoredBoard stored, LogIdentity identity)
    {
        if (stored.Entries.Length > 0 || stored.NodeCount > 0)
        {
            throw new StoreDamagedException(0, "There are entries, and the checkpoint that covers entry 0 is missing.");
        }

        var note = new Checkpoint(identity.Name.Name, 0, MerkleTree.EmptyRoot).Sign(identity.Name, identity.Signer);
        using var batch = store.Begin();
        batch.SetNote(note);
        batch.Commit();
        return note;
    }

    private static void Audit(StoredBoard stored, VerifiedCheckpoint checkpoint)
    {
        if (LedgerAudit.Check(stored.Entries, checkpoint, stored.Nodes) is AuditVerdict.Damaged damaged)
        {
            throw new StoreDamagedException(damaged.FirstBadIndex, damaged.Sentence);
        }

        var expected = 0L;
        for (var level = 0; checkpoint.Size >> level > 0; level++)
        {
            expected += checkpoint.Size >> level;
        }

        if (stored.NodeCount != expected)
        {
            throw new StoreDamagedException(
                checkpoint.Size, $"There are {stored.NodeCount} hashes for {checkpoint.Size} entries, not {expected}.");
        }
    }
}
