using System.Collections.Immutable;

namespace Bailiwick.Channel.Board;

/// <summary>
/// The board as its clients see it. Nothing it answers is verified here: the follower does that for what
/// is read, and a receipt's proof for what is published. Failures are <see cref="BoardException"/>.
/// </summary>
public interface IBoard
{
    /// <summary>Publishes statements, all or none; when it returns they are durable.</summary>
    /// <param name="envelopes">DSSE envelopes, in an order in which each can be accepted.</param>
    /// <param name="cancel">Gives up.</param>
    Task<PostOutcome> Publish(IReadOnlyList<ReadOnlyMemory<byte>> envelopes, CancellationToken cancel = default);

    /// <summary>Leaves from an index on; at most <paramref name="limit"/> of them.</summary>
    Task<EntriesPage> Entries(long from, int limit, CancellationToken cancel = default);

    /// <summary>Everything from an index on, and then what comes, until cancelled or the connection ends.</summary>
    IAsyncEnumerable<WatchEvent> Watch(long from, CancellationToken cancel = default);

    /// <summary>The newest checkpoint's signed note.</summary>
    Task<string> Checkpoint(CancellationToken cancel = default);

    /// <summary>The proof that a leaf is in the tree of a size.</summary>
    Task<ProofHashes> Inclusion(long index, long size, CancellationToken cancel = default);

    /// <summary>The proof that the tree of one size begins the tree of another.</summary>
    Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel = default);

    /// <summary>The present suggestions.</summary>
    Task<ImmutableArray<PlacementRow>> Placements(CancellationToken cancel = default);

    /// <summary>Orders a machine to run or to stop.</summary>
    /// <param name="compartment">`tenant id/name`.</param>
    /// <param name="running">Whether it should run.</param>
    /// <param name="cancel">Gives up.</param>
    Task SetPower(string compartment, bool running, CancellationToken cancel = default);

    /// <summary>Orders a host to be emptied or filled.</summary>
    /// <param name="host">`operator id/name`.</param>
    /// <param name="draining">Whether it should be emptied.</param>
    /// <param name="cancel">Gives up.</param>
    Task SetDrain(string host, bool draining, CancellationToken cancel = default);

    /// <summary>Reports as a host.</summary>
    /// <param name="host">`operator id/name`: the caller itself.</param>
    /// <param name="report">What it says.</param>
    /// <param name="cancel">Gives up.</param>
    Task Report(string host, HostReport report, CancellationToken cancel = default);

    /// <summary>Reports as a tenant's key service how hosts stand with it.</summary>
    Task ReportLeases(LeaseReport report, CancellationToken cancel = default);

    /// <summary>What the board knows, as far as the caller may see it.</summary>
    Task<BoardStatus> Status(CancellationToken cancel = default);
}
