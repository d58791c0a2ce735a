using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Channel.Identity;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Pinned;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Has the other hosts of this host's domains prove themselves, each with a nonce of this host's own, and lends them
/// trust as far as each domain's owner demands. Nobody between the two hosts is believed, the Master included.
/// </summary>
public sealed class PeerWatch(
    ChannelIdentity identity, PlanKeeper plans, BoardWatch board, PeerLeases leases,
    PeerTunnelKeys tunnelKeys, TimeProvider time) : IDisposable
{
    /// <summary>Between two rounds, in seconds.</summary>
    public const int PeriodSeconds = LeaseKeeper.PeriodSeconds;

    /// <summary>Where a Proxy listens on its host's underlay address.</summary>
    public const int Port = 7500;

    private const int NonceBytes = 32;
    private const int MostKeys = 4096;
    private const int HastyRounds = 20;
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, HttpClient> _clients = new(StringComparer.Ordinal);
    private readonly PeerKnowledge _known = new();
    private readonly AskingRound<HostRef, HostRef> _round = new(time);
    private readonly VerifierKeyCache _keys = new(MostKeys);
    private readonly RoundPause _pause = new();
    private int _hasty;

    /// <summary>Asks everyone, again and again, until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        plans.Changed += OnPlanChanged;
        while (!stop.IsCancellationRequested)
        {
            ImmutableArray<(HostRef Host, DomainRef Domain)> wanted = plans.Current.Doubts.Keys;
            leases.Keep(wanted);
            _known.Keep(wanted);
            tunnelKeys.Keep(wanted);
            await _round.AskAsync(
                wanted.Select(pair => pair.Host).Distinct(),
                peer => JudgeAsync(
                    peer, [.. wanted.Where(pair => pair.Host == peer).Select(pair => pair.Domain)], stop),
                LeaseKeeper.Together).ConfigureAwait(false);
            try
            {
                plans.Reconsider();
            }
            catch (WorldException)
            {
                // The record could not be made: the plan before stays in force, and is computed again.
            }

            // Whoever was never heard is asked again at once: machines wait for their network. So is, for a while, who
            // has not named the keys yet of a tunnel that is to be: frames wait for it.
            ImmutableArray<(HostRef Host, DomainRef Domain)> next = plans.Current.Doubts.Keys;
            bool strangers = next.IsEmpty || next.Any(pair => !leases.Knows(pair.Host, pair.Domain));
            bool haste = strangers
                || (tunnelKeys.Lacks(plans.Current.Plan) && Interlocked.Increment(ref _hasty) <= HastyRounds);
            await _pause.RestAsync(haste ? Impatience : TimeSpan.FromSeconds(PeriodSeconds), time, stop)
                .ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        plans.Changed -= OnPlanChanged;
        _keys.Dispose();
        foreach (HttpClient client in _clients.Values)
        {
            client.Dispose();
        }
    }

    /// <summary>Another plan is no reason to have everybody prove himself at once, but a tunnel to be is.</summary>
    private void OnPlanChanged()
    {
        if (tunnelKeys.Lacks(plans.Current.Plan))
        {
            Interlocked.Exchange(ref _hasty, 0);
            _pause.Wake();
        }
    }

    private async Task<HostRef> JudgeAsync(HostRef peer, ImmutableArray<DomainRef> domains, CancellationToken stop)
    {
        if (await leases.JudgeAsync(peer, domains, () => AskAsync(peer, domains, stop)).ConfigureAwait(false)
            is { } failure)
        {
            _known.Forget(peer, domains);
            foreach (DomainRef domain in domains)
            {
                tunnelKeys.Forget(peer, domain);
            }

            // The full exception, not only its message: this is for whoever repairs the Proxy.
            await Console.Error.WriteLineAsync($"bailiwick: judging {peer} failed: {failure}").ConfigureAwait(false);
        }

        return peer;
    }

    /// <summary>A host that does not answer keeps what it was lent until that ends by itself.</summary>
    private async Task AskAsync(HostRef peer, ImmutableArray<DomainRef> domains, CancellationToken stop)
    {
        CheckedDatacentre datacentre = plans.Current.Datacentre;
        if (!datacentre.Inventory.Hosts.TryGetValue(peer.ToString(), out HostModel? host)
            || ReleaseControl.IdentityKeyOf(datacentre, peer) is not { } key)
        {
            return;
        }

        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        try
        {
            byte[] nonce = RandomNumberGenerator.GetBytes(NonceBytes);
            IntegrityPosition? followed = _known.FollowedOf(peer);
            LogsPosition? held = _known.HeldOf(peer, datacentre, domains);
            ProofAnswer answer = await Client(host, key)
                .Prove(nonce, followed?.Write(), held?.Write(), limit.Token).ConfigureAwait(false);
            if (answer.Evidence is not { } evidence)
            {
                return;
            }

            EvidenceLogs logs = new(
                Convert.FromBase64String(answer.BootLog), Convert.FromBase64String(answer.RuntimeLog))
            {
                IntegrityLog = answer.IntegrityLog is { } log ? CanonicalJson.Write(log) : default,
                After = answer.LogsAfter is { } after ? LogsPosition.Read(after)
                    ?? throw new FormatException("The logs go on from no position.") : null,
            };
            byte[] envelope = CanonicalJson.Write(evidence);
            foreach (IGrouping<PartyId, DomainRef> tenant in domains.GroupBy(domain => domain.Tenant))
            {
                EvidenceExpectation expectation = new()
                {
                    Host = peer.ToString(),
                    IdentityKey = key,
                    EndorsementKey = ReleaseControl.EndorsementKeyOf(datacentre, peer),
                    Enrolment = Enrolment(answer, tenant.Key, peer),
                    ChannelKey = key.Id,
                    Checkpoint = new CheckpointRule(board.Checkpoint?.Origin ?? "", 0, Judge),
                    Known = _known.BootOf(tenant.Key, peer),
                    IntegrityLog = new IntegrityDemand(null, followed),
                    Nonce = nonce,
                };
                EvidenceVerdict verdict = EvidenceVerifier.Verify(envelope, expectation, logs, _keys);
                Take(peer, tenant, datacentre, verdict);
                _known.Take(tenant.Key, peer, verdict);
            }
        }
        catch (Exception error) when (error is PeerException or FormatException or ArgumentException
            || (error is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // Silence ends the lease by itself; a network that loses a packet must not end it at once.
        }
    }

    private void Take(
        HostRef peer, IEnumerable<DomainRef> domains, CheckedDatacentre datacentre, EvidenceVerdict verdict)
    {
        foreach (DomainRef domain in domains)
        {
            ImmutableArray<string> against =
                LeaseControl.Against(verdict, datacentre, peer, domain, time.GetUtcNow());
            leases.Take(peer, domain, against);
            if (against.IsEmpty && verdict is EvidenceVerdict.Verified { Evidence: var evidence })
            {
                tunnelKeys.Take(peer, domain, evidence.TunnelKeys);
            }
            else
            {
                tunnelKeys.Forget(peer, domain);
            }
        }
    }

    private EnrolledKey? Enrolment(ProofAnswer answer, PartyId tenant, HostRef peer) =>
        TenantServices.KeyOf(plans.Book, tenant) is { } service
            ? answer.Enrolments.Select(document => EnrolmentDocument.Verify(
                CanonicalJson.Write(document), tenant, service, out _))
                .FirstOrDefault(key => key?.Host == peer.ToString())
            : null;

    /// <summary>
    /// Freshness is the nonce's; a checkpoint of the size of our own newest one must still be the same.
    /// </summary>
    private CheckpointStanding Judge(EvidenceCheckpoint claimed) =>
        board.Checkpoint is { } newest && newest.Size == claimed.Size && newest.Root != claimed.Root
            ? CheckpointStanding.Inconsistent
            : CheckpointStanding.Consistent;

    private PeerClient Client(HostModel host, PublicKey key)
    {
        string address = $"{host.UnderlayIpv4}:{Port}";
        return new PeerClient(_clients.GetOrAdd(
            $"{key.Id} {address}", _ => PinnedHandler.Create(identity, key.Id, ChannelAddress.Parse(address), time)));
    }
}
