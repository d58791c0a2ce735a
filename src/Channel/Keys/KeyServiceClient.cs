using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Channel.Wire;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Channel.Keys;

/// <summary>A volume's key, opened.</summary>
/// <param name="Key">The key; its receiver disposes of it.</param>
/// <param name="Nonce">The nonce of the release, which a later return names.</param>
/// <param name="Context">What the key service bound the key to, with the revisions it decided by.</param>
/// <param name="Kept">
/// The release as it came, where it may be opened again; its receiver disposes of it. Null where it may not.
/// </param>
public sealed record OpenedKey(SecretBytes Key, string Nonce, JsonElement Context, KeptRelease? Kept);

/// <summary>A request, or evidence, as it goes to the key service.</summary>
/// <param name="Envelope">A DSSE envelope as canonical JSON.</param>
/// <param name="BootLog">The firmware's event log beside the evidence; empty when there is none.</param>
/// <param name="RuntimeLog">The kernel's runtime log, read after the quote was made; empty when there is none.</param>
/// <param name="IntegrityLog">What the tenant may see of the integrity log, JSON; empty when it is not shown.</param>
/// <param name="LogsAfter">What the key service holds, where the other two logs go on from it; null: they are whole.
/// </param>
public sealed record SignedRequest(
    ReadOnlyMemory<byte> Envelope, ReadOnlyMemory<byte> BootLog, ReadOnlyMemory<byte> RuntimeLog,
    ReadOnlyMemory<byte> IntegrityLog, JsonElement? LogsAfter);

/// <summary>
/// Asks a tenant's key service over the channel. Failures are <see cref="KeyServiceException"/>; a key that does not
/// open for exactly what was asked is one of them.
/// </summary>
public sealed class KeyServiceClient
{
    private const int MaxAnswerBytes = 1024 * 1024;
    private readonly JsonExchange _service;

    /// <summary>Uses a client made by <see cref="Pinned.PinnedHandler"/>; its owner disposes of it.</summary>
    public KeyServiceClient(HttpClient http) => _service = new JsonExchange(
        http, MaxAnswerBytes, problem => new KeyServiceException(problem),
        (phrase, error) => new KeyServiceException($"The key service {phrase}", error));

    /// <summary>
    /// Asks for a volume's key: gets a nonce, makes a session key for this request alone, has the request written and
    /// signed, and opens the answer.
    /// </summary>
    /// <param name="write">
    /// Writes and signs the request over this nonce and session key, with evidence over the same nonce and a checkpoint
    /// of at least the given size.
    /// </param>
    /// <param name="tpmPart">
    /// Has the host's TPM give out its part of the key for a context; what it throws ends the call.
    /// </param>
    /// <param name="cancel">Gives up.</param>
    public async Task<OpenedKey> Fetch(
        Func<NonceAnswer, PublicKey, CancellationToken, Task<SignedRequest>> write,
        Func<JsonElement, ReadOnlyMemory<byte>, SecretBytes> tpmPart, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(write);
        ArgumentNullException.ThrowIfNull(tpmPart);
        NonceAnswer nonce = await Nonce(cancel);
        using SessionKey session = SessionKey.Create();
        SignedRequest request = await write(nonce, session.PublicKey, cancel);
        SealedKey sealedKey = await Release(request, cancel);
        JsonElement context = ReadContext(sealedKey.Context);
        if (TextOf(context, "nonce") != nonce.Nonce || TextOf(context, "session") != session.PublicKey.Base64)
        {
            throw new KeyServiceException("The key service's answer is about another request than ours.");
        }

        using SecretBytes? part = sealedKey.Tpm is { } delivery ? tpmPart(delivery, sealedKey.Context) : null;
        return session.Open(sealedKey, part) is { } key
            ? new OpenedKey(key, nonce.Nonce, context, MayReopen(context) ? session.Keep(sealedKey) : null)
            : throw new KeyServiceException("The sealed key does not open: it was changed on the way.");
    }

    /// <summary>The keys that there are.</summary>
    public Task<KeyTreeBody> Keys(CancellationToken cancel = default) =>
        _service.Ask<KeyTreeBody>(HttpMethod.Get, "/v1/keys", null, cancel);

