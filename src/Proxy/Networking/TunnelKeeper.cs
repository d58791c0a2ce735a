using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Networking;

/// <summary>A host that a switch reaches through ciphertext.</summary>
/// <param name="Host">The host.</param>
/// <param name="UnderlayIpv4">Its underlay address.</param>
/// <param name="Domain">The domain whose acceptance of the host's evidence its keys are taken from.</param>
public sealed record EncryptedPeer(HostRef Host, string UnderlayIpv4, DomainRef Domain);

/// <summary>
/// This host's WireGuard: a key pair for each switch that needs one, exchanged for a new one in time, and as peers only
/// hosts whose evidence was accepted, each by the keys it named in it. A switch is brought by its own unit alone; what
/// it named is read by others.
/// </summary>
public sealed class TunnelKeeper(WireGuardTools tools, PeerTunnelKeys peers, TimeProvider time)
{
    /// <summary>What other hosts named.</summary>
    public PeerTunnelKeys Peers => peers;

    /// <summary>Called when a tunnel that stood is found gone, before it is made anew.</summary>
    public Action<EncryptedTunnel> Vanished { get; set; } = _ => { };

    private readonly long _start = time.GetTimestamp();
    private readonly ConcurrentDictionary<string, SwitchState> _switches = new(StringComparer.Ordinal);

    /// <summary>
    /// Brings one switch's WireGuard to its plan. What fails of it is not among what <see cref="Standing"/> tells: by
    /// an interface that is not as it must be nobody is reached, and who could not be made a peer is not reached.
    /// </summary>
    /// <exception cref="WorldException">The world refused something, after all the rest was brought.</exception>
    public StandingTunnels Bring(EncryptedTunnels? tunnels, IReadOnlyCollection<EncryptedPeer> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        if (tunnels is null)
        {
            return StandingTunnels.None;
        }

        SwitchState? before = _switches.GetValueOrDefault(tunnels.Segment);
        TunnelRotation rotation = Rotate(tunnels, before, members);
        if (before is null)
        {
            // A predecessor died while it changed from one to the other.
            tools.Remove(tunnels.Generations[1 - rotation.Current]);
        }

        WorldException? fault = null;
        HashSet<string> refused = new(StringComparer.Ordinal);
        var seen = ImmutableDictionary.CreateBuilder<int, ObservedWireGuard>();
        foreach (int generation in rotation.Standing)
        {
            try
            {
                seen[generation] = BringPeers(
                    tunnels, generation, members, before, rotation.HasFormer && generation == rotation.Current,
                    (peer, error) =>
                    {
                        refused.Add(peer.Key);
                        fault ??= error;
                    });
            }
            catch (WorldException error)
            {
                fault ??= error;
            }
        }

        if (rotation.HasFormer && !seen.ContainsKey(rotation.Current))
        {
            rotation = rotation.Failed(Now);
        }

        ImmutableDictionary<HostRef, TunnelWay> ways = Ways(
            members, rotation, seen.GetValueOrDefault(rotation.Current)?.Heard ?? [], before?.Standing.Ways,
            member => peers.Of(member.Host, member.Domain, tunnels.Segment)
                .RemoveAll(key => refused.Contains(key.Key)));
        SwitchState state = new(
            [.. tunnels.Generations.Select(one => one.Namespace)], rotation, [.. members.Select(m => m.Host)],
            seen.ToImmutable(), new StandingTunnels([.. rotation.Standing.Where(seen.ContainsKey)], ways),
            [
                .. rotation.Named(Now).Where(seen.ContainsKey).Select(number =>
                    new TunnelKey(tunnels.Segment, number, seen[number].Port, seen[number].Key)),
            ]);
        _switches[tunnels.Segment] = state;
        if (before is { Rotation.Former: { } former } && rotation.Former is null && former != rotation.Current)
        {
            tools.Remove(tunnels.Generations[former]);
        }

        return fault is null ? state.Standing : throw fault;
    }

