using System.Collections.Immutable;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Board;

/// <summary>A follower's memory in a SQLite file of a private directory. For one follower at a time.</summary>
public sealed class BoardMemoryFile : IBoardMemory, IDisposable
{
    private static readonly SqliteSchema Schema = new(
        0x4257424d,
        [
            """
            CREATE TABLE newest (id INTEGER PRIMARY KEY CHECK (id = 1), note BLOB NOT NULL) STRICT;
            CREATE TABLE marks (
                owner TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
                revision INTEGER NOT NULL CHECK (revision > 0), digest BLOB NOT NULL CHECK (length(digest) = 32),
                PRIMARY KEY (owner, kind, name)) STRICT;
            """,
        ]);

    private readonly SqliteDatabase _database;

    private BoardMemoryFile(SqliteDatabase database) => _database = database;

    /// <summary>Opens the memory, empty if there is none yet.</summary>
    /// <exception cref="DurableException">The file is damaged or not private.</exception>
    public static BoardMemoryFile Open(PrivateDirectory directory, string name = "board.db") =>
        new(SqliteDatabase.Open(directory, name, Schema));

    /// <inheritdoc/>
    public BoardRecollection? Load()
    {
        using var newest = _database.Prepare("SELECT note FROM newest WHERE id = 1");
        if (!newest.Step())
        {
            return null;
        }

        var marks = ImmutableArray.CreateBuilder<SubjectMark>();
        using var rows = _database.Prepare("SELECT owner, kind, name, revision, digest FROM marks");
        while (rows.Step())
        {
            marks.Add(
                PartyId.TryParse(rows.Text(0), out var owner) && StatementKinds.TryParse(rows.Text(1), out var kind)
                && StatementName.TryParse(rows.Text(2), out var name)
                    ? new SubjectMark(owner, kind, name, rows.Number(3), Digest32.FromBytes(rows.Blob(4)))
                    : throw new DurableException(
                        "read", _database.Path, "a mark names no subject; restore the file from a copy"));
        }

        return new BoardRecollection([.. newest.Blob(0)], marks.ToImmutable());
    }

    /// <inheritdoc/>
    public void Save(ReadOnlySpan<byte> note, IReadOnlyCollection<SubjectMark> changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        using var transaction = _database.Begin();
        using (var newest = _database.Prepare("INSERT OR REPLACE INTO newest (id, note) VALUES (1, ?1)"))
        {
            newest.Bind(1, note).Run();
        }

        using var insert = _database.Prepare(
            "INSERT OR REPLACE INTO marks (owner, kind, name, revision, digest) VALUES (?1, ?2, ?3, ?4, ?5)");
        foreach (var mark in changed)
        {
            insert.Bind(1, mark.Owner.ToString()).Bind(2, mark.Kind.WireName()).Bind(3, mark.Name.Text)
                .Bind(4, mark.Revision).Bind(5, mark.Digest.Bytes).Run();
            insert.Reset();
        }

        transaction.Commit();
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _database.Dispose();
}
