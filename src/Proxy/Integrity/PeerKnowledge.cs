using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// What this host holds of the others: how far it followed their integrity logs, and what it judged of their boots, for
/// each tenant by that tenant's enrolment and demands. Safe for use from several threads.
/// </summary>
public sealed class PeerKnowledge
{
    private readonly ConcurrentDictionary<HostRef, IntegrityPosition> _followed = [];
    private readonly KnownBoots<(PartyId Tenant, HostRef Host)> _boots = new();

    /// <summary>How far a host's integrity log was followed; null when it never was.</summary>
    public IntegrityPosition? FollowedOf(HostRef peer) => _followed.GetValueOrDefault(peer);

    /// <summary>What is held of a host's boot for a tenant; null when nothing.</summary>
    public KnownBoot? BootOf(PartyId tenant, HostRef peer) => _boots.Of((tenant, peer));

    /// <summary>
    /// From where a host's logs are enough for every one of these domains; null when they must be shown whole, because
    /// nothing is held for one of their tenants, or not under its demands of now.
    /// </summary>
    public LogsPosition? HeldOf(HostRef peer, CheckedDatacentre datacentre, ImmutableArray<DomainRef> domains)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        LogsPosition? held = null;
        foreach (IGrouping<PartyId, DomainRef> tenant in domains.GroupBy(domain => domain.Tenant))
        {
            if (BootOf(tenant.Key, peer) is not { } known || (held is not null && held != known.Position)
                || !known.Covers(tenant.Select(datacentre.DemandsOf)))
            {
                return null;
            }

            held = known.Position;
        }

        return held;
    }

    /// <summary>Takes a verdict over a host's evidence, after the demands of the tenant's domains were judged by it.
    /// </summary>
    public void Take(PartyId tenant, HostRef peer, EvidenceVerdict verdict)
    {
        if (verdict is EvidenceVerdict.Verified { Evidence.Followed: { } read })
        {
            _followed[peer] = read.Position;
        }

        _boots.Take((tenant, peer), verdict);
    }

    /// <summary>
    /// Forgets what was judged of a host's boot. How far its integrity log was followed is not forgotten: by that a log
    /// that is written anew is found out.
    /// </summary>
    public void Forget(HostRef peer, IEnumerable<DomainRef> domains)
    {
        ArgumentNullException.ThrowIfNull(domains);
        foreach (PartyId tenant in domains.Select(domain => domain.Tenant).Distinct())
        {
            _boots.Forget((tenant, peer));
        }
    }

    /// <summary>Forgets everything of whoever is not among these.</summary>
    public void Keep(ImmutableArray<(HostRef Host, DomainRef Domain)> wanted)
    {
        _boots.Keep(wanted.Select(pair => (pair.Domain.Tenant, pair.Host)).ToHashSet());
        HashSet<HostRef> hosts = [.. wanted.Select(pair => pair.Host)];
        foreach (HostRef gone in _followed.Keys.Where(host => !hosts.Contains(host)))
        {
            _followed.TryRemove(gone, out _);
        }
    }
}