    /// <summary>
    /// Each way in which one switch's WireGuard is not as it was brought, read from its interfaces: a key that is
    /// another, a peer that no host named, a host that is none.
    /// </summary>
    /// <exception cref="WorldException">What is there cannot be read.</exception>
    public ImmutableArray<string> Differences(
        EncryptedTunnels? tunnels, IReadOnlyCollection<EncryptedPeer> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        if (tunnels is null)
        {
            return [];
        }

        if (_switches.GetValueOrDefault(tunnels.Segment) is not { } state)
        {
            return [$"The tunnels of {tunnels.Segment} are not brought."];
        }

        var faults = ImmutableArray.CreateBuilder<string>();
        HashSet<string> named =
            [.. members.SelectMany(member => peers.Of(member.Host, member.Domain, tunnels.Segment)).Select(k => k.Key)];
        foreach (int generation in state.Standing.Generations)
        {
            EncryptedTunnel tunnel = tunnels.Generations[generation];
            if (tools.Observe(tunnel, null, listen: false) is not { } seen)
            {
                faults.Add($"{tunnel.WireGuard}: it is not there.");
                continue;
            }

            if (state.Seen.GetValueOrDefault(generation) is { } known && known.Key != seen.Key)
            {
                faults.Add($"{tunnel.WireGuard}: its key is another than this host made.");
            }

            faults.AddRange(seen.Peers.Keys.Except(named).Order(StringComparer.Ordinal)
                .Select(key => $"{tunnel.WireGuard}: the peer {key} is none that a host of the plan named."));
            faults.AddRange(named.Except(seen.Peers.Keys).Order(StringComparer.Ordinal)
                .Select(key => $"{tunnel.WireGuard}: the peer {key} is not there."));
        }

        return faults.ToImmutable();
    }

    /// <summary>Forgets the switch whose plan left, with a namespace of it that is being removed.</summary>
    public void Forget(string space)
    {
        foreach ((string segment, SwitchState state) in _switches)
        {
            if (state.Spaces.Contains(space))
            {
                _switches.TryRemove(segment, out _);
            }
        }
    }

    /// <summary>What stands of a switch, as it was brought last.</summary>
    public StandingTunnels Standing(EncryptedTunnels? tunnels) => tunnels is null
        ? StandingTunnels.None
        : _switches.GetValueOrDefault(tunnels.Segment)?.Standing ?? StandingTunnels.None;

    /// <summary>What is named to a host that shares these switches, in the order that evidence has.</summary>
    public ImmutableArray<TunnelKey> Named(IEnumerable<string> segments) =>
    [
        .. segments.Distinct().Order(StringComparer.Ordinal)
            .SelectMany(segment => _switches.GetValueOrDefault(segment)?.Named ?? []),
    ];

    /// <summary>The peers of a domain's switch.</summary>
    public static ImmutableArray<EncryptedPeer> PeersOf(DomainPlan domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return
        [
            .. domain.Network.Peers.Where(peer => peer.Protection == LinkProtection.Encrypted)
                .Select(peer => new EncryptedPeer(peer.Host, peer.UnderlayIpv4, domain.Domain)),
        ];
    }

    /// <summary>The peers of a passage's switch: a host is there for the domain whose gateway it runs.</summary>
    public static ImmutableArray<EncryptedPeer> PeersOf(PassagePlan passage)
    {
        ArgumentNullException.ThrowIfNull(passage);
        return
        [
            .. passage.Network.Peers.Where(peer => peer.Protection == LinkProtection.Encrypted && !peer.Legs.IsEmpty)
                .Select(peer => new EncryptedPeer(peer.Host, peer.UnderlayIpv4, peer.Legs[0].Domain)),
        ];
    }

    private TimeSpan Now => time.GetElapsedTime(_start);

