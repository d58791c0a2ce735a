using Bailiwick.Durable.Sqlite;

namespace Bailiwick.KeyService.Custody;

/// <summary>
/// What destroyed keys had opened, and what became of it. A row is made in the destruction's own transaction and
/// answered once. For one thread at a time.
/// </summary>
internal sealed class ScrubTable(SqliteDatabase database)
{
    public const string Schema =
        """
        CREATE TABLE scrubs (
            serial TEXT PRIMARY KEY,
            record INTEGER NOT NULL REFERENCES destructions (record),
            key TEXT NOT NULL,
            domain TEXT NOT NULL,
            host TEXT NOT NULL,
            header TEXT NOT NULL,
            wipe TEXT NOT NULL,
            seed TEXT NOT NULL,
            answered TEXT NOT NULL,
            vouched INTEGER NOT NULL,
            report TEXT NOT NULL) STRICT;
        CREATE INDEX scrubs_by_record ON scrubs (record, key);
        """;

    private const string Columns =
        "serial, record, key, domain, host, header, wipe, seed, answered, vouched, report";

    /// <summary>Adds one; the caller's transaction makes it durable.</summary>
    public void Insert(KeptScrub scrub)
    {
        using SqliteStatement insert = database.Prepare(
            $"INSERT INTO scrubs ({Columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', 0, '')");
        insert.Bind(1, scrub.Serial).Bind(2, scrub.Record).Bind(3, scrub.Key).Bind(4, scrub.Domain)
            .Bind(5, scrub.Host).Bind(6, scrub.Header).Bind(7, scrub.Wipe).Bind(8, scrub.Seed).Run();
    }

    /// <summary>Keeps a host's answer. Durable when it returns.</summary>
    public void Answer(string serial, string host, bool vouched, string report)
    {
        using SqliteStatement update = database.Prepare(
            "UPDATE scrubs SET answered = ?, vouched = ?, report = ? WHERE serial = ? AND report = ''");
        update.Bind(1, host).Bind(2, vouched ? 1 : 0).Bind(3, report).Bind(4, serial).Run();
    }

    /// <summary>Those of one destruction, in the order of the keys.</summary>
    public List<KeptScrub> Of(long record)
    {
        using SqliteStatement select = database.Prepare(
            $"SELECT {Columns} FROM scrubs WHERE record = ? ORDER BY key");
        return Read(select.Bind(1, record));
    }

    /// <summary>The first that nobody answered.</summary>
    public List<KeptScrub> Open(int most)
    {
        using SqliteStatement select = database.Prepare(
            $"SELECT {Columns} FROM scrubs WHERE report = '' ORDER BY record, key LIMIT ?");
        return Read(select.Bind(1, most));
    }

    public KeptScrub? Find(string serial)
    {
        using SqliteStatement select = database.Prepare($"SELECT {Columns} FROM scrubs WHERE serial = ?");
        return Read(select.Bind(1, serial)).FirstOrDefault();
    }

    private static List<KeptScrub> Read(SqliteStatement select)
    {
        List<KeptScrub> all = [];
        while (select.Step())
        {
            all.Add(new KeptScrub(select.Text(0), select.Text(2), select.Text(3))
            {
                Record = select.Number(1), Host = select.Text(4), Header = select.Text(5), Wipe = select.Text(6),
                Seed = select.Text(7), Answered = select.Text(8), IsVouched = select.Number(9) == 1,
                Report = select.Text(10),
            });
        }

        return all;
    }
}

/// <summary>What a destroyed key had opened, to be removed from the pool, and what became of it.</summary>
/// <param name="Serial">The destroyed key's, lower hex.</param>
/// <param name="Key">What it was the key of.</param>
/// <param name="Domain">The domain that it was of.</param>
public sealed record KeptScrub(string Serial, string Key, string Domain)
{
    /// <summary>The journal's record of the destruction; set by the vault.</summary>
    public long Record { get; init; }

    /// <summary>The host that had the key last; empty when none had.</summary>
    public required string Host { get; init; }

    /// <summary>The digest of the header that was known, lower hex; empty for none.</summary>
    public required string Header { get; init; }

    /// <summary>What the statement asks for.</summary>
    public required string Wipe { get; init; }

    /// <summary>What is written over it comes from this, lower hex.</summary>
    public required string Seed { get; init; }

    /// <summary>Who answered; empty until somebody did.</summary>
    public string Answered { get; init; } = "";

    /// <summary>Whether who answered had a lease then.</summary>
    public bool IsVouched { get; init; }

    /// <summary>The host's signed report; empty until somebody answered.</summary>
    public string Report { get; init; } = "";
}

/// <summary>A key that is about to be destroyed.</summary>
/// <param name="Key">What it is the key of.</param>
/// <param name="Serial">Its serial, lower hex.</param>
/// <param name="Domain">The domain that it is of.</param>
/// <param name="Mark">What is known of a TPM's state, or of a volume's header.</param>
/// <param name="LastHost">The host that it went to last; empty when it went to none.</param>
public sealed record GoneKey(string Key, string Serial, string Domain, string Mark, string LastHost);
