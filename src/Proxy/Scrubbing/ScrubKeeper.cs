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
/// begun goes on, whatever any key service says. All have their turns, so that a large volume delays no other.
/// </summary>
public sealed class ScrubKeeper
{
    private const int OthersRounds = 10;
    private const long TurnBytes = 64L << 20;
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
            Forget = key => Forget(storage.Manager.Tpms, key), TurnBytes = TurnBytes,
        };
    }

    /// <summary>Asks and works until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        for (int round = 0; !stop.IsCancellationRequested; round = (round + 1) % OthersRounds)
        {
            long asked = _time.GetTimestamp();
            List<byte[]> open = await OpenAsync(round == 0, stop).ConfigureAwait(false);
            bool isHalfway;
            do
            {
                isHalfway = false;
                foreach (byte[] order in open.ToArray())
                {
                    ScrubTurn? turn = await TryAsync(order, stop).ConfigureAwait(false);
                    isHalfway |= turn is ScrubTurn.Halfway;
                    if (turn is not ScrubTurn.Halfway)
                    {
                        open.Remove(order);
                    }
                }
            }
            while (isHalfway && _time.GetElapsedTime(asked) < Period && !stop.IsCancellationRequested);

            if (!isHalfway)
            {
                await Task.Delay(Period, _time, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What was begun, and what key services ask for besides.</summary>
    /// <param name="all">Whether the key services of all tenants are asked.</param>
    /// <param name="stop">Gives up.</param>
    private async Task<List<byte[]>> OpenAsync(bool all, CancellationToken stop)
    {
        HashSet<PartyId> tenants =
        [
            .. _plans.Current.Standings.Keys.Select(domain => domain.Tenant),
            .. all ? _plans.Book.Parties : [],
        ];
        List<byte[]> open = [.. _book.All.Select(work => work.Order)];
        HashSet<string> begun = [.. _book.All.Select(work => work.Serial)];
        foreach (PartyId tenant in tenants)
        {
            open.AddRange((await OrdersAsync(tenant, stop).ConfigureAwait(false))
                .Where(order => Understood(order) is { } read && !begun.Contains(read.Thing.Serial.Hex)));
        }

        return open;
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

    /// <summary>Gives an order one turn, and reports when it is done; null where the next round tries again.</summary>
    private async Task<ScrubTurn?> TryAsync(byte[] envelope, CancellationToken stop)
    {
        if (Understood(envelope) is not { } order || _services.Client(order.Thing.Key.Tenant) is not { } client)
        {
            return null;
        }

        try
        {
            ScrubTurn turn = await Task.Run(() => _scrubber.Run(order, envelope, stop), stop).ConfigureAwait(false);
            if (turn is ScrubTurn.Reported { Report: var report })
            {
                using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
                limit.CancelAfter(Patience);
                await client.ReportScrub(order.Thing.Serial, report, limit.Token).ConfigureAwait(false);
                _book.Remove(order.Thing.Serial.Hex);
            }

            return turn;
        }
        catch (Exception error) when (IsSilence(error, stop) || error is WorldException)
        {
            // It is tried again; what was done is noted.
            return null;
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
