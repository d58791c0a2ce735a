using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Bailiwick.Channel.Board;
using Bailiwick.Ledger.Checkpoints;

namespace Bailiwick.Tests.Master;

/// <summary>The real program, killed without warning while many publish.</summary>
public sealed class CrashTests
{
    private const int Publishers = 6;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_kill_and_the_tree_only_grew()
    {
        await using var world = new BoardWorld();
        using (var first = await MasterProgram.Run(world))
        {
            await world.Settle();
            await first.Kill();
        }

        var acknowledged = new ConcurrentBag<PostedReceipt>();
        for (var round = 0; round < 3; round++)
        {
            using var process = await MasterProgram.Run(world);
            var writers = Enumerable.Range(0, Publishers)
                .Select(one => Publish(
                    world.Board(world.Bank.Admin), world, $"r{round}-w{one}", acknowledged)).ToArray();
            var enough = acknowledged.Count + 25 + (round * 10);
            for (var waits = 0; acknowledged.Count < enough && waits < 3000; waits++)
            {
                await Task.Delay(10, Cancel);
            }

            await process.Kill();
            await Task.WhenAll(writers);
        }

        Assert.True(acknowledged.Count > 75, $"only {acknowledged.Count} were acknowledged");
        using var last = await MasterProgram.Run(world);
        var board = world.Board(world.Host1);
        var newest = Open(world, await board.Checkpoint(Cancel));
        var page = await All(board, newest.Size);
        foreach (var receipt in acknowledged)
        {
            Assert.Equal(receipt.Salt, page[(int)receipt.Index].Salt);
            var verdict = await LedgerComparison.Compare(Open(world, receipt.Checkpoint), newest, board, Cancel);
            Assert.True(
                verdict is LedgerComparisonVerdict.Behind or LedgerComparisonVerdict.Same, verdict.ToString());
        }

        await last.Kill();
    }

    [Fact]
    public async Task A_second_board_on_one_store_is_refused_and_a_termination_is_clean()
    {
        await using var world = new BoardWorld();
        using var first = await MasterProgram.Run(world);
        using var second = MasterProgram.Launch(world);
        await second.Process.WaitForExitAsync(Cancel);
        Assert.Equal(2, second.Process.ExitCode);
        string said = await second.Process.StandardError.ReadToEndAsync(Cancel);
        Assert.Contains("another process", said, StringComparison.Ordinal);
        using var terminate = Process.Start("kill", $"-TERM {first.Process.Id}");
        await first.Process.WaitForExitAsync(Cancel);
        Assert.Equal(0, first.Process.ExitCode);
    }

    [Theory]
    [InlineData("tls.pem", UnixFileMode.UserRead | UnixFileMode.OtherRead)]
    [InlineData("log.pem", UnixFileMode.UserRead | UnixFileMode.GroupRead)]
    [InlineData("master.json", UnixFileMode.UserRead | UnixFileMode.OtherWrite)]
    public async Task Refuses_files_that_others_can_use(string file, UnixFileMode mode)
    {
        await using var world = new BoardWorld();
        File.SetUnixFileMode(Path.Combine(world.Directory, file), mode);
        using var process = MasterProgram.Launch(world);
        await process.Process.WaitForExitAsync(Cancel);
        Assert.Equal(2, process.Process.ExitCode);
        Assert.Contains(file, await process.Process.StandardError.ReadToEndAsync(Cancel), StringComparison.Ordinal);
    }

    private static async Task Publish(
        BoardClient board, BoardWorld world, string name, ConcurrentBag<PostedReceipt> acknowledged)
    {
        for (var i = 0; i < 10_000; i++)
        {
            // Subjects of their own, so that a lost acknowledgement does not break the chain of the next.
            byte[] envelope;
            lock (world.Bank)
            {
                envelope = world.Bank.Volume($"v{name}-{i}");
            }

            try
            {
                if (await board.Publish([envelope], Cancel) is PostOutcome.Published published)
                {
                    acknowledged.Add(published.Receipts[0]);
                }
            }
            catch (BoardException)
            {
                return;
            }
        }
    }

    private static async Task<List<BoardEntry>> All(BoardClient board, long size)
    {
        var entries = new List<BoardEntry>();
        while (entries.Count < size)
        {
            entries.AddRange((await board.Entries(entries.Count, 1000, Cancel)).Entries);
        }

        return entries;
    }

    private static VerifiedCheckpoint Open(BoardWorld world, string note) =>
        Assert.IsType<CheckpointVerdict.Opened>(
            Checkpoint.Open(Encoding.UTF8.GetBytes(note), world.Log, BoardWorld.Origin)).Checkpoint;
}
