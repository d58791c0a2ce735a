using System.Security.Cryptography;
using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// The wrapped keys of domains, volumes and TPMs, and their present holders, in SQLite. There is no row that says a
/// host is trusted: that is decided anew at every release. What is deleted is overwritten. For one thread at a time.
/// </summary>
internal sealed class KeyStore : IDisposable
{
    private const int SerialLength = 32;

    private static readonly SqliteSchema Schema = new(
        0x42574b54,
        [
            """
            CREATE TABLE master (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                generation INTEGER NOT NULL CHECK (generation >= 1),
                id TEXT NOT NULL) STRICT;
            CREATE TABLE domains (
                domain TEXT PRIMARY KEY,
                generation INTEGER NOT NULL CHECK (generation >= 1),
                serial TEXT NOT NULL,
                wrapped BLOB NOT NULL CHECK (length(wrapped) = 60)) STRICT;
            CREATE TABLE keys (
                key TEXT PRIMARY KEY,
                domain TEXT NOT NULL REFERENCES domains (domain),
                epoch INTEGER NOT NULL CHECK (epoch >= 1),
                serial TEXT NOT NULL,
                revision INTEGER NOT NULL,
                wrapped BLOB NOT NULL CHECK (length(wrapped) = 60),
                mark TEXT NOT NULL) STRICT;
            CREATE TABLE holders (
                key TEXT PRIMARY KEY REFERENCES keys (key),
                host TEXT NOT NULL,
                nonce TEXT NOT NULL) STRICT;
            """,
        ])
    {
        OverwritesWhatIsDeleted = true,
        Refused = new Dictionary<int, string>
        {
            [0x42574b53] = "its keys lie directly under one key, as an earlier version kept them, and this version has "
                + "a hierarchy; begin with an empty directory and new volumes",
        },
    };

    private readonly SqliteDatabase _database;

    private KeyStore(SqliteDatabase database) => _database = database;

    public static KeyStore Open(PrivateDirectory directory) =>
        new(SqliteDatabase.Open(directory, "keys.db", Schema));

    /// <summary>The master key that domains' keys are wrapped under; null in a new store.</summary>
    public StoredMaster? Master()
    {
        using SqliteStatement select = _database.Prepare("SELECT generation, id FROM master");
        return select.Step() ? new StoredMaster(select.Number(0), select.Text(1)) : null;
    }

    /// <summary>Notes the master key of a new store. Durable when it returns.</summary>
    public void Begin(StoredMaster master)
    {
        using SqliteStatement insert = _database.Prepare("INSERT INTO master (one, generation, id) VALUES (1, ?, ?)");
        insert.Bind(1, master.Generation).Bind(2, master.Id).Run();
    }

    public StoredDomain? Domain(string domain)
    {
        using SqliteStatement select = _database.Prepare(
            "SELECT domain, generation, serial, wrapped FROM domains WHERE domain = ?");
        return select.Bind(1, domain).Step() ? ReadDomain(select) : null;
    }

    public StoredKey? Key(string key)
    {
        using SqliteStatement select = _database.Prepare(
            "SELECT key, domain, epoch, serial, revision, wrapped, mark FROM keys WHERE key = ?");
        return select.Bind(1, key).Step() ? ReadKey(select) : null;
    }

    public VaultHolder? Holder(string key)
    {
        using SqliteStatement select = _database.Prepare("SELECT host, nonce FROM holders WHERE key = ?");
        return select.Bind(1, key).Step() ? new VaultHolder(select.Text(0), select.Text(1)) : null;
    }

    public Dictionary<string, VaultHolder?> Keys()
    {
        Dictionary<string, VaultHolder?> all = new(StringComparer.Ordinal);
        using SqliteStatement select = _database.Prepare(
            "SELECT k.key, h.host, h.nonce FROM keys k LEFT JOIN holders h ON h.key = k.key");
        while (select.Step())
        {
            all[select.Text(0)] = select.IsNull(1) ? null : new VaultHolder(select.Text(1), select.Text(2));
        }

        return all;
    }

    /// <summary>In one transaction: the new keys, if there are any, the holder and the mark. Durable when it returns.
    /// </summary>
    public void Hold(KeyGrant grant, byte[]? newDomain, byte[]? newKey)
    {
        using SqliteTransaction transaction = _database.Begin();
        if (newDomain is not null)
        {
            using SqliteStatement insert = _database.Prepare(
                "INSERT INTO domains (domain, generation, serial, wrapped) VALUES (?, 1, ?, ?)");
            insert.Bind(1, grant.Domain).Bind(2, NewSerial()).Bind(3, newDomain).Run();
        }

        if (newKey is not null)
        {
            using SqliteStatement insert = _database.Prepare(
                "INSERT INTO keys (key, domain, epoch, serial, revision, wrapped, mark) VALUES (?, ?, 1, ?, 0, ?, '')");
            insert.Bind(1, grant.Key).Bind(2, grant.Domain).Bind(3, NewSerial()).Bind(4, newKey).Run();
        }

        using (SqliteStatement upsert = _database.Prepare(
            "INSERT INTO holders (key, host, nonce) VALUES (?, ?, ?) "
            + "ON CONFLICT (key) DO UPDATE SET host = excluded.host, nonce = excluded.nonce"))
        {
            upsert.Bind(1, grant.Key).Bind(2, grant.Holder.Host).Bind(3, grant.Holder.Nonce).Run();
        }

        using (SqliteStatement update = _database.Prepare("UPDATE keys SET revision = ? WHERE key = ?"))
        {
            update.Bind(1, grant.Revision).Bind(2, grant.Key).Run();
        }

        SetMark(grant.Key, grant.Mark);

        transaction.Commit();
    }

    /// <summary>In one transaction: clears the holder and sets the mark. Durable when it returns.</summary>
    public void Clear(string key, string mark)
    {
        using SqliteTransaction transaction = _database.Begin();
        using (SqliteStatement delete = _database.Prepare("DELETE FROM holders WHERE key = ?"))
        {
            delete.Bind(1, key).Run();
        }

        SetMark(key, mark);

        transaction.Commit();
    }

    public void Dispose() => _database.Dispose();

    private static StoredDomain ReadDomain(SqliteStatement row) =>
        new(row.Text(0), row.Number(1), row.Text(2), row.Blob(3));

    private static StoredKey ReadKey(SqliteStatement row) => new(
        row.Text(0), row.Text(1), row.Number(2), row.Text(3), row.Blob(5))
    {
        Revision = row.Number(4), Mark = row.Text(6),
    };

    private static string NewSerial() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SerialLength));

    private void SetMark(string key, string mark)
    {
        using SqliteStatement update = _database.Prepare("UPDATE keys SET mark = ? WHERE key = ?");
        update.Bind(1, mark).Bind(2, key).Run();
    }
}

/// <summary>The master key that a store is under.</summary>
internal sealed record StoredMaster(long Generation, string Id);

/// <summary>A domain's wrapped key.</summary>
internal sealed record StoredDomain(string Domain, long Generation, string Serial, byte[] Wrapped);

/// <summary>The wrapped key of a volume or of a machine's TPM.</summary>
internal sealed record StoredKey(string Key, string Domain, long Epoch, string Serial, byte[] Wrapped)
{
    public required long Revision { get; init; }

    public required string Mark { get; init; }
}
