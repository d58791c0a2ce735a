using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>
/// Machines of which a host is demanded the same: the same domains, room, chosen hosts and conditions of volumes. A
/// datacentre has few kinds however many machines it has.
/// </summary>
/// <param name="Machines">The machines, by reference; at least one.</param>
internal sealed record MachineKind(ImmutableArray<CompartmentModel> Machines)
{
    /// <summary>The one that stands for all.</summary>
    public CompartmentModel First => Machines[0];

    /// <summary>For people: that the same is true of others.</summary>
    public string Others => Machines.Length switch
    {
        1 => "",
        2 => $" The same is true of {Display.Of(Machines[1])}.",
        _ => $" The same is true of {Machines.Length - 1} others, as {Display.Of(Machines[1])}.",
    };

    /// <summary>The kinds, by their first machines.</summary>
    public static ImmutableArray<MachineKind> All(AdmissionGround ground) =>
    [
        .. ground.Datacentre.Machinery.Compartments.Values
            .GroupBy(machine => Key(ground, machine), StringComparer.Ordinal)
            .Select(group => new MachineKind([.. group]))
            .OrderBy(kind => kind.First.Ref.ToString(), StringComparer.Ordinal),
    ];

    /// <summary>Several kinds as one, of which something else is the same.</summary>
    public static MachineKind Of(IEnumerable<MachineKind> kinds) => new(
    [
        .. kinds.SelectMany(kind => kind.Machines).OrderBy(one => one.Ref.ToString(), StringComparer.Ordinal),
    ]);

    private static string Key(AdmissionGround ground, CompartmentModel machine)
    {
        var volumes = machine.Disks
            .Select(disk => ground.Datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString()))
            .OfType<VolumeModel>().Where(volume => volume.Mount is not null || !IsOwn(machine, volume))
            .Select(volume => $"{volume.Ref} {machine.Image}");
        return string.Join('\n',
        [
            $"{machine.Ref.Tenant} {machine.Cpus} {machine.MemoryMib}",
            string.Join(' ', machine.Nics.Select(nic => nic.Domain).Distinct()),
            machine.Placement.Hosts is { } hosts ? "on " + string.Join(' ', hosts) : "anywhere",
            .. volumes,
        ]);
    }

    private static bool IsOwn(CompartmentModel machine, VolumeModel volume) =>
        volume.Ref.Tenant == machine.Ref.Tenant && machine.Nics.Any(nic => nic.Domain == volume.Domain);
}
