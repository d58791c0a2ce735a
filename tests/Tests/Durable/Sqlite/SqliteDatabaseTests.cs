using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;

namespace Bailiwick.Tests.Durable.Sqlite;

public sealed class SqliteDatabaseTests : IDisposable
{
    private const string Insert = "INSERT INTO leaf (number, name, body) VALUES (?1, ?2, ?3)";
    private static readonly SqliteSchema First = new(
        0x4257_4C31,
        ["CREATE TABLE leaf (number INTEGER PRIMARY KEY, name TEXT, body BLOB NOT NULL) STRICT"]);

    private static readonly SqliteSchema Second = First with
    {
        Steps = [.. First.Steps, "CREATE TABLE child (leaf INTEGER NOT NULL REFERENCES leaf (number)) STRICT"],
    };

    private readonly string _path = Directory.CreateTempSubdirectory("bailiwick-sqlite-").FullName;
    private readonly PrivateDirectory _directory;

    public SqliteDatabaseTests() => _directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);

    public void Dispose()
    {
        _directory.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void Finds_committed_rows_after_reopening_and_no_rolled_back_ones()
    {
        using (SqliteDatabase database = SqliteDatabase.Open(_directory, "board.db", First))
        {
            using (SqliteTransaction kept = database.Begin())
            {
                Add(database, 1, "it's; DROP TABLE leaf --", [1, 2, 3]);
                Add(database, 2, null, []);
                kept.Commit();
            }

            using (database.Begin())
            {
                Add(database, 3, "gone", [9]);
            }
        }

        using SqliteDatabase again = SqliteDatabase.Open(_directory, "board.db", First);
        using SqliteStatement rows = again.Prepare("SELECT number, name, body FROM leaf ORDER BY number");
        Assert.True(rows.Step());
        Assert.Equal(1, rows.Number(0));
        Assert.Equal("it's; DROP TABLE leaf --", rows.Text(1));
        Assert.Equal([1, 2, 3], rows.Blob(2));
        Assert.True(rows.Step());
        Assert.True(rows.IsNull(1));
        Assert.Empty(rows.Blob(2));
        Assert.False(rows.Step());
    }

    [Fact]
    public void All_its_files_are_for_the_owner_alone()
    {
        using SqliteDatabase database = SqliteDatabase.Open(_directory, "board.db", First);
        Add(database, 1, "one", [1]);
        string[] files = Directory.GetFiles(_path);
        Assert.Contains(files, file => file.EndsWith("-wal", StringComparison.Ordinal));
        Assert.All(files, file => Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public void Commits_with_full_synchronisation_in_the_write_ahead_log()
    {
        using SqliteDatabase database = SqliteDatabase.Open(_directory, "board.db", First);
        using SqliteStatement journal = database.Prepare("PRAGMA journal_mode");
        using SqliteStatement synchronous = database.Prepare("PRAGMA synchronous");
        Assert.True(journal.Step());
        Assert.True(synchronous.Step());
        Assert.Equal("wal", journal.Text(0));
        Assert.Equal(2, synchronous.Number(0));
    }

    [Fact]
    public void Brings_an_older_schema_up_to_date_and_refuses_a_newer_one()
    {
        using (SqliteDatabase old = SqliteDatabase.Open(_directory, "board.db", First))
        {
            Add(old, 1, "kept", [1]);
        }

        using (SqliteDatabase updated = SqliteDatabase.Open(_directory, "board.db", Second))
        {
            updated.Execute("INSERT INTO child (leaf) VALUES (1)");
        }

        DurableException newer =
            Assert.Throws<DurableException>(() => SqliteDatabase.Open(_directory, "board.db", First));
        Assert.Contains("version 2", newer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_database_of_another_application()
    {
        SqliteDatabase.Open(_directory, "board.db", First).Dispose();
        SqliteSchema other = First with { ApplicationId = 7 };
        Assert.Throws<DurableException>(() => SqliteDatabase.Open(_directory, "board.db", other));
    }

    [Fact]
    public void A_failed_step_of_the_schema_leaves_the_old_version()
    {
        SqliteDatabase.Open(_directory, "board.db", First).Dispose();
        SqliteSchema broken = First with { Steps = [.. Second.Steps, "CREATE TABLE leaf (x)"] };
        SqliteException failed =
            Assert.Throws<SqliteException>(() => SqliteDatabase.Open(_directory, "board.db", broken));
        Assert.Equal("migrate", failed.Operation);
        SqliteDatabase.Open(_directory, "board.db", First).Dispose();
    }

    [Fact]
    public void Refuses_a_damaged_file()
    {
        using (SqliteDatabase database = SqliteDatabase.Open(_directory, "board.db", First))
        {
            for (int i = 0; i < 200; i++)
            {
                Add(database, i, $"row {i}", new byte[200]);
            }
        }

        string file = Path.Join(_path, "board.db");
        byte[] bytes = File.ReadAllBytes(file);
        bytes.AsSpan(8192, 2048).Fill(0xA5);
        File.WriteAllBytes(file, bytes);
        Assert.ThrowsAny<DurableException>(() => SqliteDatabase.Open(_directory, "board.db", First));
    }

    [Fact]
    public void Refuses_a_file_that_is_no_database_a_link_and_a_loose_file()
    {
        File.WriteAllText(Path.Join(_path, "text.db"), new string('x', 4096));
        File.SetUnixFileMode(Path.Join(_path, "text.db"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(Path.Join(_path, "link.db"), Path.Join(_path, "text.db"));
        File.WriteAllText(Path.Join(_path, "loose.db"), "");
        File.SetUnixFileMode(Path.Join(_path, "loose.db"), (UnixFileMode)0x1B6);
        Assert.Equal(26, Assert.Throws<SqliteException>(() => SqliteDatabase.Open(_directory, "text.db", First)).Code);
        Assert.Throws<DurableException>(() => SqliteDatabase.Open(_directory, "link.db", First));
        Assert.Throws<DurableException>(() => SqliteDatabase.Open(_directory, "loose.db", First));
    }

    [Fact]
    public void A_constraint_is_told_apart_and_names_the_statement()
    {
        using SqliteDatabase database = SqliteDatabase.Open(_directory, "board.db", Second);
        Add(database, 1, "one", [1]);
        SqliteException twice = Assert.Throws<SqliteException>(() => Add(database, 1, "again", [1]));
        Assert.True(twice.IsConstraint);
        Assert.Equal(Insert, twice.Operation);
        SqliteException orphan =
            Assert.Throws<SqliteException>(() => database.Execute("INSERT INTO child (leaf) VALUES (5)"));
        Assert.True(orphan.IsConstraint);
        SqliteException typo = Assert.Throws<SqliteException>(() => database.Execute("SELEC 1"));
        Assert.False(typo.IsConstraint);
        Add(database, 2, "still usable", [1]);
    }

    [Fact]
    public void Refuses_two_statements_in_one_text_and_nested_transactions()
    {
        using SqliteDatabase database = SqliteDatabase.Open(_directory, "board.db", First);
        Assert.Throws<ArgumentException>(() => database.Execute("SELECT 1; SELECT 2"));
        using SqliteTransaction open = database.Begin();
        Assert.Throws<InvalidOperationException>(database.Begin);
    }

    [Fact]
    public void Refuses_to_read_a_column_as_another_type()
    {
        using SqliteDatabase database = SqliteDatabase.Open(_directory, "board.db", First);
        using SqliteStatement row = database.Prepare("SELECT 'a', x'00', 1, NULL");
        Assert.True(row.Step());
        Assert.Throws<DurableException>(() => row.Number(0));
        Assert.Throws<DurableException>(() => row.Text(1));
        Assert.Throws<DurableException>(() => row.Blob(2));
        Assert.Throws<DurableException>(() => row.Text(3));
        Assert.Equal("a", row.Text(0));
    }

    private static void Add(SqliteDatabase database, long number, string? name, byte[] body)
    {
        using SqliteStatement insert = database.Prepare(Insert);
        Assert.Equal(1, insert.Bind(1, number).Bind(2, name).Bind(3, body).Run());
    }
}
