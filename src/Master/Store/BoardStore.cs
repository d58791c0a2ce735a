using System.Collections.Immutable;
using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Receipts;

namespace Bailiwick.Master.Store;

/// <summary>What a caller ordered.</summary>
public enum OrderKind
{
    /// <summary>A machine's power; the value is whether it should run.</summary>
    Power = 1,

    /// <summary>A host's drain; the value is whether it should be emptied.</summary>
    Drain,
}

/// <summary>One order, as recorded.</summary>
/// <param name="Position">Its position, from 1.</param>
/// <param name="Kind">What was ordered.</param>
/// <param name="Subject">`party id/name` of the machine or host.</param>
/// <param name="Value">What it should be.</param>
/// <param name="Caller">The key that ordered it, in hex.</param>
public sealed record StoredOrder(long Position, OrderKind Kind, string Subject, bool Value, string Caller);

/// <summary>Everything a store holds; none of it believed yet.</summary>
/// <param name="Entries">The entries in the order of their indices.</param>
/// <param name="Nodes">The stored hashes of the tree.</param>
/// <param name="NodeCount">How many there are.</param>
/// <param name="Note">The newest checkpoint's note; null before the first start.</param>
/// <param name="Orders">All orders.</param>
/// <param name="Places">Where machines were suggested last: machine and host.</param>
public sealed record StoredBoard(
    ImmutableArray<LedgerEntry> Entries, INodeReader Nodes, long NodeCount, byte[]? Note,
    ImmutableArray<StoredOrder> Orders, ImmutableArray<StoredPlace> Places);

/// <summary>Where a machine was suggested to run.</summary>
/// <param name="Compartment">`tenant id/name`.</param>
/// <param name="Host">`operator id/name`.</param>
public sealed record StoredPlace(string Compartment, string Host);

/// <summary>
/// The board on disk: entries with their salts, the hashes of the tree, the newest checkpoint, and orders. A batch is
/// durable, whole, when its commit returns (SQLite, WAL, synchronous=FULL). For one thread at a time.
/// </summary>
public sealed class BoardStore : IDisposable
{
    private static readonly SqliteSchema Schema = new(
        0x42574c47,
        [
            """
            CREATE TABLE entries (
                position INTEGER PRIMARY KEY CHECK (position >= 0), salt BLOB NOT NULL, envelope BLOB NOT NULL) STRICT;
            CREATE TABLE nodes (
                level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL,
                PRIMARY KEY (level, position)) STRICT, WITHOUT ROWID;
            CREATE TABLE checkpoint (id INTEGER PRIMARY KEY CHECK (id = 1), note BLOB NOT NULL) STRICT;
            CREATE TABLE orders (
                position INTEGER PRIMARY KEY CHECK (position > 0), kind INTEGER NOT NULL, subject TEXT NOT NULL,
                value INTEGER NOT NULL CHECK (value IN (0, 1)), caller TEXT NOT NULL) STRICT;
            CREATE TABLE places (compartment TEXT PRIMARY KEY, host TEXT NOT NULL) STRICT, WITHOUT ROWID;
            """,
        ]);

    private readonly SqliteDatabase _database;

    private BoardStore(SqliteDatabase database) => _database = database;

    /// <summary>The file.</summary>
    public string Path => _database.Path;

    /// <summary>Opens the store; an empty one is made where there is none.</summary>
    /// <exception cref="Durable.DurableException">SQLite finds the file damaged, or it is not private.</exception>
    public static BoardStore Open(PrivateDirectory directory) =>
        new(SqliteDatabase.Open(directory, "board.db", Schema));

    /// <summary>Reads all of it.</summary>
    /// <exception cref="StoreDamagedException">The entries are not numbered 0, 1, 2 and so on.</exception>
    public StoredBoard Load()
    {
        var entries = ImmutableArray.CreateBuilder<LedgerEntry>();
        using (var rows = _database.Prepare("SELECT position, salt, envelope FROM entries ORDER BY position"))
        {
            while (rows.Step())
            {
                if (rows.Number(0) != entries.Count)
                {
                    throw new StoreDamagedException(entries.Count, $"Entry {entries.Count} is missing.");
                }

                entries.Add(new LedgerEntry(rows.Blob(1), rows.Blob(2)));
            }
        }

        var nodes = LoadNodes();
        using var newest = _database.Prepare("SELECT note FROM checkpoint WHERE id = 1");
        return new StoredBoard(
            entries.ToImmutable(), nodes, nodes.Count, newest.Step() ? newest.Blob(0) : null, LoadOrders(),
            LoadPlaces());
    }

    /// <summary>Begins a batch; nothing of it stays unless it is committed.</summary>
    public StoreBatch Begin() => new(_database, _database.Begin());

    /// <summary>Closes the file.</summary>
    public void Dispose() => _database.Dispose();

    private StoredNodes LoadNodes()
    {
        var nodes = new StoredNodes();
        using var rows = _database.Prepare("SELECT level, position, hash FROM nodes");
        while (rows.Step())
        {
            var address = new NodeAddress((int)rows.Number(0), rows.Number(1));
            nodes.Add(address, rows.Blob(2));
        }

        return nodes;
    }

    private ImmutableArray<StoredOrder> LoadOrders()
    {
        var orders = ImmutableArray.CreateBuilder<StoredOrder>();
        using var rows = _database.Prepare(
            "SELECT position, kind, subject, value, caller FROM orders ORDER BY position");
        while (rows.Step())
        {
            var kind = (OrderKind)rows.Number(1);
            orders.Add(Enum.IsDefined(kind)
                ? new StoredOrder(rows.Number(0), kind, rows.Text(2), rows.Number(3) == 1, rows.Text(4))
                : throw new StoreDamagedException(null, $"Order {rows.Number(0)} is of no known kind."));
        }

        return orders.ToImmutable();
    }

    private ImmutableArray<StoredPlace> LoadPlaces()
    {
        var places = ImmutableArray.CreateBuilder<StoredPlace>();
        using var rows = _database.Prepare("SELECT compartment, host FROM places");
        while (rows.Step())
        {
            places.Add(new StoredPlace(rows.Text(0), rows.Text(1)));
        }

        return places.ToImmutable();
    }

    private sealed class StoredNodes : INodeReader
    {
        private readonly Dictionary<NodeAddress, Digest32> _hashes = [];

        public long Count { get; private set; }

        public void Add(NodeAddress address, byte[] hash)
        {
            Count++;
            if (hash.Length == Digest32.Length)
            {
                _hashes[address] = Digest32.FromBytes(hash);
            }
        }

        public Digest32? Find(NodeAddress address) => _hashes.GetValueOrDefault(address);
    }
}
