namespace Bailiwick.Proxy.Host;

/// <summary>What a machine does (virDomainState).</summary>
public enum MachineRunState
{
    /// <summary>The hypervisor has no state for it.</summary>
    Unknown = 0,

    /// <summary>Its processors run.</summary>
    Running = 1,

    /// <summary>It waits for a resource of the host.</summary>
    Blocked = 2,

    /// <summary>Its processors are stopped; memory and devices are there.</summary>
    Paused = 3,

    /// <summary>It is about to end.</summary>
    ShuttingDown = 4,

    /// <summary>It does not run.</summary>
    Off = 5,

    /// <summary>It crashed.</summary>
    Crashed = 6,

    /// <summary>It has put itself to sleep.</summary>
    Asleep = 7,
}

/// <summary>A machine as the hypervisor sees it.</summary>
/// <param name="Id">Its UUID.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">What it does.</param>
/// <param name="Reason">Why, as the hypervisor's number for that state (virDomain*Reason).</param>
/// <param name="RunNumber">The number of this run on this host; null when it does not run.</param>
/// <param name="IsStored">Whether its description outlives it.</param>
public sealed record MachineStatus(
    Guid Id, string Name, MachineRunState State, int Reason, int? RunNumber, bool IsStored)
{
    /// <summary>Whether a process holds its memory and devices, running or not.</summary>
    public bool IsActive => RunNumber is not null;
}

/// <summary>Versions of the hypervisor and the physical machine below it.</summary>
/// <param name="LibraryVersion">libvirt's version at the daemon.</param>
/// <param name="HypervisorVersion">QEMU's version.</param>
/// <param name="HostName">The daemon's host name.</param>
/// <param name="ProcessorModel">The processor's architecture.</param>
/// <param name="MemoryMiB">Physical memory.</param>
/// <param name="Processors">Processors in use.</param>
public sealed record HypervisorFacts(
    Version LibraryVersion, Version HypervisorVersion, string HostName, string ProcessorModel, long MemoryMiB,
    int Processors);
