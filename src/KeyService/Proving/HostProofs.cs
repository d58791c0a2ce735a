using System.Collections.Concurrent;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.HostLogs;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Proving;

/// <summary>What a host showed of itself to this key service.</summary>
/// <param name="Host">The host that it must be of.</param>
/// <param name="Caller">The key at the other end of the channel.</param>
/// <param name="Nonce">The nonce that this key service gave for it.</param>
/// <param name="Evidence">A DSSE envelope as canonical JSON.</param>
/// <param name="Logs">The logs that came with it.</param>
/// <param name="Known">What the logs may go on from; null when they must be whole.</param>
public sealed record ShownEvidence(
    HostRef Host, KeyId Caller, ReadOnlyMemory<byte> Nonce, ReadOnlyMemory<byte> Evidence, EvidenceLogs Logs,
    KnownBoot? Known);

/// <summary>
/// Judges what hosts show of themselves, whatever for, in one order: a TPM's counters only go on, so those of the last
/// quote are what the next one is held against. Safe for use from several threads.
/// </summary>
public sealed class HostProofs(PartyId tenant, EnrolmentBook enrolments, HostLogBook logs) : IDisposable
{
    private const int MostKeys = 4096;
    private readonly Lock _gate = new();
    private readonly VerifierKeyCache _keys = new(MostKeys);
    private readonly Dictionary<(string Host, Digest32 Tpm), TpmClockInfo> _clocks = [];
    private readonly KnownBoots<string> _known = new();
    private readonly ConcurrentDictionary<string, VerifiedEvidence> _latest = new(StringComparer.Ordinal);
    private CheckedDatacentre? _pruned;

    /// <summary>Judges evidence; null when no operator states an identity key for the host.</summary>
    public EvidenceVerdict? Judge(ShownEvidence shown, CheckedDatacentre datacentre, CheckpointRule rule)
    {
        ArgumentNullException.ThrowIfNull(shown);
        if (ReleaseControl.IdentityKeyOf(datacentre, shown.Host) is not { } identity)
        {
            return null;
        }

        string host = shown.Host.ToString();
        lock (_gate)
        {
            EnrolledKey? enrolled = enrolments.Find(host);
            EvidenceExpectation expectation = new()
            {
                Host = host,
                IdentityKey = identity,
                EndorsementKey = ReleaseControl.EndorsementKeyOf(datacentre, shown.Host),
                Enrolment = enrolled,
                LastSeen = enrolled is null ? null : _clocks.GetValueOrDefault((host, enrolled.EndorsementKey)),
                ChannelKey = shown.Caller,
                Checkpoint = rule,
                Known = shown.Known,
                IntegrityLog = new IntegrityDemand(tenant, logs.PositionOf(host)),
                Nonce = shown.Nonce,
            };
            EvidenceVerdict verdict =
                EvidenceVerifier.Verify(shown.Evidence.Span, expectation, shown.Logs, _keys);
            if (verdict is EvidenceVerdict.Verified verified)
            {
                _latest[host] = verified.Evidence;
            }

            if (verdict is EvidenceVerdict.Verified { Evidence.Followed: { } followed })
            {
                logs.Keep(host, followed);
            }

            if (enrolled is not null && verdict is EvidenceVerdict.Verified { Evidence.Quote: { } quote })
            {
                _clocks[(host, enrolled.EndorsementKey)] = quote.Clock;
            }

            return verdict;
        }
    }

    /// <summary>
    /// What this key service says with a nonce that it holds of a host's logs; null when they must be shown whole: it
    /// holds nothing, or not under the demands of now.
    /// </summary>
    /// <param name="host">The host.</param>
    /// <param name="domains">The domains by whose demands it will be judged.</param>
    /// <param name="datacentre">The policies.</param>
    public KnownBoot? Held(string host, IEnumerable<DomainRef> domains, CheckedDatacentre datacentre) =>
        _known.Of(host) is { } known && known.Covers(domains.Select(datacentre.DemandsOf)) ? known : null;

    /// <summary>
    /// Takes a verdict, after the demands of every domain that counts were judged by it; what was not accepted is
    /// forgotten, and so is every host that no statement describes any more.
    /// </summary>
    public void Learn(string host, EvidenceVerdict? verdict, CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        _known.Take(host, verdict);
        if (!ReferenceEquals(Interlocked.Exchange(ref _pruned, datacentre), datacentre))
        {
            _known.Keep(datacentre.Inventory.Hosts.Keys.ToHashSet(StringComparer.Ordinal));
            foreach (string gone in _latest.Keys.Where(one => !datacentre.Inventory.Hosts.ContainsKey(one)))
            {
                _latest.TryRemove(gone, out _);
            }
        }
    }

    /// <summary>Forgets what was judged of a host's boot: its logs are asked for whole.</summary>
    public void Forget(string host) => _known.Forget(host);

    /// <summary>
    /// The latest evidence of a host that was verified, whatever domains made of it; null when there was none since the
    /// start. It is no trust: that is lent by the leases.
    /// </summary>
    public VerifiedEvidence? LatestOf(string host) => _latest.GetValueOrDefault(host);

    /// <summary>How far a host's integrity log was followed; null when it never was.</summary>
    public IntegrityPosition? FollowedOf(string host) => logs.PositionOf(host);

    /// <summary>What of a host's integrity log concerns the tenant; null when it was never followed.</summary>
    public HostLog? LogOf(string host) => logs.Of(host);

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();
}
