using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>Room on the host, with what is kept for other domains left alone.</summary>
/// <remarks>
/// A reservation is a tenant's own word, so no tenant may use it to shut others out: it is honoured up to the tenant's
/// equal share of the hosts its domain accepts.
/// </remarks>
internal static class Capacity
{
    /// <summary>What is kept for a domain, and not yet used by it, on the hosts that it accepts.</summary>
    internal sealed record Claim(DomainModel Domain, ImmutableHashSet<HostRef> Hosts, Room Kept);

    public static void Add(List<AdmissionRefusal> refusals, AdmissionCase admission, Standing standing)
    {
        var (wanted, rooms) = (Needed(admission.Machine), standing.Rooms);
        var left = rooms.Free(admission.Host.Ref) - wanted;
        if (left.IsShort)
        {
            refusals.Add(new(AdmissionRefusalCode.HostFull,
                $"{admission.Host.Origin} offers {admission.Host.CapacityCpus} cpus and "
                + $"{admission.Host.CapacityMemoryMib} MiB; {left.Cpus + wanted.Cpus} cpus and "
                + $"{left.MemoryMib + wanted.MemoryMib} MiB are free, {admission.MachineText} needs "
                + $"{wanted.Cpus} and {wanted.MemoryMib}.",
                admission.Host.Origin));
            return;
        }

        var broken = new Dictionary<HostSet, (Room Kept, Room Free)>();
        foreach (var set in rooms.SetsOf(admission.Host.Ref))
        {
            // A domain's own machine uses what is kept for it.
            var own = admission.Domains.Select(rooms.Of).OfType<KeptClaim>().Where(claim => set.Contains(claim.Hosts))
                .Aggregate(default(Room), (sum, claim) => sum + claim.Kept);
            var (kept, free) = (set.Kept - own, set.Free - wanted);
            if (!free.Holds(kept))
            {
                broken.Add(set, (kept, free));
            }
        }

        if (broken.Count > 0)
        {
            Keep(refusals, admission, rooms, broken);
        }
    }

    /// <summary>What a host offers.</summary>
    public static Room Whole(HostModel host) => new(host.CapacityCpus, host.CapacityMemoryMib);

    /// <summary>What a machine needs.</summary>
    public static Room Needed(CompartmentModel machine) => new(machine.Cpus, machine.MemoryMib);

    /// <summary>One part of a room, in its own unit.</summary>
    public static long Of(Room room, HostResource resource) => resource switch
    {
        HostResource.Cpus => room.Cpus,
        HostResource.Memory => room.MemoryMib,
        _ => throw new UnreachableException(),
    };

    private static void Keep(
        List<AdmissionRefusal> refusals, AdmissionCase admission, Rooms rooms,
        Dictionary<HostSet, (Room Kept, Room Free)> broken)
    {
        foreach (var claim in rooms.Claims.Where(claim => broken.ContainsKey(claim.Hosts) && claim.Kept != default
            && admission.Domains.All(domain => domain.Ref != claim.Domain.Ref)))
        {
            var (kept, free) = broken[claim.Hosts];
            refusals.Add(new(AdmissionRefusalCode.HostFull,
                $"With {admission.MachineText} on {Display.Of(admission.Host)}, {free.Cpus} cpus and "
                    + $"{free.MemoryMib} MiB "
                + $"would be free on the hosts of {Display.Of(claim.Domain)}, where {kept.Cpus} cpus and "
                + $"{kept.MemoryMib} MiB are reserved and not yet used.",
                claim.Domain.Origin));
        }
    }

    /// <summary>What is kept for domains other than these.</summary>
    public static ImmutableArray<Claim> Claims(
        AdmissionGround ground, Standing standing, ImmutableArray<DomainModel> own)
    {
        if (ground.Datacentre.Datacentre is not { } operated)
        {
            return [];
        }

        // Most domains accept what others accept: the hosts are looked for once for each demand.
        var accepted = new Dictionary<string, ImmutableHashSet<HostRef>>(StringComparer.Ordinal);
        var offering = ground.Datacentre.Inventory.Hosts.Values.Where(host => ground.Host(host.Ref) is not null)
            .ToArray();
        var claims = ImmutableArray.CreateBuilder<Claim>();
        foreach (var domain in ground.Datacentre.Domains.Values)
        {
            if (domain.Reservation is { Cpus: 0, MemoryMib: 0 } || own.Contains(domain) || ground.Now >= domain.Expires
                || !operated.Tenants.Contains(domain.Ref.Tenant))
            {
                continue;
            }

            if (domain.Reservation is { Cpus: 0, MemoryMib: 0 })
            {
                continue;
            }

            var demand = string.Join('\n', HostTerm.Of(domain).Select(term => term.Measure));
            if (!accepted.TryGetValue(demand, out var hosts))
            {
                accepted[demand] = hosts =
                    [.. offering.Where(host => HostChecks.Accepts(domain, host)).Select(host => host.Ref)];
            }

            var used = Sum(standing.Members(domain).Select(place => Needed(place.Machine)));
            var honoured = Honoured(ground, operated, domain, offering.Where(host => hosts.Contains(host.Ref)));
            var kept = new Room(
                Math.Max(0, Math.Min(domain.Reservation.Cpus, honoured.Cpus) - used.Cpus),
                Math.Max(0, Math.Min(domain.Reservation.MemoryMib, honoured.MemoryMib) - used.MemoryMib));
            if (kept.Cpus > 0 || kept.MemoryMib > 0)
            {
                claims.Add(new Claim(domain, hosts, kept));
            }
        }

        return claims.ToImmutable();
    }

    /// <summary>The most of a domain's reservation that is kept: its equal share of its hosts.</summary>
    /// <param name="ground">The policies.</param>
    /// <param name="operated">The datacentre.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="accepted">The hosts that it accepts.</param>
    public static Room Honoured(
        AdmissionGround ground, DatacentreModel operated, DomainModel domain, IEnumerable<HostModel> accepted)
    {
        var siblings = ground.Datacentre.Domains.Values.Count(other => other.Ref.Tenant == domain.Ref.Tenant);
        var shares = (long)operated.Tenants.Length * siblings;
        var whole = Sum(accepted.Select(Whole));
        return new Room(whole.Cpus / shares, whole.MemoryMib / shares);
    }

    /// <summary>Several rooms as one.</summary>
    public static Room Sum(IEnumerable<Room> rooms) => rooms.Aggregate(default(Room), (sum, room) => sum + room);
}

/// <summary>What a host has and a machine needs.</summary>
internal enum HostResource
{
    /// <summary>Virtual processors.</summary>
    Cpus = 1,
    /// <summary>Memory, in MiB.</summary>
    Memory,
}

/// <summary>Room on hosts.</summary>
internal readonly record struct Room(long Cpus, long MemoryMib)
{
    public bool IsShort => Cpus < 0 || MemoryMib < 0;

    public static Room operator +(Room left, Room right) =>
        new(left.Cpus + right.Cpus, left.MemoryMib + right.MemoryMib);

    public static Room operator -(Room left, Room right) =>
        new(left.Cpus - right.Cpus, left.MemoryMib - right.MemoryMib);

    /// <summary>Whether both are enough for another.</summary>
    public bool Holds(Room other) => other.Cpus <= Cpus && other.MemoryMib <= MemoryMib;
}
