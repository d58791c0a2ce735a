using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Master;

namespace Bailiwick.Tests.Channel.Board;

public sealed class BoardFollowerTests
{
    private static readonly FollowerPatience Quick =
        new(TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2));

    private readonly EcdsaSigner _signer = new(ECDsa.Create(ECCurve.NamedCurves.nistP256));
    private readonly PartyUnderTest _bank = new(StatementKind.Tenant, "bank");
    private readonly List<byte[]> _versions = [];
    private readonly byte[] _root;

    public BoardFollowerTests()
    {
        Log = NoteKey.Of("board.example/log", _signer.PublicKey);
        _root = _bank.TenantRoot();
        for (var version = 1; version <= 9; version++)
        {
            _versions.Add(_bank.Volume("data", version));
        }
    }

    private NoteKey Log { get; }

    [Fact]
    public async Task Follows_a_log_as_it_grows()
    {
        var board = Honest(7);
        await using var follower = Follow(board, new MemoryOfBoard());
        var first = await Next<BoardEvent.Advanced>(follower);
        Assert.Equal((8, 8), (first.Checkpoint.Size, first.Added.Length));
        board.Append(_versions[7]);
        var second = await Next<BoardEvent.Advanced>(follower, told => told.Added.Length > 0);
        Assert.Equal(9, second.Checkpoint.Size);
        Assert.Equal(8, second.Book.Find(_bank.Id, StatementKind.Volume, StatementName.Parse("data"))?.Revision);
    }

    [Fact]
    public async Task Refuses_an_older_state_of_the_log_while_it_runs_and_after_a_restart()
    {
        var memory = new MemoryOfBoard();
        var newest = Honest(8);
        await using (var follower = Follow(newest, memory))
        {
            await Next<BoardEvent.Advanced>(follower);
            newest.Greeting = Honest(7).Note();
            Assert.Equal(FollowerRefusal.Rollback, (await Next<BoardEvent.Refused>(follower)).Reason);
        }

        await using var restarted = Follow(Branch(newest, 8), memory);
        var refused = await Next<BoardEvent.Refused>(restarted);
        Assert.Equal((FollowerRefusal.Rollback, 9, 8), (refused.Reason, refused.Held?.Size, refused.Shown?.Size));
    }

    [Fact]
    public async Task Refuses_a_newest_revision_that_is_withheld_after_a_restart()
    {
        var memory = new MemoryOfBoard();
        var board = Honest(8);
        await using (var follower = Follow(board, memory))
        {
            await Next<BoardEvent.Advanced>(follower);
        }

        board.Withheld.Add(8);
        await using (var restarted = Follow(board, memory))
        {
            Assert.Equal(FollowerRefusal.Withheld, (await Next<BoardEvent.Refused>(restarted)).Reason);
        }

        board.Withheld.Clear();
        await using var control = Follow(board, memory);
        Assert.Equal(9, (await Next<BoardEvent.Advanced>(control)).Checkpoint.Size);
    }

    [Fact]
    public async Task A_wiped_follower_takes_an_old_state_and_comparing_with_any_other_holder_exposes_it()
    {
        var newest = Honest(8);
        await using var keeper = Follow(newest, new MemoryOfBoard());
        var known = (await Next<BoardEvent.Advanced>(keeper)).Checkpoint;
        // The honest limit: nothing in what it is shown can tell a follower without a memory that it is old.
        await using var wiped = Follow(Branch(newest, 8), new MemoryOfBoard());
        var old = (await Next<BoardEvent.Advanced>(wiped)).Checkpoint;
        var behind = Assert.IsType<LedgerComparisonVerdict.Behind>(
            await LedgerComparison.Compare(old, known, newest, TestContext.Current.CancellationToken));
        Assert.Equal((8, 9), (behind.Older.Size, behind.Newer.Size));
    }

    [Fact]
    public async Task A_fork_that_neither_reader_sees_is_exposed_by_comparing_their_checkpoints()
    {
        var common = Honest(7);
        var (left, right) = (common.Branch(8), common.Branch(8));
        left.Append(_versions[7]);
        right.Append(_bank.Volume("other"));
        await using var one = Follow(left, new MemoryOfBoard());
        await using var other = Follow(right, new MemoryOfBoard());
        var (mine, yours) = (
            (await Next<BoardEvent.Advanced>(one)).Checkpoint, (await Next<BoardEvent.Advanced>(other)).Checkpoint);
        Assert.True(Assert.IsType<LedgerComparisonVerdict.Forked>(
            await LedgerComparison.Compare(mine, yours, left, TestContext.Current.CancellationToken)).IsProved);
        right.Append(_bank.Volume("more"));
        var longer = (await Next<BoardEvent.Advanced>(other, told => told.Added.Length > 0)).Checkpoint;
        foreach (var board in new[] { left, right })
        {
            Assert.IsType<LedgerComparisonVerdict.Forked>(
                await LedgerComparison.Compare(mine, longer, board, TestContext.Current.CancellationToken));
        }

        Assert.IsType<LedgerComparisonVerdict.Behind>(
            await LedgerComparison.Compare(yours, longer, right, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Refuses_another_history_after_a_restart_even_if_it_is_longer()
    {
        var memory = new MemoryOfBoard();
        var board = Honest(8);
        await using (var follower = Follow(board, memory))
        {
            await Next<BoardEvent.Advanced>(follower);
        }

        var forged = board.Branch(8).Append(_bank.Volume("other")).Append(_bank.Volume("more"));
        await using var restarted = Follow(forged, memory);
        Assert.Equal(FollowerRefusal.Fork, (await Next<BoardEvent.Refused>(restarted)).Reason);
    }

    public static TheoryData<string, FollowerRefusal> Lies => new()
    {
        { "other root", FollowerRefusal.WrongRoot },
        { "other key", FollowerRefusal.BadCheckpoint },
        { "no note", FollowerRefusal.BadCheckpoint },
        { "gap", FollowerRefusal.OutOfOrder },
        { "twice", FollowerRefusal.OutOfOrder },
        { "swapped", FollowerRefusal.OutOfOrder },
        { "short checkpoint", FollowerRefusal.OutOfOrder },
        { "long checkpoint", FollowerRefusal.OutOfOrder },
        { "commitment", FollowerRefusal.WrongRoot },
        { "short commitment", FollowerRefusal.OutOfOrder },
        { "salt", FollowerRefusal.WrongOpening },
        { "no salt", FollowerRefusal.WrongOpening },
        { "envelope", FollowerRefusal.WrongOpening },
        { "envelope of a neighbour", FollowerRefusal.WrongOpening },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task Refuses_a_lie_takes_nothing_of_it_and_goes_on_with_the_truth(string lie, FollowerRefusal reason)
    {
        var board = Honest(3);
        board.Twist = shown => Tell(lie, board, [.. shown]);
        await using var follower = Follow(board, new MemoryOfBoard());
        var seen = await Next<BoardEvent.Refused>(follower);
        Assert.Equal(reason, seen.Reason);
        Assert.Null(seen.Held);
        board.Twist = shown => shown;
        var truth = await Next<BoardEvent.Advanced>(follower);
        Assert.Equal((4, 4), (truth.Checkpoint.Size, truth.Added.Length));
    }

    [Fact]
    public async Task An_entry_that_is_no_acceptable_statement_is_told_and_changes_nothing()
    {
        var board = Honest(2);
        board.Append(_versions[0]);
        board.Append(_versions[5]);
        await using var follower = Follow(board, new MemoryOfBoard());
        var told = await Next<BoardEvent.Advanced>(follower);
        Assert.Equal([StatementRefusal.Rollback, StatementRefusal.Gap], told.RefusedEntries.Select(one => one.Reason));
        Assert.Equal([3L, 4L], told.RefusedEntries.Select(one => one.Index));
        Assert.Equal(2, told.Book.Find(_bank.Id, StatementKind.Volume, StatementName.Parse("data"))?.Revision);
    }

    [Fact]
    public async Task Remembers_in_a_file_and_refuses_a_memory_that_was_exchanged()
    {
        var directory = Directory.CreateTempSubdirectory("bw-memory-").FullName;
        try
        {
            using var place = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Path.Combine(directory, "memory"));
            var board = Honest(8);
            using (var memory = BoardMemoryFile.Open(place))
            {
                await using var follower = Follow(board, memory);
                await Next<BoardEvent.Advanced>(follower);
            }

            using (var memory = BoardMemoryFile.Open(place))
            {
                Assert.Equal(2, memory.Load()?.Marks.Length);
                await using var restarted = Follow(Branch(board, 8), memory);
                Assert.Equal(FollowerRefusal.Rollback, (await Next<BoardEvent.Refused>(restarted)).Reason);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        var exchanged = new MemoryOfBoard();
        exchanged.Overwrite("nonsense"u8.ToArray());
        await using var fooled = Follow(Honest(1), exchanged);
        Assert.Equal(FollowerRefusal.BadMemory, (await Next<BoardEvent.Refused>(fooled)).Reason);
    }

    [Fact]
    public async Task Follows_the_real_board_as_each_kind_of_reader()
    {
        await using var world = await (await new BoardWorld().Start()).Settle();
        var readers = new[] { (world.Host1, 0), (world.Bank.Service, 3), (world.Operator.Auditor, 0) };
        foreach (var (reader, unopened) in readers)
        {
            var follower = new BoardFollower(world.Board(reader), world.Log, new MemoryOfBoard());
            await using var events = follower.Follow(TestContext.Current.CancellationToken)
                .GetAsyncEnumerator(TestContext.Current.CancellationToken);
            var told = await Next<BoardEvent.Advanced>(events);
            Assert.Equal(unopened, told.Unopened.Length);
            Assert.Equal(told.Checkpoint.Size - unopened, told.Added.Length);
            await Next<BoardEvent.PlacementsChanged>(events);
        }
    }

    private static List<WatchEvent> Tell(string lie, ScriptedBoard board, List<WatchEvent> shown)
    {
        var second = (WatchEvent.Entry)shown[1];
        switch (lie)
        {
            case "other root":
                shown[^1] = new WatchEvent.Checkpoint(board.Sign(4, board.Branch(3).Nodes.Root));
                break;
            case "other key":
                var signer = new EcdsaSigner(ECDsa.Create(ECCurve.NamedCurves.nistP256));
                var forged = new ScriptedBoard(NoteKey.Of("board.example/log", signer.PublicKey), signer);
                shown[^1] = new WatchEvent.Checkpoint(forged.Sign(4, board.Nodes.Root));
                break;
            case "no note":
                shown[^1] = new WatchEvent.Checkpoint("trust me");
                break;
            case "gap":
                shown.RemoveAt(1);
                break;
            case "twice":
                shown.Insert(1, shown[1]);
                break;
            case "swapped":
                (shown[1], shown[2]) = (shown[2], shown[1]);
                break;
            case "short checkpoint":
                shown[^1] = new WatchEvent.Checkpoint(board.Branch(3).Note());
                break;
            case "long checkpoint":
                shown.RemoveAt(3);
                break;
            case "commitment":
                shown[1] = new WatchEvent.Entry(1, Convert.ToBase64String(new byte[32]));
                break;
            case "short commitment":
                shown[1] = new WatchEvent.Entry(1, Convert.ToBase64String(new byte[31]));
                break;
            case "salt":
                shown[1] = second with { Salt = Convert.ToBase64String(new byte[32]) };
                break;
            case "no salt":
                shown[1] = second with { Salt = null };
                break;
            case "envelope":
                shown[1] = second with { Envelope = JsonElement.Parse("{}"u8) };
                break;
            case "envelope of a neighbour":
                shown[1] = second with { Envelope = ((WatchEvent.Entry)shown[2]).Envelope };
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }

        return shown;
    }

    private ScriptedBoard Honest(int versions)
    {
        var board = new ScriptedBoard(Log, _signer).Append(_root);
        foreach (var version in _versions.Take(versions))
        {
            board.Append(version);
        }

        return board;
    }

    private static ScriptedBoard Branch(ScriptedBoard board, int size) => board.Branch(size);

    private IAsyncEnumerator<BoardEvent> Follow(IBoard board, IBoardMemory memory) =>
        new BoardFollower(board, Log, memory, Quick).Follow(TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);

    private static async Task<T> Next<T>(IAsyncEnumerator<BoardEvent> events, Func<T, bool>? such = null)
        where T : BoardEvent
    {
        for (var i = 0; i < 200; i++)
        {
            Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
            if (events.Current is T told && (such is null || such(told)))
            {
                return told;
            }

            // Nothing that was not asked for may be taken, except what each connection says again.
            Assert.True(
                events.Current is BoardEvent.Silent or BoardEvent.Alive or BoardEvent.PlacementsChanged
                or BoardEvent.Refused or BoardEvent.Advanced { Added.Length: 0 },
                events.Current.GetType().Name);
        }

        throw new InvalidOperationException($"No {typeof(T).Name} came.");
    }
}
