using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Proxy.Compartments;

/// <summary>
/// Where this host keeps what machines are made of, and so how a planned machine is described to libvirt.
/// </summary>
public sealed class MachineLayout(MachinePaths paths)
{
    /// <summary>The directory of a machine's sockets.</summary>
    public string DirectoryOf(CompartmentPlan machine) => DirectoryOf(machine.MachineName);

    /// <summary>The directory of a machine's sockets, by libvirt's name of it.</summary>
    public string DirectoryOf(string machineName) => Path.Combine(paths.Machines, machineName);

    /// <summary>The machine for libvirt.</summary>
    public string Xml(CompartmentPlan machine) => MachineXml.Of(machine, paths);

    /// <summary>What a machine must look like to be the planned one.</summary>
    public MachineDescription Describe(CompartmentPlan machine) => MachineDescription.Of(machine, paths);

    /// <summary>libvirt's name of a machine, planned or not.</summary>
    public static string NameOf(CompartmentRef machine) =>
        "bw-" + DerivedNames.Digits(machine.ToString(), DerivedNames.MachineDigits);
}
