using System.Diagnostics;
using System.Runtime.CompilerServices;
using Bailiwick.Ledger.Checkpoints;

namespace Bailiwick.Channel.Board;

/// <summary>How patient a follower is.</summary>
/// <param name="Silence">How long a board may say nothing, heartbeats included.</param>
/// <param name="FirstPause">The pause after the first failure; it doubles with each further one.</param>
/// <param name="LongestPause">The longest pause.</param>
public sealed record FollowerPatience(TimeSpan Silence, TimeSpan FirstPause, TimeSpan LongestPause)
{
    /// <summary>20 s of silence; pauses from 0.2 s to 10 s.</summary>
    public static FollowerPatience Standard { get; } =
        new(TimeSpan.FromSeconds(20), TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10));
}

/// <summary>
/// Follows a board and believes none of it: hashes every leaf into the tree itself, checks each signed root, and judges
/// each statement that it may read with a <see cref="Bailiwick.Ledger.Statements.StatementBook"/>. For one consumer.
/// </summary>
/// <remarks>
/// What a follower notices: a smaller log, another root for leaves that it saw, leaves that do not hash to the root,
/// openings that are not the leaf's, a revision it accepted once and is not shown again; all of that over restarts too,
/// as long as its memory is kept. What it cannot notice alone: a follower whose memory was wiped takes an old state of
/// the log that was once true, and two followers that are shown different histories each see a sound log. Both come to
/// light when the newest checkpoint is compared with one that anybody else holds (<see cref="LedgerComparison"/>): a
/// peer, the tenant's key service, an auditor. A board that stops at one checkpoint is not caught by hashing at all; it
/// is caught by who posted a statement of its own and does not see it.
/// </remarks>
public sealed class BoardFollower
{
    private readonly IBoard _board;
    private readonly FollowedLog _log;
    private readonly FollowerPatience _patience;
    private readonly TimeProvider _time;
    private int _following;

    /// <summary>Follows a board that keeps the log with this key; the key's name is the log's origin.</summary>
    /// <param name="board">The board.</param>
    /// <param name="log">The log's key, known beforehand.</param>
    /// <param name="memory">What is kept over restarts.</param>
    /// <param name="patience">How patient to be; the standard if null.</param>
    /// <param name="time">The clock of pauses; the system's if null.</param>
    public BoardFollower(
        IBoard board, NoteKey log, IBoardMemory memory, FollowerPatience? patience = null, TimeProvider? time = null)
    {
        _board = board;
        _log = new FollowedLog(log, memory);
        _patience = patience ?? FollowerPatience.Standard;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Follows until cancelled; never ends by itself. Can be asked once.</summary>
    public async IAsyncEnumerable<BoardEvent> Follow([EnumeratorCancellation] CancellationToken cancel = default)
    {
        if (Interlocked.Exchange(ref _following, 1) != 0)
        {
            throw new InvalidOperationException("A follower has one consumer.");
        }

        if (_log.Recall() is { } unreadable)
        {
            yield return unreadable;
            throw new InvalidOperationException(unreadable.Sentence);
        }

        var pause = _patience.FirstPause;
        while (true)
        {
            await foreach (var told in Attend(cancel))
            {
                pause = told is BoardEvent.Advanced ? _patience.FirstPause : pause;
                yield return told;
            }

            await Task.Delay(pause, _time, cancel);
            pause = pause * 2 < _patience.LongestPause ? pause * 2 : _patience.LongestPause;
        }
    }

    /// <summary>One connection: its last event says why it ended.</summary>
    private async IAsyncEnumerable<BoardEvent> Attend([EnumeratorCancellation] CancellationToken cancel)
    {
        _log.DropPending();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (await Greet(limit, cancel) is { } unwelcome)
        {
            yield return unwelcome;
            yield break;
        }

        await using var watch = _board.Watch(_log.Size, limit.Token).GetAsyncEnumerator(limit.Token);
        while (true)
        {
            var (seen, silent) = await Next(watch, limit, cancel);
            var told = silent ?? Understand(seen ?? throw new UnreachableException());
            if (told is not null)
            {
                yield return told;
            }

            if (told is BoardEvent.Silent or BoardEvent.Refused)
            {
                yield break;
            }
        }
    }

    private BoardEvent? Understand(WatchEvent seen) => seen switch
    {
        WatchEvent.Entry entry => _log.Take(entry),
        WatchEvent.Checkpoint checkpoint => _log.Take(checkpoint),
        WatchEvent.Placements placements => new BoardEvent.PlacementsChanged(placements.Rows),
        WatchEvent.Heartbeat => new BoardEvent.Alive(),
        WatchEvent.Reread => _log.Reread(),
        _ => throw new UnreachableException(),
    };

    private async Task<BoardEvent?> Greet(CancellationTokenSource limit, CancellationToken cancel)
    {
        try
        {
            limit.CancelAfter(_patience.Silence);
            return _log.Greet(await _board.Checkpoint(limit.Token));
        }
        catch (Exception error) when (IsSilence(error, cancel))
        {
            return Say(error);
        }
    }

    private async Task<(WatchEvent? Seen, BoardEvent.Silent? Silent)> Next(
        IAsyncEnumerator<WatchEvent> watch, CancellationTokenSource limit, CancellationToken cancel)
    {
        try
        {
            limit.CancelAfter(_patience.Silence);
            return await watch.MoveNextAsync()
                ? (watch.Current, null)
                : (null, new BoardEvent.Silent("The board ended the stream."));
        }
        catch (Exception error) when (IsSilence(error, cancel))
        {
            return (null, Say(error));
        }
    }

    private static bool IsSilence(Exception error, CancellationToken cancel) =>
        error is BoardException or IOException or HttpRequestException
        || (error is OperationCanceledException && !cancel.IsCancellationRequested);

    private BoardEvent.Silent Say(Exception error) => new(error is OperationCanceledException
        ? $"The board has said nothing for {_patience.Silence.TotalSeconds} s."
        : error.Message);
}
