using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// The wrapped keys and their present holders, in SQLite. There is no row that says a host is trusted: that is decided
/// anew at every release. For one thread at a time.
/// </summary>
internal sealed class KeyStore : IDisposable
{
    private static readonly SqliteSchema Schema = new(
        0x42574b53,
        [
            """
            CREATE TABLE volumes (
                volume TEXT PRIMARY KEY,
                generation INTEGER NOT NULL CHECK (generation >= 1),
                wrapped BLOB NOT NULL CHECK (length(wrapped) = 60)) STRICT;
            CREATE TABLE holders (
                volume TEXT PRIMARY KEY REFERENCES volumes (volume),
                host TEXT NOT NULL,
                nonce TEXT NOT NULL) STRICT;
            """,
            "ALTER TABLE volumes ADD COLUMN mark TEXT NOT NULL DEFAULT '';",
        ]);

    private readonly SqliteDatabase _database;

    private KeyStore(SqliteDatabase database) => _database = database;

    public static KeyStore Open(PrivateDirectory directory) =>
        new(SqliteDatabase.Open(directory, "keys.db", Schema));

    public (long Generation, byte[] Wrapped)? Key(string volume)
    {
        using SqliteStatement select = _database.Prepare("SELECT generation, wrapped FROM volumes WHERE volume = ?");
        return select.Bind(1, volume).Step() ? (select.Number(0), select.Blob(1)) : null;
    }

    public VaultHolder? Holder(string volume)
    {
        using SqliteStatement select = _database.Prepare("SELECT host, nonce FROM holders WHERE volume = ?");
        return select.Bind(1, volume).Step() ? new VaultHolder(select.Text(0), select.Text(1)) : null;
    }

    /// <summary>What is known of the state of a machine's TPM; empty for a volume, null for what has no key.</summary>
    public string? Mark(string volume)
    {
        using SqliteStatement select = _database.Prepare("SELECT mark FROM volumes WHERE volume = ?");
        return select.Bind(1, volume).Step() ? select.Text(0) : null;
    }

    public Dictionary<string, VaultHolder?> Volumes()
    {
        Dictionary<string, VaultHolder?> all = new(StringComparer.Ordinal);
        using SqliteStatement select = _database.Prepare(
            "SELECT v.volume, h.host, h.nonce FROM volumes v LEFT JOIN holders h ON h.volume = v.volume");
        while (select.Step())
        {
            all[select.Text(0)] = select.IsNull(1) ? null : new VaultHolder(select.Text(1), select.Text(2));
        }

        return all;
    }

    /// <summary>In one transaction: the new key, if there is one, the holder and the mark. Durable when it returns.
    /// </summary>
    public void Hold(string volume, byte[]? newWrapped, VaultHolder holder, string mark)
    {
        using SqliteTransaction transaction = _database.Begin();
        if (newWrapped is not null)
        {
            using SqliteStatement insert = _database.Prepare(
                "INSERT INTO volumes (volume, generation, wrapped) VALUES (?, 1, ?)");
            insert.Bind(1, volume).Bind(2, newWrapped).Run();
        }

        using (SqliteStatement upsert = _database.Prepare(
            "INSERT INTO holders (volume, host, nonce) VALUES (?, ?, ?) "
            + "ON CONFLICT (volume) DO UPDATE SET host = excluded.host, nonce = excluded.nonce"))
        {
            upsert.Bind(1, volume).Bind(2, holder.Host).Bind(3, holder.Nonce).Run();
        }

        SetMark(volume, mark);

        transaction.Commit();
    }

    /// <summary>In one transaction: clears the holder and sets the mark. Durable when it returns.</summary>
    public void Clear(string volume, string mark)
    {
        using SqliteTransaction transaction = _database.Begin();
        using (SqliteStatement delete = _database.Prepare("DELETE FROM holders WHERE volume = ?"))
        {
            delete.Bind(1, volume).Run();
        }

        SetMark(volume, mark);

        transaction.Commit();
    }

    public void Dispose() => _database.Dispose();

    private void SetMark(string volume, string mark)
    {
        using SqliteStatement update = _database.Prepare("UPDATE volumes SET mark = ? WHERE volume = ?");
        update.Bind(1, mark).Bind(2, volume).Run();
    }
}
