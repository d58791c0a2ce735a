namespace Bailiwick.Durable.Sqlite;

/// <summary>SQLite refused or failed. It names the operation, SQLite's code and its message.</summary>
public sealed class SqliteException : DurableException
{
    private const int PrimaryCodeMask = 0xFF;
    private const int Constraint = 19;

    /// <summary>A failure of one operation.</summary>
    /// <param name="operation">The call or the SQL text that failed.</param>
    /// <param name="path">The database file.</param>
    /// <param name="code">SQLite's extended result code (sqlite.org/rescode.html).</param>
    /// <param name="message">SQLite's message.</param>
    public SqliteException(string operation, string path, int code, string message)
        : base(operation, path, $"{message} (SQLite code {code & PrimaryCodeMask}, extended {code})")
    {
        ExtendedCode = code;
    }

    /// <summary>SQLite's primary result code.</summary>
    public int Code => ExtendedCode & PrimaryCodeMask;

    /// <summary>SQLite's extended result code.</summary>
    public int ExtendedCode { get; }

    /// <summary>Whether a constraint of the schema refused a row (SQLITE_CONSTRAINT).</summary>
    public bool IsConstraint => Code == Constraint;
}
