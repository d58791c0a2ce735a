using Bailiwick.Durable.Files;
using Bailiwick.Durable.Sqlite;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Master.Store;

namespace Bailiwick.Tests.Master;

/// <summary>The operator edits the store of a stopped board: it must not serve, and say which entry is wrong.</summary>
public sealed class StoreDamageTests
{
    public static TheoryData<string, string, long?> Edits => new()
    {
        { "salt", "UPDATE entries SET salt = zeroblob(32) WHERE position = 5", 5 },
        { "short salt", "UPDATE entries SET salt = zeroblob(31) WHERE position = 5", 5 },
        {
            "envelope",
            "UPDATE entries SET envelope = CAST(substr(envelope, 1, 90) || x'41' || substr(envelope, 92) AS BLOB) "
            + "WHERE position = 7",
            7
        },
        { "empty envelope", "UPDATE entries SET envelope = x'' WHERE position = 0", 0 },
        { "copied row", "REPLACE INTO entries SELECT 3, salt, envelope FROM entries WHERE position = 6", 3 },
        { "first row deleted", "DELETE FROM entries WHERE position = 0", 0 },
        { "middle row deleted", "DELETE FROM entries WHERE position = 4", 4 },
        { "last row deleted", "DELETE FROM entries WHERE position = 10", 10 },
        { "row added", "INSERT INTO entries SELECT 11, salt, envelope FROM entries WHERE position = 10", 11 },
        { "hash", "UPDATE nodes SET hash = zeroblob(32) WHERE level = 0 AND position = 2", 2 },
        { "upper hash", "UPDATE nodes SET hash = zeroblob(32) WHERE level = 3 AND position = 0", 0 },
        { "hash deleted", "DELETE FROM nodes WHERE level = 1 AND position = 1", 2 },
        { "hash added", "INSERT INTO nodes VALUES (5, 0, zeroblob(32))", 11 },
        { "checkpoint deleted", "DELETE FROM checkpoint", 0 },
        { "checkpoint text", "UPDATE checkpoint SET note = x'41'", null },
        { "order", "INSERT INTO orders VALUES (1, 9, 'x', 1, 'x')", null },
    };

    [Theory]
    [MemberData(nameof(Edits))]
    public async Task Refuses_to_serve_an_edited_store_and_names_the_entry(string what, string sql, long? index)
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        await world.Stop();
        Edit(world, sql);
        var error = await Assert.ThrowsAsync<StoreDamagedException>(world.Start);
        Assert.True(error.Index == index, $"{what}: {error.Message}");
    }

    [Fact]
    public async Task Refuses_swapped_rows()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        await world.Stop();
        Edit(
            world, "UPDATE entries SET position = 1000 WHERE position = 2",
            "UPDATE entries SET position = 2 WHERE position = 9",
            "UPDATE entries SET position = 9 WHERE position = 1000");
        var error = await Assert.ThrowsAsync<StoreDamagedException>(world.Start);
        Assert.Equal(2, error.Index);
    }

    [Fact]
    public async Task Refuses_a_checkpoint_of_another_key_and_serves_an_untouched_store()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        await world.Stop();
        await world.Start();
        await world.Publish(world.Bank.Admin, world.Bank.Volume("data"));
        await world.Stop();
        await using var other = new BoardWorld();
        var foreign = new Checkpoint(BoardWorld.Origin, 0, MerkleTree.EmptyRoot).Sign(other.Log, other.LogSigner);
        Edit(world, $"UPDATE checkpoint SET note = x'{Convert.ToHexString(foreign)}'");
        await Assert.ThrowsAsync<StoreDamagedException>(world.Start);
    }

    [Fact]
    public async Task Every_flipped_byte_of_the_file_is_refused_or_changes_nothing_that_is_served()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var before = await world.Board(world.Host1).Entries(0, 1000, TestContext.Current.CancellationToken);
        await world.Stop();
        Edit(world, "PRAGMA wal_checkpoint(TRUNCATE)");
        foreach (var leftover in new[] { "-wal", "-shm" })
        {
            File.Delete(world.DatabasePath + leftover);
        }

        var good = await File.ReadAllBytesAsync(world.DatabasePath, TestContext.Current.CancellationToken);
        var (refused, unchanged) = (0, 0);
        using var directory = PrivateDirectory.Open(LinuxDisk.Instance, Path.Combine(world.Directory, "store"));
        var identity = new Bailiwick.Master.Log.LogIdentity(world.Log, world.LogSigner, world.Operator.Id);
        // Each flip opens a database, so a prime stride keeps it to some hundreds of places, spread over all pages.
        for (var at = 0; at < good.Length; at += 131)
        {
            var bad = good.ToArray();
            bad[at] ^= 0x10;
            await File.WriteAllBytesAsync(world.DatabasePath, bad, TestContext.Current.CancellationToken);
            try
            {
                using var store = BoardStore.Open(directory);
                var log = Bailiwick.Master.Log.BoardLog.Open(store, identity);
                Assert.Equal(before.Checkpoint, log.State.Note);
                Assert.Equal(
                    before.Entries.Select(entry => entry.Commitment),
                    log.Range(0, log.State.Size).Select(entry => entry.Commitment.Base64));
                unchanged++;
            }
            catch (Exception error) when (error is StoreDamagedException or Bailiwick.Durable.DurableException)
            {
                refused++;
            }

            File.Delete(world.DatabasePath + "-wal");
            File.Delete(world.DatabasePath + "-shm");
        }

        Assert.True(refused > 20 && unchanged > 0, $"{refused} refused, {unchanged} unchanged");
    }

    private static void Edit(BoardWorld world, params string[] statements)
    {
        using var directory = PrivateDirectory.Open(LinuxDisk.Instance, Path.Combine(world.Directory, "store"));
        using var database = SqliteDatabase.Open(
            directory, "board.db", new SqliteSchema(0x42574c47, ["SELECT 1"]));
        foreach (var sql in statements)
        {
            // The edits are constants of this class; only the product is held to constants by the compiler.
#pragma warning disable CA1857
            database.Execute(sql);
#pragma warning restore CA1857
        }
    }
}
