using System.Buffers.Binary;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Cli.Evidence;

/// <summary>
/// Registers as <c>tpm2_quote -o</c> writes them: TPML_PCR_SELECTION, a count, and that many TPML_DIGEST, laid out as
/// C structures of a little-endian machine; or the values alone, one after the other, as <c>-F values</c> writes them.
/// The file is anybody's word: what counts is whether the quote is over these registers in this order.
/// </summary>
internal static class ToolPcrFile
{
    private const int BankBytes = 8;
    private const int SelectionBytes = 4 + (TpmLimits.PcrBanks * BankBytes);
    private const int DigestsPerList = 8;
    private const int DigestBytes = 2 + TpmLimits.DigestBytes;
    private const int ListBytes = 4 + (DigestsPerList * DigestBytes);
    private const int MaxLists = TpmLimits.PcrBanks * TpmLimits.PcrCount / DigestsPerList;

    /// <summary>The largest such file.</summary>
    internal const int MaxBytes = SelectionBytes + 4 + (MaxLists * ListBytes);

    /// <summary>Reads the structures; null when they have not the form.</summary>
    internal static (PcrSelection Selection, PcrValues Values)? Read(ReadOnlySpan<byte> file)
    {
        if (file.Length < SelectionBytes + 4 || Selection(file) is not { } selection)
        {
            return null;
        }

        uint lists = BinaryPrimitives.ReadUInt32LittleEndian(file[SelectionBytes..]);
        if (lists > MaxLists || file.Length != SelectionBytes + 4 + (lists * ListBytes))
        {
            return null;
        }

        List<byte[]> digests = [];
        for (int list = 0; list < lists; list++)
        {
            var at = file.Slice(SelectionBytes + 4 + (list * ListBytes), ListBytes);
            uint count = BinaryPrimitives.ReadUInt32LittleEndian(at);
            for (int i = 0; i < count; i++)
            {
                int size = i < DigestsPerList
                    ? BinaryPrimitives.ReadUInt16LittleEndian(at[(4 + (i * DigestBytes))..]) : ushort.MaxValue;
                if (size > TpmLimits.DigestBytes)
                {
                    return null;
                }

                digests.Add(at.Slice(4 + (i * DigestBytes) + 2, size).ToArray());
            }
        }

        return Assign(selection, digests) is { } values ? (selection, values) : null;
    }

    /// <summary>Reads values alone, those of a selection in its order; null when the length is another.</summary>
    internal static PcrValues? ReadValues(ReadOnlySpan<byte> file, PcrSelection selection)
    {
        List<byte[]> digests = [];
        foreach (var bank in selection.Banks)
        {
            foreach (int _ in bank.Registers)
            {
                if (file.Length < bank.Hash.Size())
                {
                    return null;
                }

                digests.Add(file[..bank.Hash.Size()].ToArray());
                file = file[bank.Hash.Size()..];
            }
        }

        return file.IsEmpty ? Assign(selection, digests) : null;
    }

    private static PcrSelection? Selection(ReadOnlySpan<byte> file)
    {
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(file);
        if (count > TpmLimits.PcrBanks)
        {
            return null;
        }

        // The same again as the TPM writes it, so that one reader judges both.
        var wire = new TpmWriter().U32(count);
        for (int i = 0; i < count; i++)
        {
            var bank = file.Slice(4 + (i * BankBytes), BankBytes);
            if (bank[6] != 0)
            {
                return null;
            }

            wire.U16(BinaryPrimitives.ReadUInt16LittleEndian(bank)).U8(bank[2]).Bytes(bank.Slice(3, 3));
        }

        return PcrSelection.TryRead(wire.ToArray(), out var selection, out _) ? selection : null;
    }

    private static PcrValues? Assign(PcrSelection selection, List<byte[]> digests)
    {
        var places = selection.Banks.SelectMany(bank => bank.Registers.Select(register => (bank.Hash, register)));
        return digests.Count == selection.Count
            ? PcrValues.Of(places.Zip(digests, (place, digest) =>
                new PcrValue(place.Hash, place.register, digest)))
            : null;
    }
}
