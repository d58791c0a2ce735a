using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;

namespace Bailiwick.Channel.Board;

/// <summary>Asks a board over the channel. See <see cref="IBoard"/> for the meaning of each call.</summary>
public sealed class BoardClient : IBoard
{
    private readonly JsonExchange _board;

    /// <summary>Uses a client made by <see cref="Pinned.PinnedHandler"/>, whose owner disposes of it.</summary>
    public BoardClient(HttpClient http) => _board = new JsonExchange(
        http, ChannelLimits.AnswerBytes, problem => new BoardException(problem),
        (phrase, error) => new BoardException($"The board {phrase}", error));

    /// <inheritdoc/>
    public async Task<PostOutcome> Publish(
        IReadOnlyList<ReadOnlyMemory<byte>> envelopes, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(envelopes);
        using var body = new MemoryStream();
        // The envelopes' own bytes are sent, not a copy that went through a reader and a writer.
        body.Write("{\"envelopes\":["u8);
        for (var i = 0; i < envelopes.Count; i++)
        {
            body.Write(i == 0 ? ""u8 : ","u8);
            body.Write(envelopes[i].Span);
        }

        body.Write("]}"u8);
        try
        {
            return new PostOutcome.Published((await _board.Ask<PostedReceipts>(
                HttpMethod.Post, "/v1/statements", body.ToArray(), cancel)).Receipts);
        }
        catch (BoardException error) when (
            error.Problem is { Status: (int)HttpStatusCode.UnprocessableEntity, Refusals: { } refusals })
        {
            return new PostOutcome.Refused(refusals);
        }
    }

    /// <inheritdoc/>
    public Task<EntriesPage> Entries(long from, int limit, CancellationToken cancel = default) =>
        Get<EntriesPage>($"/v1/entries?from={Text(from)}&limit={Text(limit)}", cancel);

    /// <inheritdoc/>
    public async IAsyncEnumerable<WatchEvent> Watch(
        long from, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var answer = await _board.Open($"/v1/watch?from={Text(from)}", cancel);
        await using var stream = await answer.Content.ReadAsStreamAsync(cancel);
        await foreach (var line in JsonLines.Read(stream, ChannelLimits.StreamLineBytes, cancel))
        {
            yield return _board.Understand<WatchEvent>(line, ChannelLimits.StreamLineBytes);
        }
    }

    /// <inheritdoc/>
    public async Task<string> Checkpoint(CancellationToken cancel = default) =>
        (await Get<CheckpointNote>("/v1/checkpoint", cancel)).Note;

    /// <inheritdoc/>
    public Task<ProofHashes> Inclusion(long index, long size, CancellationToken cancel = default) =>
        Get<ProofHashes>($"/v1/proofs/inclusion?index={Text(index)}&size={Text(size)}", cancel);

    /// <inheritdoc/>
    public Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel = default) =>
        Get<ProofHashes>($"/v1/proofs/consistency?first={Text(first)}&second={Text(second)}", cancel);

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlacementRow>> Placements(CancellationToken cancel = default) =>
        (await Get<PlacementList>("/v1/placements", cancel)).Placements;

    /// <inheritdoc/>
    public Task SetPower(string compartment, bool running, CancellationToken cancel = default) =>
        Order(HttpMethod.Put, $"/v1/compartments/{compartment}/power", new PowerOrder(running), cancel);

    /// <inheritdoc/>
    public Task SetDrain(string host, bool draining, CancellationToken cancel = default) =>
        Order(HttpMethod.Put, $"/v1/hosts/{host}/drain", new DrainOrder(draining), cancel);

    /// <inheritdoc/>
    public Task ReportLeases(LeaseReport report, CancellationToken cancel = default) =>
        Order(HttpMethod.Post, "/v1/leases", report, cancel);

    /// <inheritdoc/>
    public Task Report(string host, HostReport report, CancellationToken cancel = default) =>
        Order(HttpMethod.Post, $"/v1/hosts/{host}/reports", report, cancel);

    /// <inheritdoc/>
    public Task<BoardStatus> Status(CancellationToken cancel = default) => Get<BoardStatus>("/v1/status", cancel);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private Task<T> Get<T>(string path, CancellationToken cancel) =>
        _board.Ask<T>(HttpMethod.Get, path, null, cancel);

    private Task<Nothing> Order<T>(HttpMethod method, string path, T body, CancellationToken cancel) =>
        _board.Ask<Nothing>(method, path, StrictJson.Write(body), cancel);
}
