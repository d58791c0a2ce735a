using System.Collections.Immutable;
using Bailiwick.Domains.Flows;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// Checks who has a volume: of one tenant's machines, and of all whom a flow lends it to. What another tenant says
/// leaves out no machine of the owner's: a reference that nobody granted must not be a way to stop them.
/// </summary>
internal static class VolumeChecks
{
    /// <summary>Leaves out each tenant's machines that would write a volume of its own together.</summary>
    public static void TwoWriters(StatementSet statements, IEnumerable<CompartmentModel> machines)
    {
        var writers = Uses(machines)
            .Where(use => use.Disk.Access == VolumeAccess.Write && use.Disk.Volume.Tenant == use.Machine.Ref.Tenant
                && Find(statements, use.Disk)?.Sharing != VolumeSharing.Writers)
            .GroupBy(use => use.Disk.Volume).Where(group => group.Count() > 1).ToArray();
        foreach (var group in writers)
        {
            foreach (var (machine, disk, i) in group)
            {
                statements.Reject(
                    machine.Origin, FindingCode.VolumeTwoWriters, $"/disks/{i}",
                    $"The volume {disk.Volume.Name} is written by "
                    + $"{MachineChecks.Others(group.Select(use => use.Machine), machine)} too, "
                    + "which would destroy it. None of them is admitted; give each a volume of its own, or read "
                    + "access; or say sharing: writers in the volume's statement, if what is on it is made for that.");
            }
        }
    }

    /// <summary>
    /// Says of each machine whose disk no open flow lends it, and of machines that could not have a volume at the same
    /// time, that they are not admitted so.
    /// </summary>
    public static void Run(
        StatementSet statements, CheckedDatacentre datacentre, MachineRegister register, FlowMatrix flows)
    {
        var rightful = new List<(CompartmentModel Machine, DiskModel Disk, int Index)>();
        foreach (var use in Uses(MachineRegister.InOrder(register.Sharing, datacentre.Machinery.Compartments)))
        {
            var volume = Find(statements, use.Disk);
            if (volume is not null && IsLent(flows, volume, use.Machine, use.Disk))
            {
                rightful.Add(use);
            }
            else
            {
                Closed(statements, flows, volume, use.Machine, use.Index);
            }
        }

        foreach (var group in rightful.GroupBy(use => use.Disk.Volume).Where(group => group.Count() > 1))
        {
            Shared(statements, datacentre.Machinery.Volumes[group.Key.ToString()], [.. group]);
        }
    }

    private static VolumeModel? Find(StatementSet statements, DiskModel disk) =>
        statements.Find<VolumeModel>(StatementKind.Volume, disk.Volume.Tenant, disk.Volume.Name);

    private static bool IsLent(FlowMatrix flows, VolumeModel volume, CompartmentModel machine, DiskModel disk) =>
        FlowMatrix.Domains(machine).Contains(volume.Colour)
        || flows.Lending(volume, machine.Ref, disk.Access) is not null;

    private static void Closed(
        StatementSet statements, FlowMatrix flows, VolumeModel? volume, CompartmentModel machine, int index)
    {
        var reference = machine.Disks[index].Volume;
        var access = WireText.Of(machine.Disks[index].Access);
        if (volume is not null)
        {
            statements.Note(
                machine.Origin, FindingCode.VolumeFlowClosed, $"/disks/{index}",
                $"The volume {reference.Name} belongs to {volume.Origin.OwnerName}/{volume.Domain}, of which the "
                + $"machine is no member, and no open flow lends it with {access} access; so the machine is never "
                + "admitted. " + (flows.Information.WhyNotLent(volume.Ref, machine.Ref)
                    ?? "Grant it there and accept it in a domain of the machine."));
        }
        else if (statements.Knows(reference.Tenant))
        {
            bool isDeclared = statements.Declares(StatementKind.Volume, reference.Tenant, reference.Name);
            statements.Note(
                machine.Origin, isDeclared ? FindingCode.DependsOnLeftOut : FindingCode.UnknownVolume,
                $"/disks/{index}/volume",
                isDeclared
                    ? $"Volume {reference.Name} has findings of its own and is left out, so this machine is not "
                        + "admitted."
                    : $"That tenant shows no volume {reference.Name}, so this machine is not admitted.");
        }
    }

    private static void Shared(
        StatementSet statements, VolumeModel volume,
        ImmutableArray<(CompartmentModel Machine, DiskModel Disk, int Index)> uses)
    {
        var together = volume.Sharing switch
        {
            VolumeSharing.Exclusive => uses,
            VolumeSharing.Readers => [.. uses.Where(use => use.Disk.Access == VolumeAccess.Write)],
            VolumeSharing.Writers => [],
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        if (together.Length < 2)
        {
            return;
        }

        foreach (var (machine, _, index) in together)
        {
            string others = MachineChecks.Others(together.Select(use => use.Machine), machine);
            statements.Note(
                machine.Origin,
                volume.Sharing == VolumeSharing.Exclusive
                    ? FindingCode.VolumeNotShared : FindingCode.VolumeTwoWriters,
                $"/disks/{index}",
                volume.Sharing == VolumeSharing.Exclusive
                    ? $"The volume {volume.Ref.Name} is one machine's at a time, and {others} has it too: only one of "
                        + "them is admitted. Say sharing: readers in the volume's statement if one writes and the "
                        + "others read."
                    : $"The volume {volume.Ref.Name} has one machine that writes at a time, and {others} writes it "
                        + "too: only one of them is admitted. Give the others read access.");
        }
    }

    private static IEnumerable<(CompartmentModel Machine, DiskModel Disk, int Index)> Uses(
        IEnumerable<CompartmentModel> machines) => machines.SelectMany(
            machine => machine.Disks.Select((disk, index) => (machine, disk, index)));
}
