using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Bailiwick.Channel.Board;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Simulation.World;

/// <summary>
/// The board as one reader is shown it: perhaps away, perhaps another history, perhaps placements of its own. A watch
/// tells all there is and ends, without leaving the caller's thread.
/// </summary>
internal sealed class BoardView : IBoard
{
    private readonly ScriptedBoard _honest;
    private ImmutableArray<PlacementRow> _told;

    public BoardView(ScriptedBoard honest)
    {
        _honest = honest;
        Shown = honest;
    }

    /// <summary>The history shown.</summary>
    public ScriptedBoard Shown { get; set; }

    public bool Away { get; set; }

    public ImmutableArray<PlacementRow> Placed { get; set; } = [];

    /// <summary>Shows the true history again.</summary>
    public void BeHonest()
    {
        Shown = _honest;
        Away = false;
    }

    /// <summary>Another process reads, which was told nothing yet.</summary>
    public void Reconnect() => _told = default;

    public Task<string> Checkpoint(CancellationToken cancel = default) =>
        Away ? throw new BoardException("The board is away.") : Task.FromResult(Shown.Note());

    public async IAsyncEnumerable<WatchEvent> Watch(
        long from, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask;
        for (long index = from; index < Shown.Nodes.Size; index++)
        {
            yield return Shown.Show((int)index);
        }

        yield return new WatchEvent.Checkpoint(Shown.Note());
        if (_told != Placed)
        {
            _told = Placed;
            yield return new WatchEvent.Placements(Placed);
        }
    }

    public Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel = default) =>
        Away || second > Shown.Nodes.Size
            ? throw new BoardException("The log is shorter than that.")
            : Task.FromResult(new ProofHashes(
                [.. ConsistencyProof.Make(first, second, Shown.Nodes).Path.Select(hash => hash.Base64)]));

    public Task<ProofHashes> Inclusion(long index, long size, CancellationToken cancel = default) => throw Unknown();

    public Task<PostOutcome> Publish(
        IReadOnlyList<ReadOnlyMemory<byte>> envelopes, CancellationToken cancel = default) => throw Unknown();

    public Task<EntriesPage> Entries(long from, int limit, CancellationToken cancel = default) => throw Unknown();

    public Task<ImmutableArray<PlacementRow>> Placements(CancellationToken cancel = default) => throw Unknown();

    public Task SetPower(string compartment, bool running, CancellationToken cancel = default) => throw Unknown();

    public Task SetDrain(string host, bool draining, CancellationToken cancel = default) => throw Unknown();

    public Task Report(string host, HostReport report, CancellationToken cancel = default) => throw Unknown();

    public Task ReportLeases(LeaseReport report, CancellationToken cancel = default) => throw Unknown();

    public Task<BoardStatus> Status(CancellationToken cancel = default) => throw Unknown();

    private static NotSupportedException Unknown() => new("This board knows reading only.");
}
