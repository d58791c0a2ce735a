using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>
/// libvirt's event loop, one per process: it must be registered before the first connection is opened and delivers
/// keep-alives, closed connections and events on one thread of its own.
/// </summary>
internal static class LibvirtEventLoop
{
    private const int MaxFailuresInARow = 100;
    private static readonly Lock Gate = new();
    private static bool _running;
    private static volatile string? _broken;

    /// <summary>Starts the loop once; throws when it has failed: then no lost connection would be told.</summary>
    public static void Require()
    {
        lock (Gate)
        {
            if (_broken is { } reason)
            {
                throw new LibvirtException("virEventRunDefaultImpl", "event loop", -1, 0, reason);
            }

            if (_running)
            {
                return;
            }

            if (NativeLibvirt.virInitialize() < 0)
            {
                throw LibvirtException.Last("virInitialize", "libvirt");
            }

            // Without this libvirt prints every error to our standard error as well.
            NativeLibvirt.virSetErrorFunc(0, Silent);
            if (NativeLibvirt.virEventRegisterDefaultImpl() < 0)
            {
                throw LibvirtException.Last("virEventRegisterDefaultImpl", "libvirt");
            }

            new Thread(Run) { IsBackground = true, Name = "libvirt events" }.Start();
            _running = true;
        }
    }

    // unsafe: the address of a static method is what libvirt is given; it captures nothing and is never collected.
    private static unsafe nint Silent => (nint)(delegate* unmanaged[Cdecl]<nint, nint, void>)&Ignore;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Ignore(nint opaque, nint error)
    {
    }

    private static void Run()
    {
        int failures = 0;
        while (failures < MaxFailuresInARow)
        {
            if (NativeLibvirt.virEventRunDefaultImpl() < 0)
            {
                failures++;
                Thread.Sleep(10);
            }
            else
            {
                failures = 0;
            }
        }

        _broken = LibvirtException.Last("virEventRunDefaultImpl", "event loop").Message;
        LibvirtWatch.FailAll(_broken);
    }
}
