using System.Runtime.InteropServices;

namespace Bailiwick.Tpm.Tss;

/// <summary>
/// The marshalling of libtss2-mu (TSS 2.0 Marshaling/Unmarshaling API 1.0): between the TPM's wire form, which is all
/// that the rest of the program knows, and the library's structures, whose layout stays the library's.
/// </summary>
internal static partial class NativeMu
{
    private const string Library = "libtss2-mu.so.0";

    public delegate uint Unmarshal(ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    public delegate uint Marshal(nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPM2B_PUBLIC_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPM2B_SENSITIVE_CREATE_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPML_PCR_SELECTION_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPML_DIGEST_VALUES_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMT_SIGNATURE_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMT_SIG_SCHEME_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMT_SYM_DEF_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMT_SYM_DEF_OBJECT_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMT_TK_VERIFIED_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPM2B_NV_PUBLIC_Unmarshal(
        ReadOnlySpan<byte> buffer, nuint size, ref nuint offset, TssMemory target);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPM2B_PUBLIC_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPML_PCR_SELECTION_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPML_DIGEST_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMT_SIGNATURE_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMT_TK_VERIFIED_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMS_CAPABILITY_DATA_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPMS_TIME_INFO_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);

    [LibraryImport(Library)]
    public static partial uint Tss2_MU_TPM2B_NV_PUBLIC_Marshal(
        nint source, Span<byte> buffer, nuint size, ref nuint offset);
}
