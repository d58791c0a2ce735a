using System.Buffers.Binary;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation;

/// <summary>
/// Values of registers as evidence carries them: the length of a TPML_PCR_SELECTION (16 bits, big-endian), the
/// selection, and the selected values in its order. One encoding each.
/// </summary>
internal static class RegisterList
{
    /// <summary>The longest list, in bytes.</summary>
    public const int MostBytes = 2 + 1024 + (4 * TpmLimits.PcrCount * TpmLimits.DigestBytes);

    /// <summary>Writes values.</summary>
    public static byte[] Write(PcrValues values)
    {
        byte[] selection = SelectionOf(values).Write();
        byte[] length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)selection.Length);
        return [.. length, .. selection, .. values.All.SelectMany(value => value.Value.ToArray())];
    }

    /// <summary>Reads values; null for anything that <see cref="Write"/> does not write.</summary>
    public static PcrValues? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(bytes) is var length && bytes.Length < 2 + length
            || !PcrSelection.TryRead(bytes.Slice(2, length), out PcrSelection? selection, out _))
        {
            return null;
        }

        ReadOnlySpan<byte> rest = bytes[(2 + length)..];
        List<PcrValue> values = [];
        foreach (BankSelection bank in selection.Banks)
        {
            foreach (int register in bank.Registers)
            {
                int size = bank.Hash.Size();
                if (rest.Length < size)
                {
                    return null;
                }

                values.Add(new PcrValue(bank.Hash, register, rest[..size].ToArray()));
                rest = rest[size..];
            }
        }

        return rest.IsEmpty && PcrValues.Of(values) is { } read && Write(read).AsSpan().SequenceEqual(bytes)
            ? read
            : null;
    }

    private static PcrSelection SelectionOf(PcrValues values) => PcrSelection.OfBanks(
        values.All.GroupBy(value => value.Bank).OrderBy(bank => bank.Key).Select(bank =>
            new BankSelection(bank.Key, bank.Aggregate(0u, (mask, value) => mask | 1u << value.Register))));
}
