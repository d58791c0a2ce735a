using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;
using Bailiwick.Ledger;

namespace Bailiwick.Benchmarks.Appending;

/// <summary>
/// The peer: the same bytes into SQLite with the Master's settings (WAL, FULL) and nothing else, one row a statement.
/// </summary>
internal sealed class BareStore(PrivateDirectory directory) : IDisposable
{
    private static readonly SqliteSchema Schema = new(
        0x42574245,
        [
            "CREATE TABLE entries (position INTEGER PRIMARY KEY, salt BLOB NOT NULL, envelope BLOB NOT NULL) STRICT",
        ]);

    private readonly SqliteDatabase _database = SqliteDatabase.Open(directory, "bare.db", Schema);
    private long _next;

    /// <summary>One transaction.</summary>
    internal void Append(params ReadOnlySpan<byte[]> envelopes)
    {
        Span<byte> salt = stackalloc byte[LedgerLimits.SaltBytes];
        salt.Fill(1);
        using var transaction = _database.Begin();
        using (var insert = _database.Prepare("INSERT INTO entries (position, salt, envelope) VALUES (?1, ?2, ?3)"))
        {
            foreach (var envelope in envelopes)
            {
                insert.Bind(1, _next++).Bind(2, salt).Bind(3, envelope).Run();
                insert.Reset();
            }
        }

        transaction.Commit();
    }

    public void Dispose() => _database.Dispose();
}
