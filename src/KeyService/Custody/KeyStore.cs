using System.Collections.Immutable;
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
    /// <summary>What is known of what a loaded key opens: nobody has ever had it.</summary>
    public const string NewMark = "new";

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
            """
            ALTER TABLE master ADD COLUMN change INTEGER NOT NULL DEFAULT -1;
            CREATE TABLE destructions (
                record INTEGER PRIMARY KEY,
                what TEXT NOT NULL,
                subject TEXT NOT NULL,
                generation INTEGER NOT NULL,
                document TEXT NOT NULL UNIQUE,
                size INTEGER NOT NULL,
                root TEXT NOT NULL,
                keys INTEGER NOT NULL) STRICT;
            CREATE TABLE tombstones (
                what TEXT NOT NULL,
                name TEXT NOT NULL,
                revision INTEGER NOT NULL,
                generation INTEGER NOT NULL,
                record INTEGER NOT NULL REFERENCES destructions (record),
                PRIMARY KEY (what, name)) STRICT;
            """,
            """
            CREATE TABLE held (
                key TEXT NOT NULL REFERENCES keys (key),
                host TEXT NOT NULL,
                compartment TEXT NOT NULL,
                access TEXT NOT NULL,
                nonce TEXT NOT NULL,
                PRIMARY KEY (key, host, compartment)) STRICT;
            INSERT INTO held SELECT key, host, '', '', nonce FROM holders;
            DROP TABLE holders;
            """,
            ScrubTable.Schema,
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

    private KeyStore(SqliteDatabase database)
    {
        _database = database;
        Scrubs = new ScrubTable(database);
    }

    /// <summary>What destroyed keys had opened.</summary>
    public ScrubTable Scrubs { get; }

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

    public List<StoredDomain> Domains()
    {
        List<StoredDomain> all = [];
        using SqliteStatement select = _database.Prepare(
            "SELECT domain, generation, serial, wrapped FROM domains ORDER BY domain");
        while (select.Step())
        {
            all.Add(ReadDomain(select));
        }

        return all;
    }

    public List<StoredKey> KeysOf(string domain)
    {
        List<StoredKey> all = [];
        using SqliteStatement select = _database.Prepare(
            "SELECT key, domain, epoch, serial, revision, wrapped, mark FROM keys WHERE domain = ? ORDER BY key");
        select.Bind(1, domain);
        while (select.Step())
        {
            all.Add(ReadKey(select));
        }

        return all;
    }

    /// <summary>The journal's record of the last change of the hierarchy; -1 when there was none.</summary>
    public long LastChange()
    {
        using SqliteStatement select = _database.Prepare("SELECT change FROM master");
        return select.Step() ? select.Number(0) : -1;
    }

    /// <summary>What stands in the place of a destroyed key; null when none was destroyed.</summary>
    public Tombstone? Tombstone(string what, string name)
    {
        using SqliteStatement select = _database.Prepare(
            "SELECT what, name, revision, generation, record FROM tombstones WHERE what = ? AND name = ?");
        return select.Bind(1, what).Bind(2, name).Step()
            ? new Tombstone(select.Text(0), select.Text(1), select.Number(2), select.Number(3), select.Number(4))
            : null;
    }

    public List<Tombstone> Tombstones()
    {
        List<Tombstone> all = [];
        using SqliteStatement select = _database.Prepare(
            "SELECT what, name, revision, generation, record FROM tombstones ORDER BY what, name");
        while (select.Step())
        {
            all.Add(new Tombstone(
                select.Text(0), select.Text(1), select.Number(2), select.Number(3), select.Number(4)));
        }

        return all;
    }

    /// <summary>What was destroyed by a document; null when nothing was.</summary>
    public Destruction? Destruction(string document)
    {
        using SqliteStatement select = _database.Prepare(
            "SELECT record, what, subject, generation, document, size, root, keys FROM destructions "
            + "WHERE document = ?");
        return ReadDestruction(select.Bind(1, document));
    }

    /// <summary>What was destroyed by the change of this record; null when nothing was.</summary>
    public Destruction? Destruction(long record)
    {
        using SqliteStatement select = _database.Prepare(
            "SELECT record, what, subject, generation, document, size, root, keys FROM destructions "
            + "WHERE record = ?");
        return ReadDestruction(select.Bind(1, record));
    }

    private static Destruction? ReadDestruction(SqliteStatement select) =>
        select.Step()
            ? new Destruction(select.Text(1), select.Text(2), select.Text(4))
            {
                Record = select.Number(0),
                Generation = select.Number(3),
                LedgerSize = select.Number(5),
                LedgerRoot = select.Text(6),
                Keys = select.Number(7),
            }
            : null;

    /// <summary>Who holds a key, by host and machine.</summary>
    public ImmutableArray<VaultHolder> Holders(string key)
    {
        var all = ImmutableArray.CreateBuilder<VaultHolder>();
        using SqliteStatement select = _database.Prepare(
            "SELECT host, nonce, compartment, access FROM held WHERE key = ? ORDER BY host, compartment");
        select.Bind(1, key);
        while (select.Step())
        {
            all.Add(ReadHolder(select, 0));
        }

        return all.ToImmutable();
    }

    /// <summary>Every key, and who holds it, by host and machine.</summary>
    public Dictionary<string, ImmutableArray<VaultHolder>> Keys()
    {
        Dictionary<string, ImmutableArray<VaultHolder>> all = new(StringComparer.Ordinal);
        using SqliteStatement select = _database.Prepare(
            "SELECT k.key, h.host, h.nonce, h.compartment, h.access FROM keys k LEFT JOIN held h ON h.key = k.key "
            + "ORDER BY k.key, h.host, h.compartment");
        while (select.Step())
        {
            var before = all.GetValueOrDefault(select.Text(0), []);
            all[select.Text(0)] = select.IsNull(1) ? before : before.Add(ReadHolder(select, 1));
        }

        return all;
    }

    /// <summary>Notes the machine of a release that was stored before machines were.</summary>
    public void NoteMachine(string key, VaultHolder holder)
    {
        using SqliteStatement update = _database.Prepare(
            "UPDATE held SET compartment = ?, access = ? WHERE key = ? AND host = ? AND nonce = ?");
        update.Bind(1, holder.Compartment).Bind(2, holder.Access).Bind(3, key).Bind(4, holder.Host)
            .Bind(5, holder.Nonce).Run();
    }

    /// <summary>In one transaction: the new keys, if there are any, the holder and the mark. Durable when it returns.
    /// </summary>
    public void Hold(KeyGrant grant, MadeKey? newDomain, MadeKey? newKey)
    {
        using SqliteTransaction transaction = _database.Begin();
        if (newDomain is not null)
        {
            Insert(grant.Domain, newDomain);
        }

        if (newKey is not null)
        {
            Insert(grant.Key, grant.Domain, newKey, "");
        }

        using (SqliteStatement upsert = _database.Prepare(
            "INSERT INTO held (key, host, compartment, access, nonce) VALUES (?, ?, ?, ?, ?) "
            + "ON CONFLICT (key, host, compartment) DO UPDATE SET access = excluded.access, nonce = excluded.nonce"))
        {
            upsert.Bind(1, grant.Key).Bind(2, grant.Holder.Host).Bind(3, grant.Holder.Compartment)
                .Bind(4, grant.Holder.Access).Bind(5, grant.Holder.Nonce).Run();
        }

        using (SqliteStatement update = _database.Prepare("UPDATE keys SET revision = ? WHERE key = ?"))
        {
            update.Bind(1, grant.Revision).Bind(2, grant.Key).Run();
        }

        SetMark(grant.Key, grant.Mark);

        transaction.Commit();
    }

    /// <summary>In one transaction: keys that nobody holds, and their domain's if it is new. Durable when it returns.
    /// </summary>
    public void Load(long record, string domain, MadeKey? newDomain, IEnumerable<LoadedKey> keys)
    {
        using SqliteTransaction transaction = _database.Begin();
        if (newDomain is not null)
        {
            Insert(domain, newDomain);
        }

        foreach (LoadedKey key in keys)
        {
            Insert(key.Name, domain, key.Made, NewMark);
            using SqliteStatement noted = _database.Prepare("UPDATE keys SET revision = ? WHERE key = ?");
            noted.Bind(1, key.Revision).Bind(2, key.Name).Run();
        }

        using (SqliteStatement update = _database.Prepare("UPDATE master SET change = ?"))
        {
            update.Bind(1, record).Run();
        }

        transaction.Commit();
    }

    /// <summary>In one transaction: clears one holder and sets the mark. Durable when it returns.</summary>
    public void Clear(string key, VaultHolder holder, string mark)
    {
        using SqliteTransaction transaction = _database.Begin();
        using (SqliteStatement delete = _database.Prepare(
            "DELETE FROM held WHERE key = ? AND host = ? AND nonce = ?"))
        {
            delete.Bind(1, key).Bind(2, holder.Host).Bind(3, holder.Nonce).Run();
        }

        SetMark(key, mark);

        transaction.Commit();
    }

    /// <summary>In one transaction: everything that a change of the hierarchy is. Durable when it returns.</summary>
    public void Apply(StoreChange change)
    {
        using SqliteTransaction transaction = _database.Begin();
        foreach (string key in change.KeysGone)
        {
            using SqliteStatement holder = _database.Prepare("DELETE FROM held WHERE key = ?");
            holder.Bind(1, key).Run();
            using SqliteStatement delete = _database.Prepare("DELETE FROM keys WHERE key = ?");
            delete.Bind(1, key).Run();
        }

        foreach (string domain in change.DomainsGone)
        {
            using SqliteStatement delete = _database.Prepare("DELETE FROM domains WHERE domain = ?");
            delete.Bind(1, domain).Run();
        }

        foreach (StoredDomain domain in change.Domains)
        {
            using SqliteStatement update = _database.Prepare(
                "UPDATE domains SET generation = ?, wrapped = ? WHERE domain = ?");
            update.Bind(1, domain.Generation).Bind(2, domain.Wrapped).Bind(3, domain.Domain).Run();
        }

        foreach (StoredKey key in change.Keys)
        {
            using SqliteStatement update = _database.Prepare("UPDATE keys SET wrapped = ? WHERE key = ?");
            update.Bind(1, key.Wrapped).Bind(2, key.Key).Run();
        }

        if (change.Destruction is { } destruction)
        {
            Bury(change.Record, destruction, change.Tombstones);
            change.Scrubs.ForEach(Scrubs.Insert);
        }

        using (SqliteStatement update = _database.Prepare("UPDATE master SET generation = ?, id = ?, change = ?"))
        {
            update.Bind(1, change.Master.Generation).Bind(2, change.Master.Id).Bind(3, change.Record).Run();
        }

        transaction.Commit();
    }

    /// <summary>Leaves nothing of what was deleted or replaced in the store's files.</summary>
    public void Scrub() => _database.Scrub();

    /// <summary>Sets the mark alone. Durable when it returns.</summary>
    public void Mark(string key, string mark)
    {
        using SqliteTransaction transaction = _database.Begin();
        SetMark(key, mark);
        transaction.Commit();
    }

    public void Dispose() => _database.Dispose();

    private void Bury(long record, Destruction destruction, IReadOnlyList<Tombstone> tombstones)
    {
        using (SqliteStatement insert = _database.Prepare(
            "INSERT INTO destructions (record, what, subject, generation, document, size, root, keys) "
            + "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"))
        {
            insert.Bind(1, record).Bind(2, destruction.What).Bind(3, destruction.Subject)
                .Bind(4, destruction.Generation).Bind(5, destruction.Document).Bind(6, destruction.LedgerSize)
                .Bind(7, destruction.LedgerRoot).Bind(8, destruction.Keys).Run();
        }

        foreach (Tombstone tombstone in tombstones)
        {
            using SqliteStatement upsert = _database.Prepare(
                "INSERT INTO tombstones (what, name, revision, generation, record) VALUES (?, ?, ?, ?, ?) "
                + "ON CONFLICT (what, name) DO UPDATE SET revision = excluded.revision, "
                + "generation = excluded.generation, record = excluded.record");
            upsert.Bind(1, tombstone.What).Bind(2, tombstone.Name).Bind(3, tombstone.Revision)
                .Bind(4, tombstone.Generation).Bind(5, record).Run();
        }
    }

    /// <summary>Host, nonce, machine and access, from a column on.</summary>
    private static VaultHolder ReadHolder(SqliteStatement row, int from) =>
        new(row.Text(from), row.Text(from + 1)) { Compartment = row.Text(from + 2), Access = row.Text(from + 3) };

    private static StoredDomain ReadDomain(SqliteStatement row) =>
        new(row.Text(0), row.Number(1), row.Text(2), row.Blob(3));

    private static StoredKey ReadKey(SqliteStatement row) => new(
        row.Text(0), row.Text(1), row.Number(2), row.Text(3), row.Blob(5))
    {
        Revision = row.Number(4), Mark = row.Text(6),
    };

    private static string NewSerial() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SerialLength));

    private void Insert(string domain, MadeKey made)
    {
        using SqliteStatement insert = _database.Prepare(
            "INSERT INTO domains (domain, generation, serial, wrapped) VALUES (?, ?, ?, ?)");
        insert.Bind(1, domain).Bind(2, made.Generation).Bind(3, NewSerial()).Bind(4, made.Wrapped).Run();
    }

    private void Insert(string key, string domain, MadeKey made, string mark)
    {
        using SqliteStatement insert = _database.Prepare(
            "INSERT INTO keys (key, domain, epoch, serial, revision, wrapped, mark) VALUES (?, ?, ?, ?, 0, ?, ?)");
        insert.Bind(1, key).Bind(2, domain).Bind(3, made.Generation).Bind(4, NewSerial()).Bind(5, made.Wrapped)
            .Bind(6, mark).Run();
    }

    private void SetMark(string key, string mark)
    {
        using SqliteStatement update = _database.Prepare("UPDATE keys SET mark = ? WHERE key = ?");
        update.Bind(1, mark).Bind(2, key).Run();
    }
}
