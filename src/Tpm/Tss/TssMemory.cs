using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Bailiwick.Tpm.Tss;

/// <summary>
/// A structure of tpm2-tss in memory of its own, larger than the largest of them, zero at first and overwritten with
/// zeros when given back.
/// </summary>
internal sealed class TssMemory : SafeHandle
{
    // The largest structure of tpm2-tss that is passed has 2,306 bytes.
    private const int Bytes = 4096;

    private TssMemory(nint address)
        : base(0, ownsHandle: true) => SetHandle(address);

    /// <summary>A null pointer, for what a command takes only optionally.</summary>
    public static TssMemory Nothing { get; } = new(0);

    public override bool IsInvalid => handle == 0;

    /// <summary>A sized buffer (TPM2B_..., TPM 2.0 part 2, 10.4): the size in the machine's order, and the bytes.
    /// </summary>
    /// <param name="content">The bytes.</param>
    /// <param name="limit">How many the structure holds.</param>
    /// <param name="what">Its name, for the error.</param>
    /// <exception cref="TpmException">There are more; <see cref="AccessFault.BadInput"/>.</exception>
    public static TssMemory Sized(ReadOnlySpan<byte> content, int limit, string what)
    {
        if (content.Length > limit)
        {
            throw new TpmException(
                AccessFault.BadInput, what, $"{content.Length} bytes are too many; it holds at most {limit}");
        }

        var memory = Empty();
        var span = memory.Span();
        MemoryMarshal.Write(span, (ushort)content.Length);
        content.CopyTo(span[2..]);
        return memory;
    }

    /// <summary>A structure read from its marshalled form, all of which must be used.</summary>
    /// <exception cref="TpmException">It is not that structure; <see cref="AccessFault.BadInput"/>.</exception>
    public static TssMemory Structure(ReadOnlySpan<byte> marshalled, NativeMu.Unmarshal unmarshal, string what)
    {
        var memory = Empty();
        nuint used = 0;
        var code = unmarshal(marshalled, (nuint)marshalled.Length, ref used, memory);
        if (code == 0 && used == (nuint)marshalled.Length)
        {
            return memory;
        }

        memory.Dispose();
        var cause = code == 0 ? $"{marshalled.Length - (int)used} bytes are left over" : $"error 0x{code:x}";
        throw new TpmException(AccessFault.BadInput, what, $"the bytes are not this structure: {cause}", code);
    }

    protected override bool ReleaseHandle()
    {
        CryptographicOperations.ZeroMemory(Span());
        Marshal.FreeHGlobal(handle);
        return true;
    }

    private static TssMemory Empty()
    {
        var memory = new TssMemory(Marshal.AllocHGlobal(Bytes));
        memory.Span().Clear();
        return memory;
    }

    // unsafe: the memory was allocated with exactly this length and is not yet given back.
    private unsafe Span<byte> Span() => new((void*)handle, Bytes);
}
