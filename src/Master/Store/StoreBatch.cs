using Bailiwick.Durable.Sqlite;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Master.Store;

/// <summary>One transaction of the store.</summary>
public sealed class StoreBatch : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly SqliteTransaction _transaction;

    internal StoreBatch(SqliteDatabase database, SqliteTransaction transaction)
    {
        _database = database;
        _transaction = transaction;
    }

    /// <summary>
    /// Writes an entry and reads it back; the leaf hash is made of what the store gave back, so that no root is ever
    /// signed over bytes that the store does not hold.
    /// </summary>
    /// <exception cref="StoreDamagedException">The store gave back other bytes.</exception>
    public Digest32 Insert(long index, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> envelope)
    {
        using (var insert = _database.Prepare("INSERT INTO entries (position, salt, envelope) VALUES (?1, ?2, ?3)"))
        {
            insert.Bind(1, index).Bind(2, salt).Bind(3, envelope).Run();
        }

        using var read = _database.Prepare("SELECT salt, envelope FROM entries WHERE position = ?1");
        read.Bind(1, index);
        return read.Step() && salt.SequenceEqual(read.Blob(0)) && envelope.SequenceEqual(read.Blob(1))
            ? LeafCommitment.LeafHash(read.Blob(0), read.Blob(1))
            : throw new StoreDamagedException(index, $"Entry {index} was written and is not what is read.");
    }

    /// <summary>Writes the hash of a complete subtree.</summary>
    public void Insert(NodeAddress address, Digest32 hash)
    {
        using var insert = _database.Prepare("INSERT INTO nodes (level, position, hash) VALUES (?1, ?2, ?3)");
        insert.Bind(1, address.Level).Bind(2, address.Index).Bind(3, hash.Bytes).Run();
    }

    /// <summary>Replaces the newest checkpoint's note.</summary>
    public void SetNote(ReadOnlySpan<byte> note)
    {
        using var replace = _database.Prepare("INSERT OR REPLACE INTO checkpoint (id, note) VALUES (1, ?1)");
        replace.Bind(1, note).Run();
    }

    /// <summary>Writes an order.</summary>
    public void Insert(StoredOrder order)
    {
        using var insert = _database.Prepare(
            "INSERT INTO orders (position, kind, subject, value, caller) VALUES (?1, ?2, ?3, ?4, ?5)");
        insert.Bind(1, order.Position).Bind(2, (long)order.Kind).Bind(3, order.Subject)
            .Bind(4, order.Value ? 1L : 0L).Bind(5, order.Caller).Run();
    }

    /// <summary>Replaces all places.</summary>
    public void SetPlaces(IEnumerable<StoredPlace> places)
    {
        ArgumentNullException.ThrowIfNull(places);
        _database.Execute("DELETE FROM places");
        using var insert = _database.Prepare("INSERT INTO places (compartment, host) VALUES (?1, ?2)");
        foreach (var place in places)
        {
            insert.Bind(1, place.Compartment).Bind(2, place.Host).Run();
            insert.Reset();
        }
    }

    /// <summary>Makes the batch durable.</summary>
    public void Commit() => _transaction.Commit();

    /// <summary>Drops the batch unless it was committed.</summary>
    public void Dispose() => _transaction.Dispose();
}
