using System.Runtime.InteropServices;

namespace Bailiwick.Proxy.Host.Libvirt;

/// <summary>libvirt refused or failed: its call, its error code and domain, and its message.</summary>
public sealed class LibvirtException : WorldException
{
    /// <summary>VIR_ERR_RPC: the daemon did not answer as it should.</summary>
    public const int Rpc = 39;

    /// <summary>VIR_ERR_NO_DOMAIN: no such machine.</summary>
    public const int NoMachine = 42;

    /// <summary>VIR_ERR_OPERATION_INVALID: not in this state of the machine.</summary>
    public const int OperationInvalid = 55;

    /// <summary>VIR_ERR_NO_SECRET: no such secret.</summary>
    public const int NoSecret = 66;

    /// <summary>VIR_ERR_HOOK_SCRIPT_FAILED: the host's own hook said no.</summary>
    public const int HookRefused = 70;

    /// <summary>VIR_ERR_NO_DOMAIN_METADATA: nothing stored under that namespace.</summary>
    public const int NoMetadata = 80;

    /// <summary>A failure of one call.</summary>
    /// <param name="call">The function of libvirt.</param>
    /// <param name="subject">What it was applied to.</param>
    /// <param name="code">virErrorNumber.</param>
    /// <param name="source">virErrorDomain: the part of libvirt that failed.</param>
    /// <param name="message">libvirt's message.</param>
    public LibvirtException(string call, string subject, int code, int source, string message)
        : base(["libvirt", call, subject], code, message)
    {
        ErrorSource = source;
    }

    /// <summary>virErrorNumber.</summary>
    public int Code => ExitCode;

    /// <summary>virErrorDomain: the part of libvirt that failed.</summary>
    public int ErrorSource { get; }

    /// <summary>The error of the call that just failed on this thread (libvirt keeps it per thread).</summary>
    internal static LibvirtException Last(string call, string subject)
    {
        // struct _virError begins: int code; int domain; char *message (libvirt/virterror.h).
        nint error = NativeLibvirt.virGetLastError();
        if (error == 0)
        {
            return new LibvirtException(call, subject, -1, 0, "libvirt gave no reason");
        }

        string? message = Marshal.PtrToStringUTF8(Marshal.ReadIntPtr(error, 8));
        LibvirtException last = new(
            call, subject, Marshal.ReadInt32(error), Marshal.ReadInt32(error, 4), message ?? "libvirt gave no reason");
        NativeLibvirt.virResetLastError();
        return last;
    }
}
