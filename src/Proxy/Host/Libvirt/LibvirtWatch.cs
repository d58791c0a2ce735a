using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>One watch: its registrations at libvirt and the bounded queue they fill.</summary>
internal sealed class LibvirtWatch : IMachineWatch
{
    private const int MaxWaitingEvents = 8192;
    private static readonly ConcurrentDictionary<LibvirtWatch, bool> All = new();
    private readonly LibvirtConnection _connection;
    private readonly List<int> _registrations = [];
    private readonly Channel<MachineEvent> _events = System.Threading.Channels.Channel.CreateBounded<MachineEvent>(
        new BoundedChannelOptions(MaxWaitingEvents) { FullMode = BoundedChannelFullMode.Wait });

    private int _disposed;

    public LibvirtWatch(LibvirtConnection connection)
    {
        _connection = connection;
        All.TryAdd(this, true);
        connection.Add(this);
        try
        {
            Register(LibvirtCallbacks.LifecycleEvent, LibvirtCallbacks.Lifecycle);
            Register(LibvirtCallbacks.RebootEvent, LibvirtCallbacks.Reboot);
            Register(LibvirtCallbacks.DeviceAddedEvent, LibvirtCallbacks.DeviceAdded);
            Register(LibvirtCallbacks.DeviceRemovedEvent, LibvirtCallbacks.DeviceRemoved);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ChannelReader<MachineEvent> Events => _events.Reader;

    public static void FailAll(string reason)
    {
        foreach (LibvirtWatch watch in All.Keys)
        {
            watch.Fail(reason);
        }
    }

    public void Deliver(MachineEvent happened)
    {
        if (!_events.Writer.TryWrite(happened))
        {
            Fail($"more than {MaxWaitingEvents} events waited to be read; list the machines and watch again");
        }
    }

    public void Fail(string reason) => _events.Writer.TryComplete(
        new LibvirtException("virConnectDomainEventRegisterAny", "events", -1, 0, reason));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _events.Writer.TryComplete();
        All.TryRemove(this, out _);
        _connection.Remove(this);
        foreach (int registration in _registrations)
        {
            // A dead connection has no registrations any more; there is nothing to do about its answer.
            _ = NativeLibvirt.virConnectDomainEventDeregisterAny(_connection.Handle, registration);
        }
    }

    private void Register(int eventId, nint callback)
    {
        GCHandle self = GCHandle.Alloc(this);
        int registration = NativeLibvirt.virConnectDomainEventRegisterAny(
            _connection.Handle, 0, eventId, callback, GCHandle.ToIntPtr(self), LibvirtCallbacks.Free);
        if (registration < 0)
        {
            LibvirtException failed = LibvirtException.Last("virConnectDomainEventRegisterAny", "events");
            self.Free();
            throw failed;
        }

        _registrations.Add(registration);
    }
}
