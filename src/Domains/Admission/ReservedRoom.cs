using System.Collections.Immutable;
using System.Numerics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// What is kept for domains while no machine runs, by the hosts on which it is kept: the claims of
/// <see cref="Capacity"/>, counted once for all who ask.
/// </summary>
internal sealed class ReservedRoom
{
    private readonly ImmutableArray<Shelf> _shelves;
    private readonly Dictionary<HostRef, int> _hosts;

    private ReservedRoom(ImmutableArray<Shelf> shelves, Dictionary<HostRef, int> hosts)
    {
        _shelves = shelves;
        _hosts = hosts;
    }

    /// <summary>All claims on one set of hosts.</summary>
    /// <param name="Hosts">The hosts, as bits.</param>
    /// <param name="Whole">What they offer.</param>
    /// <param name="Claims">Those on these hosts.</param>
    /// <param name="Within">Those on these hosts or some of them.</param>
    private sealed record Shelf(
        BigInteger Hosts, Room Whole, ImmutableArray<Capacity.Claim> Claims, ImmutableArray<Capacity.Claim> Within)
    {
        public Room Kept { get; } = Capacity.Sum(Within.Select(claim => claim.Kept));
    }

    /// <summary>What is kept in a datacentre where nothing runs.</summary>
    public static ReservedRoom Of(AdmissionGround ground)
    {
        var models = ground.Datacentre.Inventory.Hosts.Values.ToArray();
        var hosts = models.Select((host, i) => (host.Ref, i)).ToDictionary();
        var sets = Capacity.Claims(ground, Standing.Empty(ground), [])
            .GroupBy(claim =>
                claim.Hosts.Aggregate(BigInteger.Zero, (all, host) => all | BigInteger.One << hosts[host]))
            .Select(group => (Hosts: group.Key, Claims: group.ToImmutableArray())).ToArray();
        return new ReservedRoom(
            [.. sets.Select(set => new Shelf(
                set.Hosts,
                Capacity.Sum(models.Where((_, i) => !(set.Hosts >> i).IsEven).Select(Capacity.Whole)), set.Claims,
                [.. sets.Where(other => (other.Hosts & set.Hosts) == other.Hosts).SelectMany(other => other.Claims)]))],
            hosts);
    }

    /// <summary>
    /// What a machine of these domains may take of the host at most so that what is kept for others is left; null where
    /// nothing is kept there for others.
    /// </summary>
    public Room? Left(HostModel host, ImmutableArray<DomainModel> own)
    {
        int index = _hosts[host.Ref];
        Room? left = null;
        foreach (var shelf in _shelves.Where(one => !(one.Hosts >> index).IsEven
            && one.Claims.Any(claim => !own.Contains(claim.Domain))))
        {
            var free = shelf.Whole - shelf.Kept
                + Capacity.Sum(shelf.Within.Where(claim => own.Contains(claim.Domain)).Select(claim => claim.Kept));
            left = left is { } less
                ? new Room(Math.Min(less.Cpus, free.Cpus), Math.Min(less.MemoryMib, free.MemoryMib)) : free;
        }

        return left;
    }
}
