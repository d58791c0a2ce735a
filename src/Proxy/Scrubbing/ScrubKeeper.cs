using System.Text.Json;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Keys;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.MachineTpms;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Scrubbing;

/// <summary>
/// Asks the tenants' key services what of destroyed keys' bytes this host is to remove from the pool, does it, and
/// reports: those whose domains this host has every few seconds, all others of the datacentre now and then. What was
/// begun goes on, whatever any key service says.
/// </summary>
public sealed class ScrubKeeper
{
    private const int OthersRounds = 10;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3), Patience = TimeSpan.FromSeconds(5);
    private readonly HostRef _host;
    private readonly PlanKeeper _plans;
    private readonly TenantKeyServices _services;
    private readonly ScrubBook _book;
    private readonly Scrubber _scrubber;
    private readonly TimeProvider _time;

    /// <summary>Puts it together.</summary>
    /// <param name="host">This host, and what signs its reports.</param>
    /// <param name="plans">The plan in force, and the book of statements.</param>
    /// <param name="services">The tenants' key services.</param>
    /// <param name="storage">What this host has open, and where the pool is.</param>
    /// <param name="integrity">The integrity log.</param>
    /// <param name="book">What was begun.</param>
    public ScrubKeeper(
        (HostRef Name, ISigner Signer) host, PlanKeeper plans, TenantKeyServices services,
        (VirtualStorageManager Manager, string Pool) storage, IntegrityManager integrity, ScrubBook book)
    {
        ArgumentNullException.ThrowIfNull(integrity);
        (_host, _plans, _services, _book, _time) = (host.Name, plans, services, book, TimeProvider.System);
        _scrubber = new Scrubber(
            LinuxDisk.Instance, storage.Pool, book,
            new ScrubSurroundings(
                key => storage.Manager.Held.Any(one => one.Volume == key.ToString()),
                (key, isEnd, said) => integrity.Record(
                    isEnd ? IntegrityKind.Erased : IntegrityKind.Erasure, IntegrityReaders.Of(key.Tenant),
                    key.ToString(), said),
                (order, findings) => ScrubReport.Write(order, findings, host.Signer),
                _ => { }))
        {
            Forget = key => Forget(storage.Manager.Tpms, key),
        };
    }

    /// <summary>Asks and works until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        for (int round = 0; !stop.IsCancellationRequested; round = (round + 1) % OthersRounds)
        {
            HashSet<PartyId> tenants =
            [
                .. _plans.Current.Standings.Keys.Select(domain => domain.Tenant),
                .. round == 0 ? _plans.Book.Parties : [],
            ];
            foreach (ScrubWork begun in _book.All)
            {
                await TryAsync(begun.Order, stop).ConfigureAwait(false);
            }

            foreach (PartyId tenant in tenants)
            {
                foreach (byte[] order in await OrdersAsync(tenant, stop).ConfigureAwait(false))
                {
                    await TryAsync(order, stop).ConfigureAwait(false);
                }
            }

            await Task.Delay(Period, _time, stop).ConfigureAwait(false);
        }
    }

    private static void Forget(MachineTpmKeeper tpms, KeySubject key)
    {
        if (key is KeySubject.MachineTpm tpm)
        {
            tpms.Forget(tpm.Ref);
        }
    }

    private async Task<IReadOnlyList<byte[]>> OrdersAsync(PartyId tenant, CancellationToken stop)
    {
        if (_services.Client(tenant) is not { } client)
        {
            return [];
        }

        try
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(Patience);
            ScrubOrdersBody orders = await client.ScrubOrders(limit.Token).ConfigureAwait(false);
            return [.. orders.Orders.Select(CanonicalJson.Write)];
        }
        catch (Exception error) when (IsSilence(error, stop))
        {
            return [];
        }
    }

    /// <summary>Does what an order says and reports, as far as it comes; the next round goes on.</summary>
    private async Task TryAsync(byte[] envelope, CancellationToken stop)
    {
        if (Understood(envelope) is not { } order || _services.Client(order.Thing.Key.Tenant) is not { } client)
        {
            return;
        }

        try
        {
            byte[]? report = await Task.Run(() => _scrubber.Run(order, envelope, stop), stop).ConfigureAwait(false);
            if (report is not null)
            {
                using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
                limit.CancelAfter(Patience);
                await client.ReportScrub(order.Thing.Serial, report, limit.Token).ConfigureAwait(false);
                _book.Remove(order.Thing.Serial.Hex);
            }
        }
        catch (Exception error) when (IsSilence(error, stop) || error is WorldException)
        {
            // It is tried again; what was done is noted.
        }
    }

    private ScrubOrder? Understood(byte[] envelope) =>
        SignedTenant(envelope) is { } tenant && TenantServices.KeyOf(_plans.Book, tenant) is { } key
        && ScrubOrder.Verify(envelope, tenant, key, out _) is { } order && order.Host == _host
            ? order
            : null;

    /// <summary>Whose order it claims to be.</summary>
    private static PartyId? SignedTenant(byte[] envelope) =>
        Envelope.Read(envelope) is EnvelopeReading.Read { Envelope: var read }
        && CanonicalJson.ParseCanonical(read.Payload) is JsonReading.Understood { Root: var root }
        && DocumentObject.Of(root) is { } members && PartyId.TryParse(members.Text("tenant"), out PartyId? tenant)
            ? tenant
            : null;

    private static bool IsSilence(Exception error, CancellationToken stop) =>
        error is KeyServiceException or FormatException or JsonException or IOException or HttpRequestException
        || (error is OperationCanceledException && !stop.IsCancellationRequested);
}
