using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// What a gateway is made of besides its rules, in the parts that can change on their own. Two parts are equal when
/// the commands that build them are.
/// </summary>
public sealed class GatewayShape
{
    private readonly ImmutableSortedDictionary<string, ImmutableArray<string[]>> _legs;
    private readonly ImmutableSortedDictionary<string, string[]> _neighbours;

    private GatewayShape(
        string bridgePort, string core, ImmutableSortedDictionary<string, ImmutableArray<string[]>> legs,
        ImmutableSortedDictionary<string, string[]> neighbours)
    {
        BridgePort = bridgePort;
        Core = core;
        _legs = legs;
        _neighbours = neighbours;
        Legs = legs.ToImmutableSortedDictionary(l => l.Key, l => Text(l.Value), StringComparer.Ordinal);
        Neighbours = neighbours.ToImmutableSortedDictionary(n => n.Key, n => Text([n.Value]), StringComparer.Ordinal);
    }

    /// <summary>The host's end of the pair into the domain's bridge.</summary>
    public string BridgePort { get; }

    /// <summary>The end in the domain's bridge; a gateway in which it differs is another gateway.</summary>
    public string Core { get; }

    /// <summary>The legs, by the host's end.</summary>
    public ImmutableSortedDictionary<string, string> Legs { get; }

    /// <summary>The domain's machines, by address.</summary>
    public ImmutableSortedDictionary<string, string> Neighbours { get; }

    /// <summary>The parts of a plan.</summary>
    public static GatewayShape Of(GatewayPlan gateway, int mtu)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        return new GatewayShape(
            gateway.BridgePort,
            Text(GatewayCommands.Core(gateway, mtu)),
            gateway.Legs.ToImmutableSortedDictionary(
                l => l.Port, l => GatewayCommands.Leg(gateway.Namespace, l).ToImmutableArray(),
                StringComparer.Ordinal),
            gateway.Neighbours.ToImmutableSortedDictionary(
                n => n.Address, n => GatewayCommands.Learn(gateway, n), StringComparer.Ordinal));
    }

    /// <summary>Whether nothing differs.</summary>
    public bool SameAs(GatewayShape other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Core == other.Core && Legs.SequenceEqual(other.Legs) && Neighbours.SequenceEqual(other.Neighbours);
    }

    /// <summary>
    /// The commands that add what <paramref name="before"/> lacks; what it had too much is gone by then.
    /// </summary>
    public IEnumerable<string[]> Changes(GatewayShape before)
    {
        ArgumentNullException.ThrowIfNull(before);
        return
        [
            .. _neighbours.Where(n => before.Neighbours.GetValueOrDefault(n.Key) != Neighbours[n.Key])
                .Select(n => n.Value),
            .. _legs.Where(l => before.Legs.GetValueOrDefault(l.Key) != Legs[l.Key]).SelectMany(l => l.Value),
        ];
    }

    private static string Text(IEnumerable<string[]> commands) =>
        string.Join('\n', commands.Select(c => string.Join(' ', c)));
}
