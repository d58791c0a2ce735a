using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Wire;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Peers;

/// <summary>Asks another host to prove itself.</summary>
/// <param name="Nonce">1 to 64 bytes, base64, used for this question only.</param>
/// <param name="After">
/// How far the asker followed the host's integrity log (boot, entries, first, head); null for the first time.
/// </param>
/// <param name="Held">
/// What the asker holds of the host's logs (boot, bootLog, entries, register, resets, restarts); null for nothing.
/// </param>
public sealed record ProofQuestion(string Nonce, JsonElement? After, JsonElement? Held);

/// <summary>What a host shows of itself; all of it is to be verified.</summary>
/// <param name="Evidence">A DSSE envelope over the nonce; null as long as the host knows no checkpoint.</param>
/// <param name="Enrolments">What tenants' key services signed of its TPM: DSSE envelopes.</param>
/// <param name="BootLog">The firmware's event log, base64; empty when there is none, or where the asker holds it.
/// </param>
/// <param name="RuntimeLog">
/// The kernel's runtime log, base64; empty when there is none. Only what is new where the asker holds the rest.
/// </param>
/// <param name="IntegrityLog">
/// What the asker may see of its integrity log (integrity-tail/v1); null when there are too many entries.
/// </param>
/// <param name="LogsAfter">What the asker holds, where the two logs go on from it; null where they are whole.</param>
public sealed record ProofAnswer(
    JsonElement? Evidence, ImmutableArray<JsonElement> Enrolments, string BootLog, string RuntimeLog,
    JsonElement? IntegrityLog, JsonElement? LogsAfter);

/// <summary>A host could not be asked, or gave no answer that can be read.</summary>
public sealed class PeerException : Exception
{
    /// <summary>A refusal by the host.</summary>
    public PeerException(ProblemBody problem)
        : base($"it refused ({problem.Code}): {problem.Detail} {problem.Next}") => Problem = problem;

    /// <summary>No answer that can be used.</summary>
    public PeerException(string cause, Exception? inner = null)
        : base(cause, inner)
    {
    }

    /// <summary>The refusal, or null when there was none that could be read.</summary>
    public ProblemBody? Problem { get; }
}

/// <summary>Speaks with another host's Proxy.</summary>
public sealed class PeerClient
{
    private const int MaxAnswerBytes = 32 * 1024 * 1024;
    private const int MaxProblemBytes = 65_536;
    private readonly HttpClient _http;
    private readonly JsonExchange _host;

    /// <summary>Uses a client made by <see cref="Pinned.PinnedHandler"/>; its owner disposes of it.</summary>
    public PeerClient(HttpClient http)
    {
        _http = http;
        _host = new JsonExchange(
            http, MaxAnswerBytes, problem => new PeerException(problem),
            (phrase, error) => new PeerException($"it {phrase}", error));
    }

    /// <summary>Asks for evidence over a nonce.</summary>
    /// <param name="nonce">The nonce.</param>
    /// <param name="after">How far the host's integrity log was followed; null for the first time.</param>
    /// <param name="held">What is held of its boot log and runtime log; null for nothing, and whole logs.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="PeerException">There is no answer.</exception>
    public Task<ProofAnswer> Prove(
        ReadOnlyMemory<byte> nonce, JsonElement? after, JsonElement? held, CancellationToken cancel = default) =>
        Post<ProofAnswer>(
            "/v1/evidence", StrictJson.Write(new ProofQuestion(Convert.ToBase64String(nonce.Span), after, held)),
            cancel);

    /// <summary>Has the host enrol its TPM with a tenant, anew if it was before.</summary>
    /// <exception cref="PeerException">It does not, and why.</exception>
    public Task<EnrolmentDone> Enrol(PartyId tenant, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return Post<EnrolmentDone>(
            "/v1/enrolments", StrictJson.Write(new EnrolmentOrder(tenant.ToString())), cancel);
    }

    /// <summary>Asks one of the host's other routes for one document.</summary>
    /// <exception cref="PeerException">It refuses, or does not answer.</exception>
    public Task<TAnswer> Ask<TQuestion, TAnswer>(
        string path, TQuestion question, CancellationToken cancel = default) =>
        Post<TAnswer>(path, StrictJson.Write(question), cancel);

    /// <summary>Reads one document of the host's.</summary>
    /// <exception cref="PeerException">It refuses, or does not answer.</exception>
    public Task<TAnswer> Read<TAnswer>(string path, CancellationToken cancel = default) =>
        _host.Ask<TAnswer>(HttpMethod.Get, path, null, cancel);

    /// <summary>Asks one of the host's routes whose answer is a stream; the caller disposes of the answer.</summary>
    /// <exception cref="PeerException">It refuses, or does not answer.</exception>
    public async Task<HttpResponseMessage> Open(string path, CancellationToken cancel = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        HttpResponseMessage? answer = null;
        try
        {
            answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel)
                .ConfigureAwait(false);
            if (answer.IsSuccessStatusCode)
            {
                return answer;
            }

            await answer.Content.LoadIntoBufferAsync(MaxProblemBytes, cancel).ConfigureAwait(false);
            byte[] body = await answer.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false);
            throw new PeerException(StrictJson.Read<ProblemBody>(body, MaxProblemBytes));
        }
        catch (Exception error) when (error is HttpRequestException or StrictJsonException)
        {
            answer?.Dispose();
            throw new PeerException($"it does not answer, or not as it should: {error.Message}", error);
        }
        catch
        {
            answer?.Dispose();
            throw;
        }
    }

    private Task<T> Post<T>(string path, byte[] json, CancellationToken cancel) =>
        _host.Ask<T>(HttpMethod.Post, path, json, cancel);
}
