using System.Security.Cryptography;

namespace Bailiwick.Tpm.Tss;

/// <content>The structures that commands take, and how much each holds (TPM 2.0 part 2; tss2_tpm2_types.h).</content>
internal sealed partial class TpmCommands
{
    private const int AlgorithmNull = 0x0010;
    private const int AlgorithmAes = 0x0006;
    private const int ModeCfb = 0x0043;
    private const int DigestBytes = 64;
    private const int ExtraBytes = 64;
    private const int PrivateBytes = 1550;
    private const int IdObjectBytes = 132;
    private const int EncryptedSecretBytes = 512;
    private const int NameBytes = 66;
    private const uint CapabilityProperties = 6;
    private const uint FirstProperty = 0x100;
    private const uint MostProperties = 64;

    private static TssMemory PublicArea(ReadOnlySpan<byte> area) => TssMemory.Structure(
        new WireWriter().Sized(area).ToArray(), NativeMu.Tss2_MU_TPM2B_PUBLIC_Unmarshal, "a public area");

    private static TssMemory NoPcrs() => TssMemory.Structure(
        new WireWriter().U32(0).ToArray(), NativeMu.Tss2_MU_TPML_PCR_SELECTION_Unmarshal, "a PCR selection");

    private static TssMemory Selection(ReadOnlySpan<byte> selection) => TssMemory.Structure(
        selection, NativeMu.Tss2_MU_TPML_PCR_SELECTION_Unmarshal, "a PCR selection");

    /// <summary>TPM2B_SENSITIVE_CREATE with an empty authorization: size, userAuth, data.</summary>
    private static TssMemory Sensitive(ReadOnlySpan<byte> data)
    {
        if (data.Length > AccessLimits.SealedBytes)
        {
            throw new TpmException(
                AccessFault.BadInput, "a sealed object", $"{data.Length} bytes; at most {AccessLimits.SealedBytes}");
        }

        Span<byte> wire = stackalloc byte[6 + AccessLimits.SealedBytes];
        wire.Clear();
        wire[1] = (byte)(4 + data.Length);
        wire[5] = (byte)data.Length;
        data.CopyTo(wire[6..]);
        try
        {
            return TssMemory.Structure(
                wire[..(6 + data.Length)], NativeMu.Tss2_MU_TPM2B_SENSITIVE_CREATE_Unmarshal, "a sealed object");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(wire);
        }
    }

    private static byte[] Aes128Cfb() =>
        new WireWriter().U16(AlgorithmAes).U16(128).U16(ModeCfb).ToArray();
}
