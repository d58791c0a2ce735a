using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Bailiwick.Durable.Files;
using SQLitePCL;

namespace Bailiwick.Durable.Sqlite;

/// <summary>
/// One connection to a SQLite file in a private directory: WAL, <c>synchronous=FULL</c> (a commit is durable when it
/// returns), foreign keys on, integrity checked at open, mode 0600. For one thread at a time: the caller serialises.
/// SQL texts are constants (the compiler refuses others); values are bound. Failures are
/// <see cref="SqliteException"/>.
/// </summary>
public sealed class SqliteDatabase : IDisposable
{
    private const int ReadWrite = 0x2;
    private const int NoFollow = 0x0100_0000;
    private const int FullMutex = 0x1_0000;
    private const int DefaultBusyMilliseconds = 5000;
    private const int MaxCachedStatements = 256;
    private readonly sqlite3 _handle;
    private readonly Dictionary<string, Stack<sqlite3_stmt>> _idle = [];
    private int _idleCount;
    private bool _inTransaction;
    private bool _disposed;

    private SqliteDatabase(sqlite3 handle, string path)
    {
        _handle = handle;
        Path = path;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Rows changed by the statement that ran last.</summary>
    public int Changes => raw.sqlite3_changes(_handle);

    /// <summary>Opens a database, creating it or bringing its schema up to date as needed.</summary>
    /// <param name="directory">Where it lies; also SQLite's journal files.</param>
    /// <param name="name">Its plain name.</param>
    /// <param name="schema">What it must be.</param>
    /// <exception cref="DurableException">Not private, not ours, newer than us, damaged, or a call failed.</exception>
    public static SqliteDatabase Open(PrivateDirectory directory, string name, SqliteSchema schema)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(schema);
        ArgumentOutOfRangeException.ThrowIfZero(schema.ApplicationId, nameof(schema));
        NativeSqlite.Bind();
        // SQLite would create the file by the umask; so it is created, or checked, here first. Its journal files get
        // the mode of the file.
        string path;
        using (PrivateFile file = directory.OpenFile(name, DiskOpen.ReadWrite) ?? directory.CreateFile(name))
        {
            path = file.Path;
        }

        directory.Sync();
        int code = raw.sqlite3_open_v2(path, out sqlite3 handle, ReadWrite | NoFollow | FullMutex, null);
        SqliteDatabase database = new(handle, path);
        try
        {
            database.Check("open", code);
            database.Configure(schema.OverwritesWhatIsDeleted);
            database.CheckIntegrity();
            database.Migrate(schema);
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>A prepared statement for this constant text; from the cache when there is one.</summary>
    /// <param name="sql">One SQL statement, a constant.</param>
    public SqliteStatement Prepare([ConstantExpected] string sql) => PrepareText(sql);

    /// <summary>Runs a constant statement without parameters and drops its rows.</summary>
    /// <param name="sql">One SQL statement, a constant.</param>
    public void Execute([ConstantExpected] string sql)
    {
        using SqliteStatement statement = PrepareText(sql);
        statement.Run();
    }

    /// <summary>Begins a transaction that holds the write lock from the start (BEGIN IMMEDIATE).</summary>
    public SqliteTransaction Begin()
    {
        if (_inTransaction)
        {
            throw new InvalidOperationException("a transaction is open already; they do not nest");
        }

        Execute("BEGIN IMMEDIATE");
        _inTransaction = true;
        return new SqliteTransaction(this);
    }

    /// <summary>Runs SQLite's full check and throws with its first finding.</summary>
    public void CheckIntegrity()
    {
        using SqliteStatement check = PrepareText("PRAGMA integrity_check(1)");
        string? finding = check.Step() ? check.Text(0) : null;
        if (finding != "ok")
        {
            throw new DurableException(
                "integrity_check", Path, $"{finding ?? "no answer"}; restore the file from a copy");
        }

        using SqliteStatement keys = PrepareText("PRAGMA foreign_key_check");
        if (keys.Step())
        {
            throw new DurableException(
                "foreign_key_check", Path, $"a row of '{keys.Text(0)}' names a row that is not there");
        }
    }

    /// <summary>
    /// Moves everything from the write-ahead log into the file and empties the log, so that what was deleted or
    /// replaced before is in neither. Durable when it returns. (What the file system or the disk keeps of old blocks is
    /// theirs.)
    /// </summary>
    /// <exception cref="DurableException">Another connection reads the file, or a call failed.</exception>
    public void Scrub()
    {
        using SqliteStatement checkpoint = PrepareText("PRAGMA wal_checkpoint(TRUNCATE)");
        if (!checkpoint.Step() || checkpoint.Number(0) != 0)
        {
            throw new DurableException(
                "wal_checkpoint", Path, "another connection reads it, so its log keeps what was deleted; close that");
        }
    }

    /// <summary>Closes the connection; an open transaction is rolled back.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        foreach (sqlite3_stmt statement in _idle.Values.SelectMany(idle => idle))
        {
            raw.sqlite3_finalize(statement);
        }

        _idle.Clear();
        raw.sqlite3_close_v2(_handle);
    }

    internal SqliteStatement PrepareText(string sql)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_idle.TryGetValue(sql, out Stack<sqlite3_stmt>? idle) && idle.Count > 0)
        {
            _idleCount--;
            return new SqliteStatement(this, idle.Pop(), sql);
        }

