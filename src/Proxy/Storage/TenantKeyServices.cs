using System.Collections.Concurrent;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Pinned;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
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
    HostRef host, ChannelIdentity identity, EvidenceDesk evidence, PlanKeeper plans, TpmEnrolment enrolment)
    : IVolumeKeys, IDisposable
{
    private const string NotHeldSo = "not-held-so";
    private const string NotEnrolled = "evidence-not-enrolled";
    private static readonly TimeSpan EnrolPeriod = TimeSpan.FromMilliseconds(500);
    private readonly ConcurrentDictionary<string, HttpClient> _clients = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async Task<VolumeKeyAnswer> RequestAsync(
        VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
    {
        if (Client(question.Volume.Tenant) is not { } client)
        {
            return new VolumeKeyAnswer.Refused(["the tenant's root statement names no key service that can be asked"]);
        }

        try
        {
            await enrolment.EnsureAsync(question.Volume.Tenant, client, stop).ConfigureAwait(false);
            OpenedKey opened = await client.Fetch(
                async (given, session, cancel) =>
                {
                    KeyNonce nonce = KeyNonce.Of(Convert.FromBase64String(given.Nonce))
                        ?? throw new KeyServiceException("The key service's nonce has another length than a nonce.");
                    byte[] proof = await evidence.MakeAsync(nonce.Bytes, given.Size, cancel).ConfigureAwait(false);
                    about(given.Nonce);
                    byte[] envelope = ReleaseRequest.Write(
                        new RequestedParts(question.Volume, question.Compartment, host, nonce, session), proof,
                        identity.Signer);
                    return new SignedRequest(envelope, evidence.BootLog(), evidence.RuntimeLog());
                },
                stop).ConfigureAwait(false);
            return new VolumeKeyAnswer.Released(opened.Key);
        }
        catch (KeyServiceException error) when (error.Problem is { } problem)
        {
            if (problem.Refusals is { IsDefaultOrEmpty: false } all && all.Any(r => r.Code == NotEnrolled))
            {
                enrolment.Forget(question.Volume.Tenant);
            }

            return new VolumeKeyAnswer.Refused(problem.Refusals is { IsDefaultOrEmpty: false } refusals
                ? [.. refusals.Select(r => $"{r.Sentence} [{r.Code}]")]
                : [$"{problem.Detail} [{problem.Code}]"]);
        }
        catch (Exception error) when (error is KeyServiceException or FormatException)
        {
            throw new WorldException(["ask the key service for", question.Volume.ToString()], -1, error.Message);
        }
    }

    /// <inheritdoc/>
    public async Task<string> ReturnAsync(EnforcedPlan plan, HeldVolume volume, CancellationToken stop)
    {
        if (volume.Volume.Split('/') is not [var party, var name] || !PartyId.TryParse(party, out PartyId? tenant)
            || !StatementName.TryParse(name, out StatementName? parsed) || Client(tenant) is not { } client)
        {
            return "the tenant's root statement names no key service that can be asked";
        }

        foreach (string text in volume.Nonces)
        {
            if (KeyNonce.Of(Convert.FromBase64String(text)) is not { } nonce)
            {
                continue;
            }

            try
            {
                byte[] document = HolderDocument.WriteReturn(
                    new VolumeRef(tenant, parsed), host, nonce, identity.Signer);
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
            PartyId[] tenants = [.. plans.Current.Plan.Domains.Select(domain => domain.Domain.Tenant).Distinct()];
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

    private KeyServiceClient? Client(PartyId tenant)
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
}
