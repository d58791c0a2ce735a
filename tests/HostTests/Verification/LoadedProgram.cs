using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Bailiwick.HostTests.Verification;

/// <summary>
/// A BPF program of two instructions, which lets pass whatever it sees, linked to where it sees it (bpf(2),
/// linux/bpf.h). It goes with its link.
/// </summary>
internal sealed partial class LoadedProgram : IDisposable
{
    private const int Bpf = 321;
    private const int Load = 5;
    private const int Link = 28;
    private readonly int _link;

    private LoadedProgram(uint type, uint place, int verdict, int device, params uint[] terms)
    {
        int program = Loaded(type, place, verdict);
        try
        {
            byte[] attribute = new byte[64];
            Write(attribute, [(uint)program, (uint)device, place, .. terms]);
            _link = Call(Link, attribute);
        }
        finally
        {
            _ = Close(program);
        }
    }

    /// <summary>At a device of the caller's network namespace: what comes in, or what leaves.</summary>
    public static LoadedProgram AtDevice(int device, bool isLeaving) => new(3, isLeaving ? 47U : 46U, -1, device);

    /// <summary>At a device of the caller's network namespace, in its driver or (here) just behind it.</summary>
    public static LoadedProgram BeforeAll(int device) => new(6, 37, 2, device, 2);

    /// <summary>In the forward hook of netfilter, in the caller's network namespace.</summary>
    public static LoadedProgram InNetfilter() => new(32, 45, 1, 0, 0, 2, 2, 17);

    public void Dispose() => _ = Close(_link);

    private static int Loaded(uint type, uint place, int verdict)
    {
        // r0 = verdict; exit
        long[] instructions = [0xb7L | ((long)verdict << 32), 0x95L];
        byte[] licence = "Apache-2.0\0"u8.ToArray();
        GCHandle code = GCHandle.Alloc(instructions, GCHandleType.Pinned);
        GCHandle text = GCHandle.Alloc(licence, GCHandleType.Pinned);
        try
        {
            byte[] attribute = new byte[128];
            Write(attribute, [type, (uint)instructions.Length]);
            MemoryMarshal.Write(attribute.AsSpan(8), (long)code.AddrOfPinnedObject());
            MemoryMarshal.Write(attribute.AsSpan(16), (long)text.AddrOfPinnedObject());
            MemoryMarshal.Write(attribute.AsSpan(68), place);
            return Call(Load, attribute);
        }
        finally
        {
            code.Free();
            text.Free();
        }
    }

    private static void Write(byte[] attribute, uint[] words) =>
        MemoryMarshal.AsBytes(words.AsSpan()).CopyTo(attribute);

    private static int Call(int command, byte[] attribute)
    {
        int answer = (int)SystemCall(Bpf, command, attribute, attribute.Length);
        return answer >= 0 ? answer : throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint command, byte[] attribute, nint size);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
