using System.Threading.Channels;

namespace Bailiwick.Proxy.Host;

/// <summary>What happened to a machine. The first nine are virDomainEventType.</summary>
public enum MachineEventKind
{
    /// <summary>Its description was stored or changed.</summary>
    Defined = 0,

    /// <summary>Its description was removed.</summary>
    Undefined = 1,

    /// <summary>It was started.</summary>
    Started = 2,

    /// <summary>Its processors were stopped.</summary>
    Suspended = 3,

    /// <summary>Its processors run again.</summary>
    Resumed = 4,

    /// <summary>It ended.</summary>
    Stopped = 5,

    /// <summary>It is ending by itself.</summary>
    ShuttingDown = 6,

    /// <summary>It has put itself to sleep.</summary>
    Asleep = 7,

    /// <summary>It crashed.</summary>
    Crashed = 8,

    /// <summary>It restarted inside, without a new process.</summary>
    Rebooted = 100,

    /// <summary>A device was added.</summary>
    DeviceAdded = 101,

    /// <summary>A device is gone.</summary>
    DeviceRemoved = 102,
}

/// <summary>One event of one machine.</summary>
/// <param name="Machine">Its UUID.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Detail">The hypervisor's number for why (virDomainEvent*DetailType); else 0.</param>
/// <param name="Device">The alias of the device for the device events.</param>
public sealed record MachineEvent(Guid Machine, string Name, MachineEventKind Kind, int Detail, string? Device);

/// <summary>A running watch of machines; ends when disposed.</summary>
public interface IMachineWatch : IDisposable
{
    /// <summary>
    /// The events in order. It completes with a <see cref="WorldException"/> when an event may have been missed: the
    /// connection was lost, or the reader was too slow. Then connect or watch again, and list.
    /// </summary>
    ChannelReader<MachineEvent> Events { get; }
}
