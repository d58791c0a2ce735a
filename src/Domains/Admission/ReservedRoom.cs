using System.Collections.Immutable;
using System.Numerics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>What <see cref="Rooms"/> keeps for domains while no machine runs, asked of all hosts at once.</summary>
internal sealed class ReservedRoom
{
    private readonly Rooms _rooms;
    private readonly Dictionary<HostSet, BigInteger> _hosts = [];
    private readonly ILookup<HostSet, KeptClaim> _claims;

    private ReservedRoom(AdmissionGround ground, ImmutableArray<HostModel> hosts)
    {
        _rooms = new Rooms(ground);
        _claims = _rooms.Claims.ToLookup(claim => claim.Hosts);
        for (int i = 0; i < hosts.Length; i++)
        {
            foreach (var set in _rooms.SetsOf(hosts[i].Ref))
            {
                _hosts[set] = _hosts.GetValueOrDefault(set) | BigInteger.One << i;
            }
        }
    }

    /// <summary>What is kept in a datacentre where nothing runs.</summary>
    /// <param name="ground">The policies.</param>
    /// <param name="hosts">The hosts of the datacentre; a host's place here is its bit.</param>
    public static ReservedRoom Of(AdmissionGround ground, ImmutableArray<HostModel> hosts) => new(ground, hosts);

    /// <summary>What of a domain's reservation is kept; null where it reserves nothing, or has expired.</summary>
    public Room? For(DomainModel domain) => _rooms.Of(domain)?.Kept;

    /// <summary>Whether the host has what a machine of these domains needs beside what is kept for others.</summary>
    public bool Leaves(HostModel host, ImmutableArray<DomainModel> own, Room needed) =>
        SetsFor(host, own).All(set => (Left(set, own) - needed) is { IsShort: false });

    /// <summary>The hosts that have not, as bits.</summary>
    public BigInteger Without(ImmutableArray<DomainModel> own, Room needed) => _hosts
        .Where(entry => IsForOthers(entry.Key, own) && (Left(entry.Key, own) - needed).IsShort)
        .Aggregate(BigInteger.Zero, (all, entry) => all | entry.Value);

    /// <summary>
    /// What a machine of these domains may take of the host at most so that what is kept for others is left.
    /// </summary>
    public Room Left(HostModel host, ImmutableArray<DomainModel> own) => SetsFor(host, own)
        .Aggregate(Capacity.Whole(host), (least, set) => new Room(
            Math.Max(0, Math.Min(least.Cpus, Left(set, own).Cpus)),
            Math.Max(0, Math.Min(least.MemoryMib, Left(set, own).MemoryMib))));

    private IEnumerable<HostSet> SetsFor(HostModel host, ImmutableArray<DomainModel> own) =>
        _rooms.SetsOf(host.Ref).Where(set => IsForOthers(set, own));

    private bool IsForOthers(HostSet set, ImmutableArray<DomainModel> own) =>
        _claims[set].Any(claim => claim.IsForOthers(own));

    private Room Left(HostSet set, ImmutableArray<DomainModel> own) => set.Free - _rooms.KeptForOthers(set, own);
}
