using SQLitePCL;

namespace Bailiwick.Durable.Sqlite;

/// <summary>
/// A prepared statement in use: bind, step, read, dispose (which gives it back to the cache). Parameters count from 1,
/// columns from 0, as in SQLite. A column read as another type than it has is an error, not a conversion.
/// </summary>
public sealed class SqliteStatement : IDisposable
{
    private readonly SqliteDatabase _database;
    private readonly string _sql;
    private sqlite3_stmt? _handle;

    internal SqliteStatement(SqliteDatabase database, sqlite3_stmt handle, string sql)
    {
        _database = database;
        _handle = handle;
        _sql = sql;
    }

    private sqlite3_stmt Handle => _handle ?? throw new ObjectDisposedException(nameof(SqliteStatement));

    /// <summary>Binds an integer.</summary>
    public SqliteStatement Bind(int parameter, long value)
    {
        _database.Check(_sql, raw.sqlite3_bind_int64(Handle, parameter, value));
        return this;
    }

    /// <summary>Binds a text, or NULL.</summary>
    public SqliteStatement Bind(int parameter, string? value)
    {
        _database.Check(_sql, value is null
            ? raw.sqlite3_bind_null(Handle, parameter)
            : raw.sqlite3_bind_text(Handle, parameter, value));
        return this;
    }

    /// <summary>Binds bytes; none bind an empty blob, not NULL.</summary>
    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        // An empty span has a null pointer, which SQLite would take for NULL.
        _database.Check(_sql, value.IsEmpty
            ? raw.sqlite3_bind_zeroblob(Handle, parameter, 0)
            : raw.sqlite3_bind_blob(Handle, parameter, value));
        return this;
    }

    /// <summary>Binds NULL.</summary>
    public SqliteStatement BindNull(int parameter)
    {
        _database.Check(_sql, raw.sqlite3_bind_null(Handle, parameter));
        return this;
    }

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_step(Handle);
        _database.Check(_sql, code);
        return code == raw.SQLITE_ROW;
    }

    /// <summary>Runs to the end and drops the rows; returns the number of rows changed.</summary>
    public int Run()
    {
        while (Step())
        {
        }

        return _database.Changes;
    }

    /// <summary>Makes the statement ready to be bound and run again.</summary>
    public void Reset()
    {
        _ = raw.sqlite3_reset(Handle);
        _database.Check(_sql, raw.sqlite3_clear_bindings(Handle));
    }

    /// <summary>Whether a column is NULL.</summary>
    public bool IsNull(int column) => raw.sqlite3_column_type(Handle, column) == raw.SQLITE_NULL;

    /// <summary>An integer column.</summary>
    public long Number(int column)
    {
        Expect(column, raw.SQLITE_INTEGER, "an integer");
        return raw.sqlite3_column_int64(Handle, column);
    }

    /// <summary>A text column, or an integer in decimal (as some pragmas answer).</summary>
    public string Text(int column)
    {
        if (raw.sqlite3_column_type(Handle, column) != raw.SQLITE_INTEGER)
        {
            Expect(column, raw.SQLITE_TEXT, "a text");
        }

        return raw.sqlite3_column_text(Handle, column).utf8_to_string();
    }

    /// <summary>A blob column, copied.</summary>
    public byte[] Blob(int column)
    {
        Expect(column, raw.SQLITE_BLOB, "a blob");
        return raw.sqlite3_column_blob(Handle, column).ToArray();
    }

    /// <summary>Gives the statement back; its row can be read no more.</summary>
    public void Dispose()
    {
        if (_handle is not null)
        {
            _database.Return(_sql, _handle);
            _handle = null;
        }
    }

    private void Expect(int column, int type, string what)
    {
        int found = raw.sqlite3_column_type(Handle, column);
        if (found != type)
        {
            throw new DurableException(
                "read", _database.Path, $"column {column} of '{_sql}' is of SQLite type {found}, not {what}");
        }
    }
}
