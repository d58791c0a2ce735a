using System.Net;
using System.Net.Http.Headers;
using Bailiwick.Channel.Routes;

namespace Bailiwick.Channel.Wire;

/// <summary>
/// How every client of the channel asks its one server: strict JSON there and back, HTTP/2 and no other, an answer of
/// bounded size that is there within the client's time limit. What goes wrong becomes the client's own exception.
/// </summary>
/// <param name="http">A client made by <see cref="Pinned.PinnedHandler"/>; its owner disposes of it.</param>
/// <param name="maxAnswerBytes">Largest answer that is read into memory.</param>
/// <param name="refused">Makes the exception for a refusal.</param>
/// <param name="failed">Makes the exception for everything else, from a phrase that follows the server's name.</param>
internal sealed class JsonExchange(
    HttpClient http, int maxAnswerBytes, Func<ProblemBody, Exception> refused,
    Func<string, Exception?, Exception> failed)
{
    /// <summary>Asks, and reads the whole answer.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path with its query.</param>
    /// <param name="json">The body; null for none.</param>
    /// <param name="cancel">Gives up, which is no failure of the server.</param>
    public Task<T> Ask<T>(HttpMethod method, string path, byte[]? json, CancellationToken cancel) =>
        InTime(
            async limited =>
            {
                using HttpResponseMessage answer = await Accepted(method, path, json, limited);
                return await Read<T>(answer, limited);
            },
            cancel);

    /// <summary>Asks for a stream, whose body has no end to wait for; the receiver disposes of it.</summary>
    public Task<HttpResponseMessage> Open(string path, CancellationToken cancel) =>
        InTime(limited => Accepted(HttpMethod.Get, path, null, limited), cancel);

    /// <summary>Understands an answer, or one line of a stream.</summary>
    public T Understand<T>(ReadOnlyMemory<byte> json, int maxBytes)
    {
        try
        {
            return StrictJson.Read<T>(json.Span, maxBytes);
        }
        catch (StrictJsonException error)
        {
            throw failed($"gave an answer that cannot be read: {error.Message}", error);
        }
    }

    private async Task<T> InTime<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        // The client's own limit ends with the headers of an answer that is read as it comes.
        limit.CancelAfter(http.Timeout);
        try
        {
            return await ask(limit.Token);
        }
        catch (Exception error) when (
            error is HttpRequestException or IOException
            || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw failed($"cannot be asked: {error.Message}", error);
        }
    }

    private async Task<HttpResponseMessage> Accepted(
        HttpMethod method, string path, byte[]? json, CancellationToken cancel)
    {
        // A request of our own making does not take the client's defaults.
        using HttpRequestMessage request = new(method, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (json is not null)
        {
            request.Content = new ByteArrayContent(json);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        HttpResponseMessage answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (answer.StatusCode == HttpStatusCode.OK)
        {
            return answer;
        }

        using (answer)
        {
            throw refused(await Read<ProblemBody>(answer, cancel));
        }
    }

    private async Task<T> Read<T>(HttpResponseMessage answer, CancellationToken cancel)
    {
        await using Stream stream = await answer.Content.ReadAsStreamAsync(cancel);
        return await BoundedBody.Read(stream, maxAnswerBytes, cancel) is { } body
            ? Understand<T>(body, maxAnswerBytes)
            : throw failed($"gave an answer of more than {maxAnswerBytes} bytes", null);
    }
}
