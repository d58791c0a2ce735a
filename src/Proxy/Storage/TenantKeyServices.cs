using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Pinned;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// Asks each tenant's key service, at the address and with the key that the tenant's own root statement gives, so that
/// nobody else can stand in for it.
/// </summary>
public sealed class TenantKeyServices(
    HostRef host, ChannelIdentity identity, EvidenceDesk evidence, PlanKeeper plans, TpmEnrolment enrolment,
    OwnLeases leases) : IVolumeKeys, IDisposable
{
    private const string NotHeldSo = "not-held-so";
    private const string NotEnrolled = "evidence-not-enrolled";
    private static readonly TimeSpan EnrolPeriod = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LeasePatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly ConcurrentDictionary<string, HttpClient> _clients = new(StringComparer.Ordinal);
    // One proof after the other: a TPM's clock must not seem to go back because two were on their way at once, and the
    // key service follows this host's log from where the proof before ended.
    private readonly ConcurrentDictionary<PartyId, SemaphoreSlim> _turns = [];

    /// <inheritdoc/>
    public async Task<VolumeKeyAnswer> RequestAsync(
        VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
    {
        if (Client(question.Key.Tenant) is not { } client)
        {
            return new VolumeKeyAnswer.Refused(["the tenant's root statement names no key service that can be asked"]);
        }

        try
        {
            await enrolment.EnsureAsync(question.Key.Tenant, client, stop).ConfigureAwait(false);
            await LeasesAsync(question, stop).ConfigureAwait(false);
            using Turn turn = await TurnAsync(question.Key.Tenant, stop).ConfigureAwait(false);
            OpenedKey opened = await client.Fetch(
                async (given, session, cancel) =>
                {
                    KeyNonce nonce = KeyNonce.Read(given.Nonce)
                        ?? throw new KeyServiceException("The key service's nonce is none.");
                    HostEvidence proof = await evidence.ShowAsync(nonce.Bytes, given.Size, cancel)
                        .ConfigureAwait(false);
                    about(given.Nonce);
                    byte[] envelope = ReleaseRequest.Write(
                        new RequestedParts(question.Key, question.Compartment, host, nonce, session)
                        {
                            State = question.State,
                            Copy = question.Copy,
                            EndorsementKey = evidence.Tpm?.EndorsementArea,
                        },
                        proof.Envelope, identity.Signer);
                    return evidence.Beside(envelope, proof, given, question.Key.Tenant);
                },
                OpenPart, stop).ConfigureAwait(false);
            if (IsForHeader(question, opened.Context) && IsForAccess(question, opened.Context)
                && Says(opened.Context, "copy", question.Copy?.ToString() ?? ""))
            {
                return new VolumeKeyAnswer.Released(opened.Key) { Restart = RestartOffer.Of(opened) };
            }

            opened.Key.Dispose();
            opened.Kept?.Dispose();
            throw new KeyServiceException(
                "The key is released for another header than the volume's file has, or for another access or use than "
                + "the plan's.");
        }
        catch (KeyServiceException error) when (error.IsSilence)
        {
            throw new KeyServiceSilentException(question.Key, error.Message);
        }
        catch (KeyServiceException error) when (error.Problem is { } problem)
        {
            if (problem.Refusals is { IsDefaultOrEmpty: false } all && all.Any(r => r.Code == NotEnrolled))
            {
                enrolment.Forget(question.Key.Tenant);
            }

            return new VolumeKeyAnswer.Refused(Reasons(problem));
        }
        catch (Exception error) when (error is KeyServiceException or FormatException)
        {
            throw new WorldException(["ask the key service for", question.Key.ToString()], -1, error.Message);
        }
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<string>> BindAsync(
        KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop)
    {
        if (KeyNonce.Read(nonce) is not { } release || Client(volume.Tenant) is not { } client)
        {
            return ["the tenant's root statement names no key service that can be asked"];
        }

        try
        {
            byte[] document = HolderDocument.WriteHeader(volume, header, host, release, identity.Signer);
            await client.Bind(document, stop).ConfigureAwait(false);
            return [];
        }
        catch (KeyServiceException error) when (error.Problem is { } problem)
        {
            return Reasons(problem);
        }
        catch (KeyServiceException error)
        {
            throw new WorldException(["tell the key service the header of", volume.ToString()], -1, error.Message);
        }
    }

    /// <inheritdoc/>
    public async Task<string> ReturnAsync(
        EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop)
    {
        if (KeySubject.Read(volume.Volume) is not { } key || Client(key.Tenant) is not { } client)
        {
            return "the tenant's root statement names no key service that can be asked";
        }

        foreach (string text in volume.Nonces)
        {
            if (KeyNonce.Read(text) is not { } nonce)
            {
                continue;
            }

            try
            {
                byte[] document = HolderDocument.WriteReturn(
                    key, state, evidence.Boot, host, nonce, identity.Signer);
                await client.Return(document, stop).ConfigureAwait(false);
                return "";
            }
            catch (KeyServiceException error) when (error.Problem?.Code == NotHeldSo)
            {
                // Nothing was released under this nonce, or it was ended already; the next one may be the release.
            }
            catch (KeyServiceException error)
            {
                return error.Message;
            }
        }

        return "";
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (HttpClient client in _clients.Values)
        {
            client.Dispose();
        }
    }

    /// <summary>
    /// Enrols this host with every tenant that has something here, before anybody needs it: other hosts ask for it.
    /// </summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            EnforcedPlan plan = plans.Current;
            PartyId[] tenants =
            [
                .. plan.Plan.Domains.Select(domain => domain.Domain).Concat(plan.Standings.Keys)
                    .Select(domain => domain.Tenant).Distinct(),
            ];
            foreach (PartyId tenant in tenants)
            {
                try
                {
                    if (Client(tenant) is { } client)
                    {
                        await enrolment.EnsureAsync(tenant, client, stop).ConfigureAwait(false);
                    }
                }
                catch (Exception error) when (error is KeyServiceException or WorldException or FormatException)
                {
                    // It is tried again; until then the tenant's key service and the other hosts say what is missing.
                }
            }

            await Task.Delay(EnrolPeriod, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Proves this host to a tenant's key service.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="domains">The domains of which this host has machines.</param>
    /// <param name="restarts">The restart leases that this host keeps, by the nonces of their releases.</param>
    /// <param name="make">Makes evidence over the key service's nonce; null gives up.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What it says; null when nothing was asked.</returns>
    /// <exception cref="KeyServiceException">It refuses to judge, or cannot be asked.</exception>
    /// <exception cref="WorldException">A log cannot be read.</exception>
    public async Task<LeaseAnswer?> ProveAsync(
        PartyId tenant, ImmutableArray<string> domains, ImmutableArray<string> restarts,
        Func<ReadOnlyMemory<byte>, HostEvidence?> make, CancellationToken stop)
    {
        if (Client(tenant) is not { } client)
        {
            return null;
        }

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        await enrolment.EnsureAsync(tenant, client, limit.Token).ConfigureAwait(false);
        using Turn turn = await TurnAsync(tenant, limit.Token).ConfigureAwait(false);
        try
        {
            LeaseAnswer answer = await client.Prove(
                domains, restarts,
                async (given, cancel) =>
                    await evidence.HasReadAsync(given.Size, cancel).ConfigureAwait(false)
                    && make(Convert.FromBase64String(given.Nonce)) is { } made
                        ? evidence.Beside(made.Envelope, made, given, tenant)
                        : throw new NothingToShowException(),
                limit.Token).ConfigureAwait(false);
            if (answer.Domains.Any(one => !one.Against.IsEmpty))
            {
                // One of the reasons may be that the key service knows no enrolment of this host any more.
                enrolment.Forget(tenant);
            }

            return answer;
        }
        catch (NothingToShowException)
        {
            return null;
        }
    }

    private static ImmutableArray<string> Reasons(ProblemBody problem) =>
        problem.Refusals is { IsDefaultOrEmpty: false } refusals
            ? [.. refusals.Select(r => $"{r.Sentence} [{r.Code}]")]
            : [$"{problem.Detail} [{problem.Code}]"];

    /// <summary>What the key service bound the key to is what was shown.</summary>
    private static bool IsForHeader(VolumeKeyQuestion question, JsonElement context) =>
        question.Key is not KeySubject.Volume || Says(context, "header", question.State?.Hex ?? "");

    /// <inheritdoc/>
    /// <remarks>What may be opened again is kept by <see cref="Restarting.RestartingKeys"/>.</remarks>
    public bool IsKept(EnforcedPlan plan, HeldVolume volume) => false;

    /// <summary>What the key service decided on is what the machine is about to do with the volume.</summary>
    private static bool IsForAccess(VolumeKeyQuestion question, JsonElement context) =>
        Says(context, "access", question.Access is { } planned ? WireText.Of(planned) : "");

    private static bool Says(JsonElement context, string member, string what) =>
        context.TryGetProperty(member, out JsonElement said) && said.ValueKind == JsonValueKind.String
        && said.GetString() == what;

    /// <summary>What this host's TPM gives out for a release; it is bound to the very context.</summary>
    /// <exception cref="WorldException">The TPM's state is another than approved, or it does not answer.</exception>
    public SecretBytes OpenPart(JsonElement shown, ReadOnlyMemory<byte> context) =>
        evidence.Tpm is { } tpm && TpmDelivery.Read(shown, Digest32.Of(context.Span)) is { } delivery
            ? tpm.Open(delivery)
            : throw new KeyServiceException("The key service wrapped the key for a TPM that this host has not.");

    /// <summary>No key comes before the leases, and those of a machine that was just placed here are on their way.
    /// </summary>
    private Task LeasesAsync(VolumeKeyQuestion question, CancellationToken stop) => leases.KnownAsync(
        [.. OwnMachines.DomainsOf(question.Plan.Datacentre, question.Compartment)], LeasePatience, stop);

    private async Task<Turn> TurnAsync(PartyId tenant, CancellationToken stop)
    {
        SemaphoreSlim turn = _turns.GetOrAdd(tenant, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(stop).ConfigureAwait(false);
        return new Turn(turn);
    }

    /// <summary>Enrols this host with a tenant now, anew if it was before.</summary>
    /// <returns>Why no vendor vouches for the TPM, in sentences; empty when one does.</returns>
    /// <exception cref="KeyServiceException">The key service refuses, is not known, or cannot be asked.</exception>
    /// <exception cref="WorldException">This host has no TPM, or it does not answer.</exception>
    public async Task<ImmutableArray<string>> EnrolAsync(PartyId tenant, CancellationToken stop)
    {
        KeyServiceClient client = Client(tenant) ?? throw new KeyServiceException(
            $"The newest root statement of {tenant.Short} that this host has names no key service.");
        await enrolment.RepeatAsync(tenant, client, stop).ConfigureAwait(false);
        return enrolment.DoubtsOf(tenant);
    }

    /// <summary>A tenant's key service; null where its root names none.</summary>
    internal KeyServiceClient? Client(PartyId tenant)
    {
        if (TenantServices.KeyOf(plans.Book, tenant) is not { } key
            || !ChannelAddress.TryParse(TenantServices.AddressOf(plans.Book, tenant), out ChannelAddress? address))
        {
            return null;
        }

        // A root that names another key or place gets another client; the old one is no longer used.
        return new KeyServiceClient(
            _clients.GetOrAdd($"{key.Id} {address}", _ => PinnedHandler.Create(identity, key.Id, address)));
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }

    /// <summary>No evidence was made, so nothing is asked.</summary>
    private sealed class NothingToShowException : Exception;
}
