using System.Collections.Immutable;
using Bailiwick.Channel.Board;

namespace Bailiwick.Tests.Fakes;

/// <summary>A board that knows reading only; whatever else is asked of it fails.</summary>
internal abstract class ReadOnlyBoard : IBoard
{
    public abstract Task<string> Checkpoint(CancellationToken cancel = default);

    public abstract IAsyncEnumerable<WatchEvent> Watch(long from, CancellationToken cancel = default);

    public virtual Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel = default) =>
        throw Unknown();

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
