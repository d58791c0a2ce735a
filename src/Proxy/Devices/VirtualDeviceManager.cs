using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Devices;

/// <summary>
/// A machine's devices besides disks and ports: its TPM; its console, which only its owner's administrators reach; and
/// the place of its probe's socket. A device that the plan does not name does not exist for anybody; one that it names
/// is in the integrity log before the machine has it, whoever starts the machine.
/// </summary>
public sealed class VirtualDeviceManager(
    HypervisorLink hypervisor, MachineLayout layout, IntegrityManager integrity)
{
    private readonly ConcurrentDictionary<string, Attached> _attached = new(StringComparer.Ordinal);

    /// <summary>What the machine must look like to libvirt, with every device.</summary>
    public MachineDescription Describe(CompartmentPlan machine) => layout.Describe(machine);

    /// <summary>Records, before a start, that the machine gets the devices of its plan.</summary>
    /// <exception cref="WorldException">The record could not be made: the machine must not start.</exception>
    public void Attach(EnforcedPlan plan, CompartmentPlan machine)
    {
        IntegrityReaders readers = plan.ReadersOf(machine);
        _attached[machine.MachineName] = new Attached(readers, Subjects(machine));
        foreach (string subject in Subjects(machine))
        {
            integrity.Record(IntegrityKind.DeviceAttached, readers, subject, $"To {machine.MachineName}.");
        }
    }

    /// <summary>Records that a machine, by libvirt's name, has ended and has its devices no more.</summary>
    public void Detach(EnforcedPlan plan, string machineName)
    {
        if (!_attached.TryRemove(machineName, out Attached? attached))
        {
            // A predecessor attached them; libvirt tells of one end twice, and it is recorded once.
            if (plan.Machine(machineName) is not { } machine)
            {
                return;
            }

            attached = new Attached(plan.ReadersOf(machine), [.. Subjects(machine).Where(IsAttached)]);
        }

        foreach (string subject in attached.Subjects)
        {
            integrity.RecordOrOwe(
                IntegrityKind.DeviceDetached, attached.Readers, subject, $"{machineName} has ended.");
        }
    }

    private static ImmutableArray<string> Subjects(CompartmentPlan machine) =>
    [
        .. machine.Devices.Select(device => $"{machine.Ref} {WireText.Of(device.Kind)}"),
        .. machine.Tpm is null ? [] : new[] { $"{machine.Ref} tpm" },
    ];

    private bool IsAttached(string subject) => integrity.LastAbout(
        subject, IntegrityKind.DeviceAttached, IntegrityKind.DeviceDetached) == IntegrityKind.DeviceAttached;

    /// <summary>Makes the machine's own directory, for the sockets of its devices.</summary>
    /// <exception cref="WorldException">The disk refused.</exception>
    public void Prepare(CompartmentPlan machine)
    {
        string directory = layout.DirectoryOf(machine);
        try
        {
            Directory.CreateDirectory(
                directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["make", directory], -1, error.Message);
        }
    }

    /// <summary>Whether the plan gives the machine this kind of device.</summary>
    public static bool Has(CompartmentPlan machine, DeviceKind kind) => machine.Devices.Any(d => d.Kind == kind);

    /// <summary>Opens the machine's console, both ways.</summary>
    /// <returns>Null when the plan gives the machine no console.</returns>
    /// <exception cref="WorldException">The machine does not run, or libvirt refused.</exception>
    public Stream? OpenConsole(CompartmentPlan machine) =>
        Has(machine, DeviceKind.Console) ? hypervisor.Current.OpenConsole(machine.Uuid, takeOver: true) : null;

    private sealed record Attached(IntegrityReaders Readers, ImmutableArray<string> Subjects);
}
