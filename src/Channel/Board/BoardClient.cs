using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;

namespace Bailiwick.Channel.Board;

/// <summary>Asks a board over the channel. See <see cref="IBoard"/> for the meaning of each call.</summary>
public sealed class BoardClient : IBoard
{
    private readonly HttpClient _http;

    /// <summary>Uses a client made by <see cref="Pinned.PinnedHandler"/>, whose owner disposes of it.</summary>
    public BoardClient(HttpClient http) => _http = http;

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
        using var answer = await Send(HttpMethod.Post, "/v1/statements", body.ToArray(), cancel);
        if (answer.StatusCode == HttpStatusCode.UnprocessableEntity)
        {
            var problem = await Read<ProblemBody>(answer, cancel);
            return problem.Refusals is { } refusals
                ? new PostOutcome.Refused(refusals)
                : throw new BoardException(problem);
        }

        return new PostOutcome.Published((await Accept<PostedReceipts>(answer, cancel)).Receipts);
    }

    /// <inheritdoc/>
    public Task<EntriesPage> Entries(long from, int limit, CancellationToken cancel = default) =>
        Get<EntriesPage>($"/v1/entries?from={Text(from)}&limit={Text(limit)}", cancel);

    /// <inheritdoc/>
    public async IAsyncEnumerable<WatchEvent> Watch(
        long from, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var request = Request(HttpMethod.Get, $"/v1/watch?from={Text(from)}", null);
        using var answer = await Ask(request, cancel);
        if (!answer.IsSuccessStatusCode)
        {
            throw new BoardException(await Read<ProblemBody>(answer, cancel));
        }

        await using var stream = await answer.Content.ReadAsStreamAsync(cancel);
        await foreach (var line in JsonLines.Read(stream, ChannelLimits.StreamLineBytes, cancel))
        {
            yield return Understand<WatchEvent>(line, ChannelLimits.StreamLineBytes);
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

    private static HttpRequestMessage Request(HttpMethod method, string path, byte[]? json)
    {
        // A request of our own making does not take the client's defaults.
        var request = new HttpRequestMessage(method, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (json is not null)
        {
            request.Content = new ByteArrayContent(json);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        return request;
    }

    private async Task<T> Get<T>(string path, CancellationToken cancel)
    {
        using var answer = await Send(HttpMethod.Get, path, null, cancel);
        return await Accept<T>(answer, cancel);
    }

    private async Task Order<T>(HttpMethod method, string path, T body, CancellationToken cancel)
    {
        using var answer = await Send(method, path, StrictJson.Write(body), cancel);
        _ = await Accept<Nothing>(answer, cancel);
    }

    private async Task<HttpResponseMessage> Send(
        HttpMethod method, string path, byte[]? json, CancellationToken cancel)
    {
        using var request = Request(method, path, json);
        return await Ask(request, cancel);
    }

    private async Task<HttpResponseMessage> Ask(HttpRequestMessage request, CancellationToken cancel)
    {
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        }
        catch (Exception error) when (
            error is HttpRequestException or IOException
            || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new BoardException($"The board cannot be asked: {error.Message}", error);
        }
    }

    private static async Task<T> Accept<T>(HttpResponseMessage answer, CancellationToken cancel) =>
        answer.StatusCode == HttpStatusCode.OK
            ? await Read<T>(answer, cancel)
            : throw new BoardException(await Read<ProblemBody>(answer, cancel));

    private static async Task<T> Read<T>(HttpResponseMessage answer, CancellationToken cancel)
    {
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(cancel);
            return await BoundedBody.Read(stream, ChannelLimits.AnswerBytes, cancel) is { } body
                ? Understand<T>(body, ChannelLimits.AnswerBytes)
                : throw new BoardException($"The board's answer is larger than {ChannelLimits.AnswerBytes} bytes.");
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw new BoardException($"The board's answer broke off: {error.Message}", error);
        }
    }

    private static T Understand<T>(ReadOnlyMemory<byte> json, int maxBytes)
    {
        try
        {
            return StrictJson.Read<T>(json.Span, maxBytes);
        }
        catch (StrictJsonException error)
        {
            throw new BoardException($"The board's answer cannot be read. {error.Message}", error);
        }
    }
}
