using System.Buffers.Binary;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Pcrs;

/// <summary>The TPM's platform configuration registers: reading and extending them.</summary>
public sealed class PcrRegisters(TpmConnection tpm)
{
    private const uint CapabilityPcrs = 5;

    /// <summary>The banks that have PCRs in this TPM.</summary>
    /// <exception cref="TpmException">The TPM failed.</exception>
    public IReadOnlyList<TpmHash> Banks() => tpm.Use(static commands => BanksOf(commands));

    /// <summary>Reads PCRs, in as many commands as are needed, again when one changed between two of them.</summary>
    /// <exception cref="TpmException">The bank has not all of them (Unsupported), or they change without end (Failed).
    /// </exception>
    public PcrReading Read(PcrSelection pcrs)
    {
        ArgumentNullException.ThrowIfNull(pcrs);
        return tpm.Use(commands => Read(commands, pcrs));
    }

    /// <summary>Extends digests into PCRs, in this order: new value = hash(old value, digest). Cannot be taken back.
    /// All are checked before the first is extended.</summary>
    /// <exception cref="TpmException">A digest has the wrong length (BadInput), or the TPM has no such bank
    /// (Unsupported): the TPM itself would silently extend nothing then.</exception>
    public void Extend(params IReadOnlyList<PcrMeasurement> measurements)
    {
        ArgumentNullException.ThrowIfNull(measurements);
        tpm.Use(commands =>
        {
            var banks = BanksOf(commands);
            foreach (var one in measurements)
            {
                Check(one, banks);
            }

            foreach (var (pcr, bank, digest) in measurements)
            {
                // TPML_DIGEST_VALUES: count (4), then algorithm and digest.
                commands.PcrExtend(
                    pcr, new WireWriter().U32(1).U16((int)bank).Raw(digest.Span).ToArray());
            }

            return true;
        });
    }

    internal static PcrReading Read(TpmCommands commands, PcrSelection pcrs)
    {
        for (var attempt = 0; attempt < AccessLimits.ReadingAttempts; attempt++)
        {
            if (TryRead(commands, pcrs) is { } reading)
            {
                return reading;
            }
        }

        throw new TpmException(
            AccessFault.Failed, "TPM2_PCR_Read",
            $"PCRs changed during {AccessLimits.ReadingAttempts} readings");
    }

    private static void Check(PcrMeasurement one, List<TpmHash> banks)
    {
        if (one.Pcr is < 0 or >= AccessLimits.PcrCount)
        {
            throw new TpmException(AccessFault.BadInput, "TPM2_PCR_Extend", $"{one.Pcr} is no PCR");
        }

        if (one.Digest.Length != one.Bank.Size())
        {
            throw new TpmException(
                AccessFault.BadInput, $"TPM2_PCR_Extend, PCR {one.Pcr}",
                $"{one.Digest.Length} bytes are no digest of {one.Bank.Text()}");
        }

        if (!banks.Contains(one.Bank))
        {
            throw new TpmException(
                AccessFault.Unsupported, $"TPM2_PCR_Extend, PCR {one.Pcr}", $"the TPM has no bank {one.Bank.Text()}");
        }
    }

    private static List<TpmHash> BanksOf(TpmCommands commands)
    {
        // TPMS_CAPABILITY_DATA of PCRs: capability (4), count (4), then algorithm (2), size (1), bits.
        var data = commands.GetCapability(CapabilityPcrs, 0, 1);
        return [.. Selections(data.AsSpan(4)).Where(one => one.Pcrs.Count > 0).Select(one => (TpmHash)one.Bank)
            .Where(Enum.IsDefined)];
    }

    private static PcrReading? TryRead(TpmCommands commands, PcrSelection pcrs)
    {
        List<PcrValue> values = [];
        uint? updates = null;
        foreach (var bank in pcrs.Banks)
        {
            var left = bank.Registers.ToHashSet();
            while (left.Count > 0)
            {
                var (now, selected, digests) = commands.PcrRead(PcrSelection.Of(bank.Hash, left).Write());
                if ((updates ??= now) != now)
                {
                    return null;
                }

                var got = Selections(selected).Where(one => one.Bank == (int)bank.Hash)
                    .SelectMany(one => one.Pcrs).ToList();
                var parts = Digests(digests, bank.Hash.Size());
                if (got.Count == 0 || parts.Count != got.Count || !left.IsSupersetOf(got))
                {
                    throw new TpmException(
                        AccessFault.Unsupported, "TPM2_PCR_Read",
                        $"the bank {bank.Hash.Text()} does not have all of the PCRs {string.Join(", ", left)}");
                }

                values.AddRange(got.Zip(parts, (pcr, digest) => new PcrValue(bank.Hash, pcr, digest)));
                left.ExceptWith(got);
            }
        }

        return PcrValues.Of(values) is { } all
            ? new PcrReading(all, updates ?? 0)
            : throw new TpmException(AccessFault.Failed, "TPM2_PCR_Read", "a PCR came twice");
    }

    /// <summary>A TPML_PCR_SELECTION, as the library wrote it.</summary>
    private static List<(int Bank, List<int> Pcrs)> Selections(ReadOnlySpan<byte> wire)
    {
        List<(int, List<int>)> all = [];
        var count = BinaryPrimitives.ReadUInt32BigEndian(wire);
        var rest = wire[4..];
        for (var i = 0; i < count; i++)
        {
            int bank = BinaryPrimitives.ReadUInt16BigEndian(rest), size = rest[2];
            List<int> pcrs = [];
            for (var pcr = 0; pcr < size * 8; pcr++)
            {
                if ((rest[3 + (pcr / 8)] & (1 << (pcr % 8))) != 0)
                {
                    pcrs.Add(pcr);
                }
            }

            all.Add((bank, pcrs));
            rest = rest[(3 + size)..];
        }

        return all;
    }

    private static List<ReadOnlyMemory<byte>> Digests(byte[] wire, int length)
    {
        List<ReadOnlyMemory<byte>> all = [];
        var at = 4;
        for (var i = BinaryPrimitives.ReadUInt32BigEndian(wire); i > 0; i--)
        {
            int size = BinaryPrimitives.ReadUInt16BigEndian(wire.AsSpan(at));
            if (size != length)
            {
                throw new TpmException(AccessFault.Failed, "TPM2_PCR_Read", $"a digest of {size} bytes");
            }

            all.Add(wire.AsMemory(at + 2, size));
            at += 2 + size;
        }

        return all;
    }
}
