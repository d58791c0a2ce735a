namespace Bailiwick.Domains.Rendering;

/// <summary>How a host runs machines.</summary>
public enum Hypervisor
{
    /// <summary>Hardware virtualisation (libvirt type <c>kvm</c>).</summary>
    Kvm = 1,
    /// <summary>Emulation by QEMU's TCG (libvirt type <c>qemu</c>): slow, and what a host without KVM has.</summary>
    Emulated,
}

/// <summary>
/// Where a host keeps what a machine's description names. All directories are absolute, without a final slash.
/// </summary>
/// <param name="Boot">Holds kernels and initrds, each named by its SHA-256 digest.</param>
/// <param name="Pool">Holds the volumes.</param>
/// <param name="Machines">Holds one directory per machine, named by the machine's name, for its sockets.</param>
/// <param name="Emulator">The QEMU binary.</param>
/// <param name="Hypervisor">How machines are run.</param>
public sealed record MachinePaths(
    string Boot, string Pool, string Machines, string Emulator, Hypervisor Hypervisor);
