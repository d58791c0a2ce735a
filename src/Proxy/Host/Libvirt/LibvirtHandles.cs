using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>A reference to a connection (virConnectPtr).</summary>
internal sealed class ConnectionHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => NativeLibvirt.virConnectClose(handle) >= 0;
}

/// <summary>A reference to a machine (virDomainPtr).</summary>
internal sealed class MachineHandle : SafeHandle
{
    public MachineHandle()
        : base(0, ownsHandle: true)
    {
    }

    public MachineHandle(nint reference)
        : base(0, ownsHandle: true) => SetHandle(reference);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => NativeLibvirt.virDomainFree(handle) >= 0;
}

/// <summary>A reference to a secret (virSecretPtr).</summary>
internal sealed class SecretHandle : SafeHandle
{
    public SecretHandle()
        : base(0, ownsHandle: true)
    {
    }

    public SecretHandle(nint reference)
        : base(0, ownsHandle: true) => SetHandle(reference);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => NativeLibvirt.virSecretFree(handle) >= 0;
}

/// <summary>A reference to a stream (virStreamPtr).</summary>
internal sealed class StreamHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => NativeLibvirt.virStreamFree(handle) >= 0;
}
