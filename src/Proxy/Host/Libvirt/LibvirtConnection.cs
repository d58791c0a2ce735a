using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>An open connection to the daemon, kept alive, that tells its watches when it is lost.</summary>
internal sealed class LibvirtConnection : IDisposable
{
    private const int KeepAliveSeconds = 5;
    private const int KeepAliveCount = 3;
    private static readonly string[] Reasons = ["error", "end of file", "no keep-alive answer", "closed by us"];
    private readonly Lock _gate = new();
    private readonly HashSet<LibvirtWatch> _watches = [];
    private string? _lost;

    private LibvirtConnection(ConnectionHandle handle) => Handle = handle;

    public ConnectionHandle Handle { get; }

    public static LibvirtConnection Open(string uri)
    {
        LibvirtEventLoop.Require();
        ConnectionHandle handle = NativeLibvirt.virConnectOpen(uri);
        if (handle.IsInvalid)
        {
            LibvirtException failed = LibvirtException.Last("virConnectOpen", uri);
            handle.Dispose();
            throw failed;
        }

        LibvirtConnection connection = new(handle);
        try
        {
            if (NativeLibvirt.virConnectSetKeepAlive(handle, KeepAliveSeconds, KeepAliveCount) < 0)
            {
                throw LibvirtException.Last("virConnectSetKeepAlive", uri);
            }

            connection.RegisterClose(uri);
            return connection;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Add(LibvirtWatch watch)
    {
        lock (_gate)
        {
            _watches.Add(watch);
            if (_lost is { } reason)
            {
                watch.Fail(reason);
            }
        }
    }

    public void Remove(LibvirtWatch watch)
    {
        lock (_gate)
        {
            _watches.Remove(watch);
        }
    }

    /// <summary>Called by libvirt: the connection is gone (virConnectCloseReason).</summary>
    public void Lost(int reason)
    {
        string text = reason >= 0 && reason < Reasons.Length ? Reasons[reason] : $"reason {reason}";
        lock (_gate)
        {
            _lost = $"the connection to the daemon was lost ({text}); connect again";
            foreach (LibvirtWatch watch in _watches)
            {
                watch.Fail(_lost);
            }
        }
    }

    public void Dispose()
    {
        LibvirtWatch[] watches;
        lock (_gate)
        {
            watches = [.. _watches];
        }

        foreach (LibvirtWatch watch in watches)
        {
            watch.Dispose();
        }

        if (!Handle.IsClosed)
        {
            _ = NativeLibvirt.virConnectUnregisterCloseCallback(Handle, LibvirtCallbacks.Closed);
            Handle.Dispose();
        }
    }

    private void RegisterClose(string uri)
    {
        GCHandle self = GCHandle.Alloc(this);
        if (NativeLibvirt.virConnectRegisterCloseCallback(
            Handle, LibvirtCallbacks.Closed, GCHandle.ToIntPtr(self), LibvirtCallbacks.Free) < 0)
        {
            LibvirtException failed = LibvirtException.Last("virConnectRegisterCloseCallback", uri);
            self.Free();
            throw failed;
        }
    }
}
