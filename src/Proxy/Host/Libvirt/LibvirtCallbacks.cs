using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>
/// What libvirt calls back. Each registration gets a GCHandle of its own as opaque value, which libvirt frees through
/// <see cref="Free"/> after the last call; so a callback never meets a dead object. No exception leaves a callback.
/// </summary>
internal static class LibvirtCallbacks
{
    public const int LifecycleEvent = 0;
    public const int RebootEvent = 1;
    public const int DeviceRemovedEvent = 15;
    public const int DeviceAddedEvent = 19;

    // unsafe, here and below: the address of a static method is what libvirt is given; it is never collected.
    public static unsafe nint Lifecycle =>
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, int>)&OnLifecycle;

    // unsafe: as above.
    public static unsafe nint Reboot => (nint)(delegate* unmanaged[Cdecl]<nint, nint, nint, void>)&OnReboot;

    // unsafe: as above.
    public static unsafe nint DeviceAdded =>
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, nint, nint, void>)&OnDeviceAdded;

    // unsafe: as above.
    public static unsafe nint DeviceRemoved =>
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, nint, nint, void>)&OnDeviceRemoved;

    // unsafe: as above.
    public static unsafe nint Closed => (nint)(delegate* unmanaged[Cdecl]<nint, int, nint, void>)&OnClosed;

    // unsafe: as above.
    public static unsafe nint Free => (nint)(delegate* unmanaged[Cdecl]<nint, void>)&OnFree;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnLifecycle(nint connection, nint machine, int kind, int detail, nint opaque)
    {
        Deliver(machine, (MachineEventKind)kind, detail, null, opaque);
        return 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnReboot(nint connection, nint machine, nint opaque) =>
        Deliver(machine, MachineEventKind.Rebooted, 0, null, opaque);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDeviceAdded(nint connection, nint machine, nint alias, nint opaque) =>
        Deliver(machine, MachineEventKind.DeviceAdded, 0, Marshal.PtrToStringUTF8(alias), opaque);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDeviceRemoved(nint connection, nint machine, nint alias, nint opaque) =>
        Deliver(machine, MachineEventKind.DeviceRemoved, 0, Marshal.PtrToStringUTF8(alias), opaque);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnClosed(nint connection, int reason, nint opaque) =>
        (GCHandle.FromIntPtr(opaque).Target as LibvirtConnection)?.Lost(reason);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnFree(nint opaque) => GCHandle.FromIntPtr(opaque).Free();

    private static void Deliver(nint machine, MachineEventKind kind, int detail, string? device, nint opaque)
    {
        // Nothing here throws but for want of memory, which ends the process anyway.
        if (GCHandle.FromIntPtr(opaque).Target is LibvirtWatch watch)
        {
            Span<byte> uuid = stackalloc byte[16];
            if (NativeLibvirt.virDomainGetBorrowedUUID(machine, uuid) < 0)
            {
                watch.Fail("an event came for a machine without an id");
                return;
            }

            string name = Marshal.PtrToStringUTF8(NativeLibvirt.virDomainGetBorrowedName(machine)) ?? "";
            watch.Deliver(new MachineEvent(new Guid(uuid, bigEndian: true), name, kind, detail, device));
        }
    }
}
