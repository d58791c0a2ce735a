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
            var (kept, free) = (rooms.KeptForOthers(set, admission.Domains), set.Free - wanted);
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
        foreach (var claim in rooms.Claims.Where(claim => broken.ContainsKey(claim.Hosts)
            && claim.IsForOthers(admission.Domains)))
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
