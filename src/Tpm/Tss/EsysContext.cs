using System.Runtime.InteropServices;

namespace Bailiwick.Tpm.Tss;

/// <summary>The library's context (ESYS_CONTEXT): its knowledge of handles and sessions. Not for two threads at once.
/// </summary>
internal sealed class EsysContext : SafeHandle
{
    public EsysContext()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeEsys.Esys_Finalize(ref handle);
        return true;
    }
}
