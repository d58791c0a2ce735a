using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// What admitted machines take of each set of hosts for which something is reserved, beside what is reserved there.
/// </summary>
internal sealed class ReservedSums
{
    private readonly Rooms _rooms;
    private readonly ImmutableDictionary<HostSet, Room> _taken;

    private ReservedSums(Rooms rooms, ImmutableDictionary<HostSet, Room> taken) => (_rooms, _taken) = (rooms, taken);

    /// <summary>Whether nothing is reserved.</summary>
    public bool IsNothing => _rooms.Claims.IsEmpty;

    /// <summary>Adds up.</summary>
    public static ReservedSums Of(AdmissionGround ground, StandingSums sums)
    {
        var (rooms, taken) = (new Rooms(ground), new Dictionary<HostSet, Room>());
        foreach (var host in rooms.Claims.IsEmpty ? [] : ground.Datacentre.Inventory.Hosts.Values)
        {
            foreach (var set in rooms.SetsOf(host.Ref))
            {
                taken[set] = taken.GetValueOrDefault(set) + sums.TakenOf(host.Ref);
            }
        }

        return new ReservedSums(rooms, taken.ToImmutableDictionary());
    }

    /// <summary>The same after machines moved.</summary>
    public ReservedSums With(IReadOnlyCollection<Moved> moved)
    {
        if (IsNothing || moved.Count == 0)
        {
            return this;
        }

        var taken = _taken.ToBuilder();
        foreach (var one in moved)
        {
            if (one is { Then: { } then, From: { } from })
            {
                Add(from.Ref, default(Room) - Capacity.Needed(then));
            }

            if (one is { Now: { } now, To: { } to })
            {
                Add(to.Ref, Capacity.Needed(now));
            }
        }

        return new ReservedSums(_rooms, taken.ToImmutable());

        void Add(HostRef host, Room room)
        {
            foreach (var set in _rooms.SetsOf(host))
            {
                taken[set] = taken.GetValueOrDefault(set) + room;
            }
        }
    }

    /// <summary>
    /// Whether what is reserved would be left, with so much more taken, if nobody had used any of it yet: then it was
    /// left for each who came.
    /// </summary>
    public bool AreLeft(Room more) => _taken.All(one => (one.Key.Free - one.Value - more).Holds(one.Key.Kept));

    /// <summary>
    /// Whether what is reserved is what it was: where something is, how many domains a tenant has decides what part of
    /// a room each may reserve.
    /// </summary>
    public bool IsAsReserved(AdmissionGround then, AdmissionGround now, IEnumerable<DomainRef> changed) =>
        changed.All(domain => (then.Domain(domain.Tenant, domain.Name), now.Domain(domain.Tenant, domain.Name)) switch
        {
            ({ } before, { } after) => before.Reservation == after.Reservation
                && (IsNone(after) || HostChecks.AcceptAlike(before, after)),
            (null, null) => true,
            (null, { } come) => IsNothing && IsNone(come),
            ({ } gone, null) => IsNothing && IsNone(gone),
        });

    private static bool IsNone(DomainModel domain) => domain.Reservation is { Cpus: 0, MemoryMib: 0 };
}
