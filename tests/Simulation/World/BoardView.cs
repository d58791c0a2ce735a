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
internal sealed class BoardView : ReadOnlyBoard
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

    public override Task<string> Checkpoint(CancellationToken cancel = default) =>
        Away ? throw new BoardException("The board is away.") : Task.FromResult(Shown.Note());

    public override async IAsyncEnumerable<WatchEvent> Watch(
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

    public override Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel = default) =>
        Away || second > Shown.Nodes.Size
            ? throw new BoardException("The log is shorter than that.")
            : Task.FromResult(new ProofHashes(
                [.. ConsistencyProof.Make(first, second, Shown.Nodes).Path.Select(hash => hash.Base64)]));
}
