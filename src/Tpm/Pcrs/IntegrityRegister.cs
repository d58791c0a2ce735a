using System.Buffers.Binary;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tpm.Pcrs;

/// <summary>
/// The PCR into which a host's integrity log goes, record by record. A PCR and not an NV index that extends: one quote
/// then covers the boot and the log at the same moment, while an index needs a second signature (TPM2_NV_Certify) that
/// says nothing about the PCRs, can be undefined and defined anew by the host's owner, and wears out. Only a PCR that
/// no locality can reset without resetting the TPM will do; the TPM itself is asked.
/// <para>PCR 15 if the configuration names no other: in the range that the TCG leaves to the operating system (PC
/// Client Platform Firmware Profile, 3.3.4), zero at boot on Debian 12, and never extended there. A host whose systemd
/// (252 or later, on a unified kernel image) measures the machine id into 15 is given 13 or 14, which only boot loaders
/// extend, and those write the boot log: the integrity log continues from the value where the boot log ends.</para>
/// <para>If something else extends it later, the log does not replay to the quoted value and the host's evidence is
/// refused: the failure is on the safe side.</para>
/// </summary>
public sealed class IntegrityRegister
{
    /// <summary>The PCR when the configuration names no other.</summary>
    public const int DefaultPcr = EvidenceRegisters.IntegrityLog;

    private const int FirstOfSystem = 8;
    private const int LastOfSystem = 15;
    private const uint CapabilityPcrProperties = 7;

    // TPM_PT_PCR_RESET_L0 .. L4, TPM 2.0 part 2, 6.14.
    private static readonly uint[] ResetProperties = [2, 4, 6, 8, 10];

    private readonly PcrRegisters _registers;

    private IntegrityRegister(PcrRegisters registers, int pcr)
    {
        _registers = registers;
        Pcr = pcr;
    }

    /// <summary>Its number, 8 to 15.</summary>
    public int Pcr { get; }

    /// <summary>Takes a PCR for the log, if it is fit for it.</summary>
    /// <exception cref="TpmException">It is not the operating system's (BadInput), or can be reset (Unsupported).
    /// </exception>
    public static IntegrityRegister Open(TpmConnection tpm, int pcr = DefaultPcr)
    {
        ArgumentNullException.ThrowIfNull(tpm);
        if (pcr is < FirstOfSystem or > LastOfSystem)
        {
            throw new TpmException(
                AccessFault.BadInput, $"PCR {pcr}",
                $"the integrity log needs a PCR of the operating system, {FirstOfSystem} to {LastOfSystem}");
        }

        var resettable = tpm.Use(static commands => ResetProperties
            .SelectMany(property => PcrsWith(commands.GetCapability(CapabilityPcrProperties, property, 1), property))
            .ToHashSet());
        return resettable.Contains(pcr)
            ? throw new TpmException(AccessFault.Unsupported, $"PCR {pcr}", "this TPM lets it be reset")
            : new IntegrityRegister(new PcrRegisters(tpm), pcr);
    }

    /// <summary>Extends the SHA-256 digest of one record.</summary>
    /// <exception cref="TpmException">The TPM refused; whether the record is in the PCR is then told by <see
    /// cref="Read"/>, or by nothing when the TPM is lost.</exception>
    public void Extend(ReadOnlySpan<byte> digest) =>
        _registers.Extend(new PcrMeasurement(Pcr, TpmHash.Sha256, digest.ToArray()));

    /// <summary>Its present value in the SHA-256 bank.</summary>
    /// <exception cref="TpmException">The TPM failed.</exception>
    public ReadOnlyMemory<byte> Read() =>
        _registers.Read(PcrSelection.Of(TpmHash.Sha256, Pcr)).Values.All.Single().Value;

    /// <summary>The PCRs that a TPMS_CAPABILITY_DATA of PCR properties names: capability (4), count (4), tag (4), size
    /// (1), bits. A TPM that does not tell the property answers with a later one.</summary>
    private static IEnumerable<int> PcrsWith(byte[] data, uint property)
    {
        if (BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(4)) != 1
            || BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(8)) != property)
        {
            throw new TpmException(
                AccessFault.Unsupported, "TPM2_GetCapability", "the TPM does not tell which PCRs can be reset");
        }

        return Enumerable.Range(0, data[12] * 8).Where(pcr => (data[13 + (pcr / 8)] & (1 << (pcr % 8))) != 0);
    }
}
