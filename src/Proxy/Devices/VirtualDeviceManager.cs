using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Devices;

/// <summary>
/// A machine's devices besides disks and ports: its console, which only its owner's administrators reach, and the
/// place of its probe's socket. A device that the plan does not name does not exist for anybody.
/// </summary>
public sealed class VirtualDeviceManager(HypervisorLink hypervisor, MachineLayout layout)
{
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
}