    private TunnelRotation Rotate(
        EncryptedTunnels tunnels, SwitchState? before, IReadOnlyCollection<EncryptedPeer> members)
    {
        // What a predecessor left stands on: peers know its key.
        TunnelRotation now = before?.Rotation.Settled(Now) ?? new TunnelRotation(
            Enumerable.Range(0, EncryptedTunnels.Places)
                .FirstOrDefault(number => tools.KeyOf(tunnels.Generations[number]) is not null), Now, false);
        bool left = before is not null && before.Members.Except(members.Select(m => m.Host)).Any();
        return now.IsDue(Now, left) ? now.Next(Now) : now;
    }

    private ObservedWireGuard BringPeers(
        EncryptedTunnels tunnels, int generation, IReadOnlyCollection<EncryptedPeer> members,
        SwitchState? before, bool listen, Action<WireGuardPeer, WorldException> refuse)
    {
        EncryptedTunnel tunnel = tunnels.Generations[generation];
        ObservedWireGuard? seen = tools.Observe(tunnel, before?.Seen.GetValueOrDefault(generation), listen);
        if (seen is null)
        {
            if (before?.Seen.ContainsKey(generation) is true)
            {
                Vanished(tunnel);
            }

            tools.Remove(tunnel);
            tools.Make(tunnel);
            seen = tools.Observe(tunnel, null, listen: false)
                ?? throw new WorldException(["make", tunnel.WireGuard], -1, "it is not there after it was made");
        }

        WireGuardPeer[] wanted =
        [
            .. members.SelectMany(member => peers.Of(member.Host, member.Domain, tunnels.Segment).Select(key =>
                new WireGuardPeer(
                    key.Key, $"{member.UnderlayIpv4}:{key.Port}",
                    InnerAddress.Of(member.UnderlayIpv4, key.Generation) + "/128"))),
        ];
        tools.SetPeers(
            tunnel, seen, wanted,
            StillSentTo(tunnels.Segment, members, before).Except(wanted.Select(one => one.Allowed)), refuse);
        return seen;
    }

    /// <summary>
    /// What hosts that are as trusted as before no longer name, and are sent to until the switch's forwarding has
    /// followed, after this. Whoever is not trusted any more has no keys, and is gone at once.
    /// </summary>
    private ImmutableHashSet<string> StillSentTo(
        string segment, IReadOnlyCollection<EncryptedPeer> members, SwitchState? before) =>
    [
        .. members.Where(member => !peers.Of(member.Host, member.Domain, segment).IsEmpty)
            .Select(member => before?.Standing.Ways.GetValueOrDefault(member.Host)?.Address).OfType<string>()
            .Select(address => address + "/128"),
    ];

    /// <summary>
    /// A peer that names two pairs is sent to at the one that was used before, as long as it is named: both take what
    /// is sent to them.
    /// </summary>
    private ImmutableDictionary<HostRef, TunnelWay> Ways(
        IReadOnlyCollection<EncryptedPeer> members, TunnelRotation rotation, ImmutableHashSet<string> heard,
        ImmutableDictionary<HostRef, TunnelWay>? before, Func<EncryptedPeer, ImmutableArray<TunnelKey>> keysOf)
    {
        var ways = ImmutableDictionary.CreateBuilder<HostRef, TunnelWay>();
        foreach (EncryptedPeer member in members)
        {
            ImmutableArray<TunnelKey> keys = keysOf(member);
            if (keys.IsEmpty)
            {
                continue;
            }

            string[] addresses = [.. keys.Select(key => InnerAddress.Of(member.UnderlayIpv4, key.Generation))];
            string? used = before?.GetValueOrDefault(member.Host)?.Address;
            ways[member.Host] = new TunnelWay(
                rotation.SendBy(Now, keys.Any(key => heard.Contains(key.Key))),
                used is not null && addresses.Contains(used) ? used : addresses[0]);
        }

        return ways.ToImmutable();
    }

    private sealed record SwitchState(
        ImmutableArray<string> Spaces, TunnelRotation Rotation, ImmutableArray<HostRef> Members,
        ImmutableDictionary<int, ObservedWireGuard> Seen, StandingTunnels Standing,
        ImmutableArray<TunnelKey> Named);
}
