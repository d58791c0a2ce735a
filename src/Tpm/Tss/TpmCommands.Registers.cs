using System.Buffers.Binary;

namespace Bailiwick.Tpm.Tss;

/// <content>PCRs, quotes and NV indices.</content>
internal sealed partial class TpmCommands
{
    // TPM2_PCR_Read gives at most eight; NV buffers of 1024 bytes are what every TPM of a PC has at least.
    private const int NvPartBytes = 1024;

    private const int Sha256 = 0x000b;

    // Written by the platform, read by platform, owner and its own empty authorization, not counted as a guess, of the
    // platform (TPMA_NV, TPM 2.0 part 2, 13.4): what the EK Credential Profile demands of an index of a maker.
    private const uint CertificateIndex =
        1 | (1 << 13) | (1 << 16) | (1 << 17) | (1 << 18) | (1 << 25) | (1 << 30);

    /// <summary>Some of the selected PCRs: the count of changes, the selection (TPML_PCR_SELECTION) that came, and its
    /// values (TPML_DIGEST).</summary>
    public (uint Updates, byte[] Selected, byte[] Values) PcrRead(ReadOnlySpan<byte> selection)
    {
        Begin("TPM2_PCR_Read");
        using var wanted = Selection(selection);
        Check(NativeEsys.Esys_PCR_Read(
            _esys, None, None, None, wanted, out var updates, out var selected, out var values));
        return (updates,
            TssOutput.Structure(selected, NativeMu.Tss2_MU_TPML_PCR_SELECTION_Marshal, _tcti.Operation),
            TssOutput.Structure(values, NativeMu.Tss2_MU_TPML_DIGEST_Marshal, _tcti.Operation));
    }

    public void PcrExtend(int pcr, ReadOnlySpan<byte> digests)
    {
        Begin($"TPM2_PCR_Extend, PCR {pcr}");
        using var values = TssMemory.Structure(
            digests, NativeMu.Tss2_MU_TPML_DIGEST_VALUES_Unmarshal, _tcti.Operation);
        Check(NativeEsys.Esys_PCR_Extend(_esys, (uint)pcr, Password, None, None, values));
    }

    /// <summary>A quote: TPMS_ATTEST and TPMT_SIGNATURE, by the key's own scheme.</summary>
    public (byte[] Attest, byte[] Signature) Quote(
        TpmHandle key, ReadOnlySpan<byte> extraData, ReadOnlySpan<byte> selection)
    {
        Begin("TPM2_Quote");
        using var extra = TssMemory.Sized(extraData, ExtraBytes, _tcti.Operation);
        using var scheme = TssMemory.Structure(
            new WireWriter().U16(AlgorithmNull).ToArray(), NativeMu.Tss2_MU_TPMT_SIG_SCHEME_Unmarshal,
            _tcti.Operation);
        using var pcrs = Selection(selection);
        Check(NativeEsys.Esys_Quote(
            _esys, key.Resource, Password, None, None, extra, scheme, pcrs, out var quoted, out var signature));
        return (TssOutput.Sized(quoted),
            TssOutput.Structure(signature, NativeMu.Tss2_MU_TPMT_SIGNATURE_Marshal, _tcti.Operation));
    }

    /// <summary>All bytes of an NV index that may be read with its own empty authorization.</summary>
    public byte[] ReadIndex(TpmHandle index)
    {
        Begin("TPM2_NV_ReadPublic");
        Check(NativeEsys.Esys_NV_ReadPublic(
            _esys, index.Resource, None, None, None, out var area, out var name));
        TssOutput.Drop(name);
        var wire = TssOutput.Structure(area, NativeMu.Tss2_MU_TPM2B_NV_PUBLIC_Marshal, _tcti.Operation);
        int size = BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(wire.Length - 2));
        if (size > AccessLimits.CertificateBytes)
        {
            throw new TpmException(
                AccessFault.BadInput, _tcti.Operation,
                $"the index has {size} bytes; {AccessLimits.CertificateBytes} are read at most");
        }

        Begin("TPM2_NV_Read");
        var all = new byte[size];
        for (var have = 0; have < size;)
        {
            Check(NativeEsys.Esys_NV_Read(
                _esys, index.Resource, index.Resource, Password, None, None,
                (ushort)Math.Min(NvPartBytes, size - have), (ushort)have, out var data));
            var part = TssOutput.Sized(data);
            if (part.Length == 0 || part.Length > size - have)
            {
                throw new TpmException(AccessFault.Failed, _tcti.Operation, $"{part.Length} bytes came");
            }

            part.CopyTo(all, have);
            have += part.Length;
        }

        return all;
    }

    /// <summary>Removes an index that the platform defined.</summary>
    public void UndefineIndex(TpmHandle index)
    {
        Begin("TPM2_NV_UndefineSpace");
        Check(NativeEsys.Esys_NV_UndefineSpace(
            _esys, NativeEsys.Platform, index.Resource, Password, None, None));
    }

    /// <summary>
    /// Defines an index for the platform, which every user of the TPM can read, and writes it: how a maker puts its
    /// certificate in (TCG EK Credential Profile 2.5, section 2.2.1.5).
    /// </summary>
    public void MakeIndex(uint handle, ReadOnlySpan<byte> content)
    {
        Begin("TPM2_NV_DefineSpace");
        using var auth = TssMemory.Sized([], DigestBytes, _tcti.Operation);
        using var area = TssMemory.Structure(
            new WireWriter().Sized(new WireWriter().U32(handle).U16(Sha256).U32(CertificateIndex).Sized([])
                .U16(content.Length).ToArray()).ToArray(),
            NativeMu.Tss2_MU_TPM2B_NV_PUBLIC_Unmarshal, _tcti.Operation);
        Check(NativeEsys.Esys_NV_DefineSpace(
            _esys, NativeEsys.Platform, Password, None, None, auth, area, out var resource));
        using var index = new TpmHandle(this, resource, takesSlot: false);
        Begin("TPM2_NV_Write");
        for (var have = 0; have < content.Length; have += NvPartBytes)
        {
            using var part = TssMemory.Sized(
                content[have..Math.Min(content.Length, have + NvPartBytes)], NvPartBytes, _tcti.Operation);
            Check(NativeEsys.Esys_NV_Write(
                _esys, NativeEsys.Platform, index.Resource, Password, None, None, part, (ushort)have));
        }
    }
}
