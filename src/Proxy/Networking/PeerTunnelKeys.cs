using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// The tunnel keys of other hosts, each from evidence that this host verified and a domain's demands accepted. Safe for
/// use from several threads.
/// </summary>
public sealed class PeerTunnelKeys
{
    private readonly ConcurrentDictionary<(HostRef Host, DomainRef Domain), ImmutableArray<TunnelKey>> _keys = [];

    /// <summary>Called after a host's keys became others, on the thread that took them.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>Takes what a host showed in evidence that was accepted for a domain.</summary>
    public void Take(HostRef peer, DomainRef domain, ImmutableArray<TunnelKey> keys)
    {
        ImmutableArray<TunnelKey> before = _keys.GetValueOrDefault((peer, domain), []);
        _keys[(peer, domain)] = keys;
        if (!before.SequenceEqual(keys))
        {
            Changed();
        }
    }

    /// <summary>Forgets what a host showed for a domain that no longer accepts it.</summary>
    public void Forget(HostRef peer, DomainRef domain) => _keys.TryRemove((peer, domain), out _);

    /// <summary>Forgets everyone who is not among these.</summary>
    public void Keep(IReadOnlyCollection<(HostRef, DomainRef)> wanted)
    {
        foreach ((HostRef, DomainRef) gone in _keys.Keys.Except(wanted).ToArray())
        {
            _keys.TryRemove(gone, out _);
        }
    }

    /// <summary>Whether a host that a plan reaches through ciphertext has named no key for it.</summary>
    public bool Lacks(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Domains.Any(domain => Lacks(domain.Network.Encrypted, TunnelKeeper.PeersOf(domain)))
            || plan.Passages.Any(passage => Lacks(passage.Network.Encrypted, TunnelKeeper.PeersOf(passage)));
    }

    private bool Lacks(EncryptedTunnels? tunnels, ImmutableArray<EncryptedPeer> peers) =>
        tunnels is not null && peers.Any(peer => Of(peer.Host, peer.Domain, tunnels.Segment).IsEmpty);

    /// <summary>A host's keys for a switch, as a domain accepted them; none when nothing was.</summary>
    public ImmutableArray<TunnelKey> Of(HostRef peer, DomainRef domain, string segment) =>
        [.. _keys.GetValueOrDefault((peer, domain), []).Where(key => key.Segment == segment)];
}
