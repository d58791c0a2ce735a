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
    /// <param name="Domains">Whose they are.</param>
    /// <param name="Within">What is kept on these hosts or some of them, and for whom.</param>
    private sealed record Shelf(
        BigInteger Hosts, Room Whole, ImmutableHashSet<DomainRef> Domains, ImmutableDictionary<DomainRef, Room> Within)
    {
        public Room Kept { get; } = Capacity.Sum(Within.Values);
    }

    /// <summary>What is kept in a datacentre where nothing runs.</summary>
    /// <param name="ground">The policies.</param>
    /// <param name="models">The hosts of the datacentre; a host's place here is its bit.</param>
    public static ReservedRoom Of(AdmissionGround ground, ImmutableArray<HostModel> models)
    {
        var hosts = models.Select((host, i) => (host.Ref, i)).ToDictionary();
        var sets = Capacity.Claims(ground, Standing.Empty(ground), [])
            .GroupBy(claim => claim.Hosts, ReferenceEqualityComparer.Instance)
            .Select(group => (Claims: group.ToArray(), Hosts: group.First().Hosts))
            .GroupBy(set => set.Hosts.Aggregate(BigInteger.Zero, (all, host) => all | BigInteger.One << hosts[host]))
            .Select(group => (Hosts: group.Key, Claims: group.SelectMany(set => set.Claims).ToArray())).ToArray();
        return new ReservedRoom(
            [.. sets.Select(set => new Shelf(
                set.Hosts,
                Capacity.Sum(models.Where((_, i) => !(set.Hosts >> i).IsEven).Select(Capacity.Whole)),
                [.. set.Claims.Select(claim => claim.Domain.Ref)],
                sets.Where(other => (other.Hosts & set.Hosts) == other.Hosts).SelectMany(other => other.Claims)
                    .ToImmutableDictionary(claim => claim.Domain.Ref, claim => claim.Kept)))],
            hosts);
    }

    /// <summary>Whether the host has what a machine of these domains needs beside what is kept for others.</summary>
    public bool Leaves(HostModel host, ImmutableArray<DomainModel> own, Room needed) =>
        (Without(own, needed) >> _hosts[host.Ref]).IsEven;

    /// <summary>The hosts that have not, as bits.</summary>
    public BigInteger Without(ImmutableArray<DomainModel> own, Room needed) => _shelves
        .Where(shelf => IsForOthers(shelf, own) && (Free(shelf, own) - needed).IsShort)
        .Aggregate(BigInteger.Zero, (all, shelf) => all | shelf.Hosts);

    /// <summary>
    /// What a machine of these domains may take of the host at most so that what is kept for others is left.
    /// </summary>
    public Room Left(HostModel host, ImmutableArray<DomainModel> own) => _shelves
        .Where(shelf => !(shelf.Hosts >> _hosts[host.Ref]).IsEven && IsForOthers(shelf, own))
        .Aggregate(Capacity.Whole(host), (left, shelf) => new Room(
            Math.Max(0, Math.Min(left.Cpus, Free(shelf, own).Cpus)),
            Math.Max(0, Math.Min(left.MemoryMib, Free(shelf, own).MemoryMib))));

    private static bool IsForOthers(Shelf shelf, ImmutableArray<DomainModel> own) =>
        shelf.Domains.Count > own.Count(domain => shelf.Domains.Contains(domain.Ref));

    private static Room Free(Shelf shelf, ImmutableArray<DomainModel> own) => shelf.Whole - shelf.Kept
        + Capacity.Sum(own.Select(domain => shelf.Within.GetValueOrDefault(domain.Ref)));
}