    /// <summary>A page of the journal before an index, the newest last.</summary>
    public Task<ReleaseLogBody> KeyLog(int before, int limit, CancellationToken cancel = default) =>
        _service.Ask<ReleaseLogBody>(
            HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"/v1/keys/log?limit={limit}&before={before}"),
            null, cancel);

    /// <summary>Replaces the master key, or a domain's.</summary>
    /// <param name="domain">`tenant id/name`; empty for the master key.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<RotatedBody> Rotate(string domain, CancellationToken cancel = default) =>
        _service.Ask<RotatedBody>(
            HttpMethod.Post, "/v1/keys/rotations", StrictJson.Write(new RotationBody(domain)), cancel);

    /// <summary>Carries prepared keys in.</summary>
    /// <param name="prepared">The document, as canonical JSON.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<LoadedBody> Load(ReadOnlyMemory<byte> prepared, CancellationToken cancel = default) =>
        _service.Ask<LoadedBody>(
            HttpMethod.Post, "/v1/keys/loads", StrictJson.Write(new LoadBody(JsonElement.Parse(prepared.Span))),
            cancel);

    /// <summary>Withdraws a key, so that it goes to nobody and restarts nothing, or allows it again.</summary>
    /// <param name="key">What it opens: `tenant id/name`.</param>
    /// <param name="withdrawn">Whether it is withdrawn.</param>
    /// <param name="cancel">Gives up.</param>
    public Task Withdraw(string key, bool withdrawn, CancellationToken cancel = default) => _service.Ask<Nothing>(
        HttpMethod.Post, "/v1/keys/withdrawals", StrictJson.Write(new WithdrawalBody(key, withdrawn)), cancel);

    /// <summary>Sends an approval to destroy keys; the answer is a receipt, an envelope in canonical JSON.</summary>
    public async Task<byte[]> Destroy(ReadOnlyMemory<byte> envelope, CancellationToken cancel = default)
    {
        ErasedBody erased = await _service.Ask<ErasedBody>(
            HttpMethod.Post, "/v1/keys/destructions",
            StrictJson.Write(new DestroyBody(JsonElement.Parse(envelope.Span))), cancel);
        return CanonicalJson.Write(erased.Receipt);
    }

    /// <summary>What the calling host is to remove from the pool, as signed orders.</summary>
    public Task<ScrubOrdersBody> ScrubOrders(CancellationToken cancel = default) =>
        _service.Ask<ScrubOrdersBody>(HttpMethod.Get, "/v1/scrubs", null, cancel);

    /// <summary>Sends a signed word on what became of it.</summary>
    /// <param name="serial">The destroyed key's, as the order says.</param>
    /// <param name="report">A DSSE envelope as canonical JSON.</param>
    /// <param name="cancel">Gives up.</param>
    public Task ReportScrub(Digest32 serial, ReadOnlyMemory<byte> report, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(serial);
        return _service.Ask<Nothing>(
            HttpMethod.Post, "/v1/scrubs",
            StrictJson.Write(new ScrubReportBody(serial.Hex, JsonElement.Parse(report.Span))), cancel);
    }

    /// <summary>Asks for a nonce.</summary>
    public Task<NonceAnswer> Nonce(CancellationToken cancel = default) =>
        _service.Ask<NonceAnswer>(HttpMethod.Post, "/v1/nonces", "{}"u8.ToArray(), cancel);

    /// <summary>Sends a signed request; the answer is still sealed.</summary>
    public async Task<SealedKey> Release(SignedRequest request, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        SealedKeyBody body = await _service.Ask<SealedKeyBody>(
            HttpMethod.Post, "/v1/releases",
            StrictJson.Write(new ReleaseBody(
                JsonElement.Parse(request.Envelope.Span), Convert.ToBase64String(request.BootLog.Span),
                Convert.ToBase64String(request.RuntimeLog.Span),
                request.IntegrityLog.IsEmpty ? null : JsonElement.Parse(request.IntegrityLog.Span), request.LogsAfter)),
            cancel);
        return StrictBase64.TryDecode(body.Ephemeral, MaxAnswerBytes, out byte[]? ephemeral)
            && StrictBase64.TryDecode(body.Ciphertext, MaxAnswerBytes, out byte[]? ciphertext)
                ? new SealedKey(ephemeral, ciphertext, Encoding.UTF8.GetBytes(body.Context)) { Tpm = body.Tpm }
                : throw new KeyServiceException("The sealed key is not base64.");
    }

    /// <summary>Proves the host: gets a nonce, has evidence made over it, and shows it.</summary>
    /// <param name="domains">The domains the host has machines of, `tenant id/name`.</param>
    /// <param name="restarts">The restart leases it keeps, by the nonces of their releases.</param>
    /// <param name="make">
    /// Makes evidence over this nonce and a checkpoint of at least the given size; what it throws ends the call.
    /// </param>
    /// <param name="cancel">Gives up.</param>
    public async Task<LeaseAnswer> Prove(
        ImmutableArray<string> domains, ImmutableArray<string> restarts,
        Func<NonceAnswer, CancellationToken, Task<SignedRequest>> make, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(make);
        NonceAnswer nonce = await Nonce(cancel);
        SignedRequest made = await make(nonce, cancel);
        return await _service.Ask<LeaseAnswer>(
            HttpMethod.Post, "/v1/leases",
            StrictJson.Write(new LeaseBody(
                nonce.Nonce, domains, JsonElement.Parse(made.Envelope.Span),
                Convert.ToBase64String(made.BootLog.Span), Convert.ToBase64String(made.RuntimeLog.Span),
                made.IntegrityLog.IsEmpty ? null : JsonElement.Parse(made.IntegrityLog.Span), made.LogsAfter,
                restarts)),
            cancel);
    }

    /// <summary>Shows a TPM; the answer is a challenge for it.</summary>
    public Task<EnrolmentChallengeBody> BeginEnrolment(EnrolmentClaimBody claim, CancellationToken cancel = default) =>
        _service.Ask<EnrolmentChallengeBody>(HttpMethod.Post, "/v1/enrolments", StrictJson.Write(claim), cancel);

    /// <summary>Sends the TPM's answer; what comes back is signed by the key service.</summary>
    public Task<EnrolledBody> CompleteEnrolment(EnrolmentAnswerBody answer, CancellationToken cancel = default) =>
        _service.Ask<EnrolledBody>(HttpMethod.Post, "/v1/enrolments/answers", StrictJson.Write(answer), cancel);

    /// <summary>Sends a signed return.</summary>
    public Task Return(ReadOnlyMemory<byte> returnEnvelope, CancellationToken cancel = default) =>
        _service.Ask<Nothing>(HttpMethod.Post, "/v1/returns", Wrap("return", returnEnvelope), cancel);

    /// <summary>Sends a signed word on the header that a blank volume was given.</summary>
    public Task Bind(ReadOnlyMemory<byte> headerEnvelope, CancellationToken cancel = default) =>
        _service.Ask<Nothing>(HttpMethod.Post, "/v1/headers", Wrap("header", headerEnvelope), cancel);

    /// <summary>Sends an approval of a takeover.</summary>
    public Task Takeover(ReadOnlyMemory<byte> takeoverEnvelope, CancellationToken cancel = default) =>
        _service.Ask<Nothing>(HttpMethod.Post, "/v1/takeovers", Wrap("takeover", takeoverEnvelope), cancel);

    /// <summary>Sends an approval that a host's TPM be forgotten.</summary>
    public Task Forget(ReadOnlyMemory<byte> forgetEnvelope, CancellationToken cancel = default) =>
        _service.Ask<Nothing>(HttpMethod.Post, "/v1/enrolments/forgotten", Wrap("forget", forgetEnvelope), cancel);

    /// <summary>Asks which hosts are enrolled.</summary>
    public Task<EnrolmentList> Enrolments(CancellationToken cancel = default) =>
        _service.Ask<EnrolmentList>(HttpMethod.Get, "/v1/enrolments", null, cancel);

    /// <summary>Asks how the key service stands.</summary>
    public Task<KeyServiceStatus> Status(CancellationToken cancel = default) =>
        _service.Ask<KeyServiceStatus>(HttpMethod.Get, "/v1/status", null, cancel);

    /// <summary>Asks who could open a volume now, and why not.</summary>
    /// <param name="volume">A volume of the key service's tenant: `tenant id/name`.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<OpeningsBody> Openings(string volume, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(volume);
        string path = string.Join('/', volume.Split('/').Select(Uri.EscapeDataString));
        return _service.Ask<OpeningsBody>(HttpMethod.Get, $"/v1/volumes/{path}/openings", null, cancel);
    }

    private static bool MayReopen(JsonElement context) =>
        context.TryGetProperty("restartSeconds", out JsonElement seconds) && seconds.TryGetInt64(out long many)
        && many > 0;

    private static byte[] Wrap(string member, ReadOnlyMemory<byte> envelope) =>
        [.. Encoding.ASCII.GetBytes($"{{\"{member}\":"), .. envelope.Span, .. "}"u8];

    private static JsonElement ReadContext(ReadOnlyMemory<byte> context) =>
        CanonicalJson.ParseCanonical(context.Span) is JsonReading.Understood { Root: var root }
        && root.ValueKind == JsonValueKind.Object
            ? root
            : throw new KeyServiceException("The context of the sealed key is not canonical JSON.");

    private static string? TextOf(JsonElement context, string member) =>
        context.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
