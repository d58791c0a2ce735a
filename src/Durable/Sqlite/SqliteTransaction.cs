namespace Bailiwick.Durable.Sqlite;

/// <summary>An open transaction: durable once <see cref="Commit"/> returns, rolled back when disposed before.</summary>
public sealed class SqliteTransaction : IDisposable
{
    private readonly SqliteDatabase _database;
    private bool _open = true;

    internal SqliteTransaction(SqliteDatabase database) => _database = database;

    /// <summary>Commits. When it throws, nothing of the transaction is acknowledged.</summary>
    public void Commit()
    {
        if (!_open)
        {
            throw new InvalidOperationException("the transaction has ended");
        }

        try
        {
            _database.End(commit: true);
            _open = false;
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Rolls back unless committed.</summary>
    public void Dispose()
    {
        if (_open)
        {
            _open = false;
            _database.End(commit: false);
        }
    }
}
