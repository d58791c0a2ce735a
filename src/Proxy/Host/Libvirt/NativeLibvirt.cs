using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>
/// The calls of libvirt.so.0 that are used, named as in its headers. <c>unsigned long</c> is <c>nuint</c>, callbacks
/// are function pointers given as <c>nint</c>, strings to be freed are <c>nint</c>.
/// </summary>
internal static partial class NativeLibvirt
{
    private const string Library = "libvirt.so.0";

    [LibraryImport(Library)]
    public static partial int virInitialize();

    [LibraryImport(Library)]
    public static partial nint virGetLastError();

    [LibraryImport(Library)]
    public static partial void virResetLastError();

    [LibraryImport(Library)]
    public static partial void virSetErrorFunc(nint opaque, nint handler);

    [LibraryImport(Library)]
    public static partial int virEventRegisterDefaultImpl();

    [LibraryImport(Library)]
    public static partial int virEventRunDefaultImpl();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial ConnectionHandle virConnectOpen(string uri);

    [LibraryImport(Library)]
    public static partial int virConnectClose(nint connection);

    [LibraryImport(Library)]
    public static partial int virConnectSetKeepAlive(ConnectionHandle connection, int seconds, uint count);

    [LibraryImport(Library)]
    public static partial int virConnectRegisterCloseCallback(
        ConnectionHandle connection, nint callback, nint opaque, nint free);

    [LibraryImport(Library)]
    public static partial int virConnectUnregisterCloseCallback(ConnectionHandle connection, nint callback);

    [LibraryImport(Library)]
    public static partial int virConnectGetLibVersion(ConnectionHandle connection, out nuint version);

    [LibraryImport(Library)]
    public static partial int virConnectGetVersion(ConnectionHandle connection, out nuint version);

    [LibraryImport(Library)]
    public static partial nint virConnectGetHostname(ConnectionHandle connection);

    [LibraryImport(Library)]
    public static partial int virNodeGetInfo(ConnectionHandle connection, Span<byte> info);

    [LibraryImport(Library)]
    public static partial int virConnectListAllDomains(ConnectionHandle connection, out nint domains, uint flags);

    [LibraryImport(Library)]
    public static partial MachineHandle virDomainLookupByUUID(ConnectionHandle connection, ReadOnlySpan<byte> uuid);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial MachineHandle virDomainLookupByName(ConnectionHandle connection, string name);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial MachineHandle virDomainDefineXMLFlags(ConnectionHandle connection, string xml, uint flags);

    [LibraryImport(Library)]
    public static partial int virDomainUndefineFlags(MachineHandle machine, uint flags);

    [LibraryImport(Library)]
    public static partial int virDomainCreateWithFlags(MachineHandle machine, uint flags);

    [LibraryImport(Library)]
    public static partial int virDomainShutdownFlags(MachineHandle machine, uint flags);

    [LibraryImport(Library)]
    public static partial int virDomainDestroyFlags(MachineHandle machine, uint flags);

    [LibraryImport(Library)]
    public static partial int virDomainSuspend(MachineHandle machine);

    [LibraryImport(Library)]
    public static partial int virDomainResume(MachineHandle machine);

    [LibraryImport(Library)]
    public static partial int virDomainGetState(MachineHandle machine, out int state, out int reason, uint flags);

    [LibraryImport(Library)]
    public static partial nint virDomainGetXMLDesc(MachineHandle machine, uint flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainAttachDeviceFlags(MachineHandle machine, string xml, uint flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainUpdateDeviceFlags(MachineHandle machine, string xml, uint flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainDetachDeviceFlags(MachineHandle machine, string xml, uint flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint virDomainGetMetadata(MachineHandle machine, int type, string uri, uint flags);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainSetMetadata(
        MachineHandle machine, int type, string? metadata, string key, string uri, uint flags);

    [LibraryImport(Library)]
    public static partial uint virDomainGetID(MachineHandle machine);

    [LibraryImport(Library)]
    public static partial int virDomainIsPersistent(MachineHandle machine);

    [LibraryImport(Library)]
    public static partial int virDomainGetUUID(MachineHandle machine, Span<byte> uuid);

    [LibraryImport(Library, EntryPoint = "virDomainGetUUID")]
    public static partial int virDomainGetBorrowedUUID(nint machine, Span<byte> uuid);

    [LibraryImport(Library)]
    public static partial nint virDomainGetName(MachineHandle machine);

    [LibraryImport(Library, EntryPoint = "virDomainGetName")]
    public static partial nint virDomainGetBorrowedName(nint machine);

    [LibraryImport(Library)]
    public static partial int virDomainFree(nint machine);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int virDomainOpenConsole(
        MachineHandle machine, string? device, StreamHandle stream, uint flags);

    [LibraryImport(Library)]
    public static partial StreamHandle virStreamNew(ConnectionHandle connection, uint flags);

    [LibraryImport(Library)]
    public static partial int virStreamRecv(StreamHandle stream, Span<byte> data, nuint count);

    [LibraryImport(Library)]
    public static partial int virStreamSend(StreamHandle stream, ReadOnlySpan<byte> data, nuint count);

    [LibraryImport(Library)]
    public static partial int virStreamAbort(StreamHandle stream);

    [LibraryImport(Library)]
    public static partial int virStreamFree(nint stream);

    [LibraryImport(Library)]
    public static partial int virConnectDomainEventRegisterAny(
        ConnectionHandle connection, nint machine, int eventId, nint callback, nint opaque, nint free);

    [LibraryImport(Library)]
    public static partial int virConnectDomainEventDeregisterAny(ConnectionHandle connection, int callbackId);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SecretHandle virSecretDefineXML(ConnectionHandle connection, string xml, uint flags);

    [LibraryImport(Library)]
    public static partial int virSecretSetValue(
        SecretHandle secret, ReadOnlySpan<byte> value, nuint count, uint flags);

    [LibraryImport(Library)]
    public static partial int virSecretUndefine(SecretHandle secret);

    [LibraryImport(Library)]
    public static partial SecretHandle virSecretLookupByUUID(ConnectionHandle connection, ReadOnlySpan<byte> uuid);

    [LibraryImport(Library)]
    public static partial int virConnectListAllSecrets(ConnectionHandle connection, out nint secrets, uint flags);

    [LibraryImport(Library)]
    public static partial int virSecretGetUUID(SecretHandle secret, Span<byte> uuid);

    [LibraryImport(Library)]
    public static partial nint virSecretGetUsageID(SecretHandle secret);

    [LibraryImport(Library)]
    public static partial int virSecretFree(nint secret);

    /// <summary>free(3), with which libvirt's strings and arrays are freed.</summary>
    [LibraryImport("libc")]
    public static partial void free(nint memory);
}