        int code = raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt handle, out string tail);
        Check(sql, code);
        return string.IsNullOrWhiteSpace(tail)
            ? new SqliteStatement(this, handle, sql)
            : throw new ArgumentException("one statement at a time", nameof(sql));
    }

    internal void Return(string sql, sqlite3_stmt handle)
    {
        _ = raw.sqlite3_reset(handle);
        _ = raw.sqlite3_clear_bindings(handle);
        if (_disposed || _idleCount >= MaxCachedStatements)
        {
            raw.sqlite3_finalize(handle);
            return;
        }

        if (!_idle.TryGetValue(sql, out Stack<sqlite3_stmt>? idle))
        {
            _idle[sql] = idle = new Stack<sqlite3_stmt>();
        }

        idle.Push(handle);
        _idleCount++;
    }

    internal void Check(string operation, int code)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return;
        }

        int extended = raw.sqlite3_extended_errcode(_handle);
        throw new SqliteException(
            operation, Path, extended == raw.SQLITE_OK ? code : extended, raw.sqlite3_errmsg(_handle).utf8_to_string());
    }

    internal void End(bool commit)
    {
        _inTransaction = false;
        if (commit)
        {
            Execute("COMMIT");
        }
        else if (!_disposed && raw.sqlite3_get_autocommit(_handle) == 0)
        {
            // Some failures (full disk, I/O) have rolled back already; then there is nothing to undo.
            Execute("ROLLBACK");
        }
    }

    private void Configure(bool overwrites)
    {
        Check("busy_timeout", raw.sqlite3_busy_timeout(_handle, DefaultBusyMilliseconds));
        Require("PRAGMA journal_mode=WAL", "wal");
        Execute("PRAGMA synchronous=FULL");
        Require("PRAGMA synchronous", "2");
        Execute("PRAGMA foreign_keys=ON");
        Require("PRAGMA foreign_keys", "1");
        // The schema of a file is input too: it may not call functions with effects (sqlite.org/pragma.html).
        Execute("PRAGMA trusted_schema=OFF");
        Execute("PRAGMA cell_size_check=ON");
        if (overwrites)
        {
            Require("PRAGMA secure_delete=ON", "1");
        }
    }

    private void Require(string pragma, string expected)
    {
        using SqliteStatement statement = PrepareText(pragma);
        string? answer = statement.Step() ? statement.Text(0) : null;
        if (answer != expected)
        {
            throw new DurableException(pragma, Path, $"SQLite answered '{answer}' where '{expected}' is needed");
        }
    }

    private long Number(string pragma)
    {
        using SqliteStatement statement = PrepareText(pragma);
        return statement.Step() ? statement.Number(0) : 0;
    }

    private void Migrate(SqliteSchema schema)
    {
        using SqliteTransaction transaction = Begin();
        long application = Number("PRAGMA application_id");
        long version = Number("PRAGMA user_version");
        bool empty = Number("SELECT count(*) FROM sqlite_schema") == 0;
        if (application != schema.ApplicationId && !(application == 0 && version == 0 && empty))
        {
            throw new DurableException(
                "open", Path, schema.Refused.GetValueOrDefault((int)application)
                    ?? $"it belongs to application {application}, not to {schema.ApplicationId}");
        }

        if (version < 0 || version > schema.Steps.Count)
        {
            throw new DurableException(
                "open", Path,
                $"its schema is of version {version}, this program knows {schema.Steps.Count}; use the later program");
        }

        foreach (string step in schema.Steps.Skip((int)version))
        {
            Check("migrate", raw.sqlite3_exec(_handle, step));
        }

        // A PRAGMA takes no bound values; both are numbers of the program's own.
        Pragma("PRAGMA application_id=", schema.ApplicationId);
        Pragma("PRAGMA user_version=", schema.Steps.Count);
        transaction.Commit();
    }

    private void Pragma(string assignment, int value) =>
        Check(assignment, raw.sqlite3_exec(_handle, assignment + value.ToString(CultureInfo.InvariantCulture)));
}
