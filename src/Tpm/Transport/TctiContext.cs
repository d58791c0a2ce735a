using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Bailiwick.Tpm.Transport;

/// <summary>
/// Our transport as tpm2-tss sees it: a TSS2_TCTI_CONTEXT_COMMON_V1 (TSS 2.0 TCTI API 1.0, 3.2) whose functions lead
/// back here. An exception must not cross the library's frames: it is kept, and the command that ran throws it.
/// </summary>
internal sealed class TctiContext : IDisposable
{
    private const uint IoError = 0x000a000a;
    private const uint NotImplemented = 0x000a0002;
    private const uint InsufficientBuffer = 0x000a0006;
    private const uint BadValue = 0x000a000b;

    private readonly TpmTransport _transport;
    private readonly byte[] _response = new byte[AccessLimits.MessageBytes];
    private GCHandle _self;
    private int _length;
    private bool _isPending;

    public TctiContext(TpmTransport transport)
    {
        _transport = transport;
        _self = GCHandle.Alloc(this);
        Pointer = Create(GCHandle.ToIntPtr(_self));
    }

    /// <summary>What Esys_Initialize takes.</summary>
    public nint Pointer { get; private set; }

    /// <summary>The command that is running, for errors.</summary>
    public string Operation { get; set; } = "TPM";

    /// <summary>How long it may take.</summary>
    public TimeSpan Limit { get; set; } = AccessLimits.CommandTime;

    public void Dispose()
    {
        if (Pointer != 0)
        {
            Marshal.FreeHGlobal(Pointer);
            Pointer = 0;
            _self.Free();
        }
    }

    // unsafe: the memory is one structure long, and lives until Dispose.
    private static unsafe nint Create(nint self)
    {
        var pointer = Marshal.AllocHGlobal(sizeof(Table));
        *(Table*)pointer = new Table
        {
            Magic = 0x4241494c49574943,
            Version = 1,
            Transmit = &Transmit,
            Receive = &Receive,
            Finalize = &Finish,
            Cancel = &Cancel,
            GetPollHandles = &GetPollHandles,
            SetLocality = &SetLocality,
            Self = self,
        };
        return pointer;
    }

    // unsafe: the library hands back the pointer that Create made.
    private static unsafe TctiContext Of(Table* table) =>
        GCHandle.FromIntPtr(table->Self).Target as TctiContext
        ?? throw new InvalidOperationException("a TCTI context that was given back");

    // unsafe: the library says how many bytes the command has.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe uint Transmit(Table* table, nuint size, byte* command)
    {
        if (command == null || size is 0 or > AccessLimits.MessageBytes)
        {
            return BadValue;
        }

        var context = Of(table);
        try
        {
            context._transport.Send(
                new ReadOnlySpan<byte>(command, (int)size), context.Operation, context.Limit);
            context._isPending = false;
            return 0;
        }
        catch (TpmException)
        {
            // The transport keeps it.
            return IoError;
        }
    }

    // unsafe: the library says how many bytes the response's buffer has, and may first ask without one.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe uint Receive(Table* table, nuint* size, byte* response, int timeout)
    {
        var context = Of(table);
        try
        {
            if (!context._isPending)
            {
                context._length = context._transport.Receive(context._response, context.Operation, context.Limit);
                context._isPending = true;
            }
        }
        catch (TpmException)
        {
            // The transport keeps it.
            return IoError;
        }

        var room = *size;
        *size = (nuint)context._length;
        if (response == null)
        {
            return 0;
        }

        if (room < (nuint)context._length)
        {
            return InsufficientBuffer;
        }

        context._response.AsSpan(0, context._length).CopyTo(new Span<byte>(response, context._length));
        context._isPending = false;
        return 0;
    }

    // unsafe: the signature is the library's; the transport ends with the connection.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe void Finish(Table* table)
    {
    }

    // unsafe: the signature is the library's.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe uint Cancel(Table* table) => NotImplemented;

    // unsafe: the signature is the library's.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe uint GetPollHandles(Table* table, nint handles, nuint* count) => NotImplemented;

    // unsafe: the signature is the library's.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe uint SetLocality(Table* table, byte locality) => NotImplemented;

    // unsafe: function pointers, in the order of the C structure; Self is ours, behind what the library knows.
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Table
    {
        public ulong Magic;
        public uint Version;
        public delegate* unmanaged[Cdecl]<Table*, nuint, byte*, uint> Transmit;
        public delegate* unmanaged[Cdecl]<Table*, nuint*, byte*, int, uint> Receive;
        public delegate* unmanaged[Cdecl]<Table*, void> Finalize;
        public delegate* unmanaged[Cdecl]<Table*, uint> Cancel;
        public delegate* unmanaged[Cdecl]<Table*, nint, nuint*, uint> GetPollHandles;
        public delegate* unmanaged[Cdecl]<Table*, byte, uint> SetLocality;
        public nint Self;
    }
}
