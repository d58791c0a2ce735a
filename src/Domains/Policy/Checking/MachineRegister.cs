using System.Collections.Immutable;
using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// The machines that flows and others have a say in: those with several ports, and those with a disk that is another
/// domain's or another machine's too. All others are looked at once, and again when a change touches them.
/// </summary>
internal sealed class MachineRegister
{
    private readonly Layered<VolumeRef, Listed<CompartmentRef>> _users;

    private MachineRegister(
        Layered<VolumeRef, Listed<CompartmentRef>> users, ImmutableHashSet<CompartmentRef> joining,
        ImmutableHashSet<CompartmentRef> sharing) => (_users, Joining, Sharing) = (users, joining, sharing);

    /// <summary>Those with several ports.</summary>
    public ImmutableHashSet<CompartmentRef> Joining { get; }

    /// <summary>Those with a disk that is not theirs alone, or of no domain of theirs.</summary>
    public ImmutableHashSet<CompartmentRef> Sharing { get; }

    /// <summary>That of all machines.</summary>
    public static MachineRegister Of(Machinery machinery)
    {
        var users = Layered<VolumeRef, Listed<CompartmentRef>>.Of(machinery.Compartments.Values
            .SelectMany(machine => Volumes(machine).Select(volume => (volume, machine.Ref)))
            .GroupBy(use => use.volume, use => use.Ref)
            .ToDictionary(group => group.Key, group => new Listed<CompartmentRef>([.. group])));
        return new MachineRegister(
            users,
            [.. machinery.Compartments.Values.Where(machine => machine.Nics.Length > 1).Select(machine => machine.Ref)],
            [.. machinery.Compartments.Values.Where(machine => Shares(machinery, users, machine))
                .Select(machine => machine.Ref)]);
    }

    /// <summary>The same after a change.</summary>
    public MachineRegister With(DatacentreChange change, Machinery then, Machinery now)
    {
        var next = new Dictionary<VolumeRef, Listed<CompartmentRef>?>();
        foreach (var machine in change.Machines)
        {
            foreach (var volume in Volumes(Find(then, machine)))
            {
                next[volume] = new Listed<CompartmentRef>(At(volume).Remove(machine));
            }
        }

        foreach (var machine in change.Machines)
        {
            foreach (var volume in Volumes(Find(now, machine)))
            {
                next[volume] = new Listed<CompartmentRef>(At(volume).Add(machine));
            }
        }

        var users = _users.With(next);
        var touched = change.Machines.Union(next.Keys.Concat(change.Volumes)
            .SelectMany(volume => users.Find(volume)?.All ?? []));
        CompartmentModel[] models =
            [.. touched.Select(machine => Find(now, machine)).OfType<CompartmentModel>()];
        return new MachineRegister(
            users,
            Joining.Except(touched)
                .Union(models.Where(machine => machine.Nics.Length > 1).Select(machine => machine.Ref)),
            Sharing.Except(touched)
                .Union(models.Where(machine => Shares(now, users, machine)).Select(machine => machine.Ref)));

        ImmutableArray<CompartmentRef> At(VolumeRef volume) =>
            (next.TryGetValue(volume, out var changed) ? changed : _users.Find(volume))?.All ?? [];
    }

    /// <summary>Some of the machines, in the order of all.</summary>
    public static IEnumerable<CompartmentModel> InOrder(
        IEnumerable<CompartmentRef> some, ImmutableSortedDictionary<string, CompartmentModel> machines) => some
            .Select(machine => (Name: machine.ToString(), machine))
            .OrderBy(one => one.Name, StringComparer.Ordinal)
            .Select(one => machines.GetValueOrDefault(one.Name)).OfType<CompartmentModel>();

    private static bool Shares(
        Machinery machinery, Layered<VolumeRef, Listed<CompartmentRef>> users, CompartmentModel machine) =>
        machine.Disks.Length != Volumes(machine).Count() || machine.Disks.Any(disk =>
            users.Find(disk.Volume)?.All.Length != 1
            || machinery.Volumes.GetValueOrDefault(disk.Volume.ToString()) is not { } volume
            || !FlowMatrix.Domains(machine).Contains(volume.Colour));

    private static IEnumerable<VolumeRef> Volumes(CompartmentModel? machine) =>
        (machine?.Disks ?? []).Select(disk => disk.Volume).Distinct();

    private static CompartmentModel? Find(Machinery machinery, CompartmentRef machine) =>
        machinery.Compartments.GetValueOrDefault(machine.ToString());
}
