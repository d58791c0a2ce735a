using System.Security.Cryptography;

namespace Bailiwick.Tpm.Tss;

/// <summary>Takes over what a command returned in memory of the library.</summary>
internal static class TssOutput
{
    private const int LargestStructure = 4096;

    /// <summary>The content of a sized buffer (TPM2B_...); the library's memory is given back.</summary>
    public static byte[] Sized(nint pointer) => Sized(pointer, static content => content.ToArray());

    /// <summary>Lends the content of a sized buffer, then overwrites it and gives it back.</summary>
    // unsafe: a sized buffer of tpm2-tss begins with its size and holds at least as many bytes.
    public static unsafe T Sized<T>(nint pointer, SecretUse<T> use)
    {
        var length = *(ushort*)pointer;
        var content = new Span<byte>((void*)(pointer + sizeof(ushort)), length);
        try
        {
            return use(content);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(content);
            NativeEsys.Esys_Free(pointer);
        }
    }

    /// <summary>The marshalled form of a structure; the library's memory is given back.</summary>
    public static byte[] Structure(nint pointer, NativeMu.Marshal marshal, string what)
    {
        var buffer = new byte[LargestStructure];
        nuint used = 0;
        var code = marshal(pointer, buffer, (nuint)buffer.Length, ref used);
        NativeEsys.Esys_Free(pointer);
        return code == 0
            ? buffer[..(int)used]
            : throw new TpmException(AccessFault.Failed, what, $"the answer cannot be written down: 0x{code:x}", code);
    }

    /// <summary>Gives back what nobody wants.</summary>
    public static void Drop(params ReadOnlySpan<nint> pointers)
    {
        foreach (var pointer in pointers)
        {
            NativeEsys.Esys_Free(pointer);
        }
    }
}
