using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bailiwick.Attestation.Tpm;

/// <summary>One bank of a selection.</summary>
/// <param name="Hash">The bank.</param>
/// <param name="Mask">Bit n stands for register n; 0 to 2^24 - 1.</param>
public readonly record struct BankSelection(TpmHash Hash, uint Mask)
{
    /// <summary>The registers, ascending.</summary>
    public IEnumerable<int> Registers
    {
        get
        {
            uint mask = Mask;
            return Enumerable.Range(0, TpmLimits.PcrCount).Where(i => (mask >> i & 1) != 0);
        }
    }
}

/// <summary>
/// Which registers of which banks, in order: TPML_PCR_SELECTION (TPM 2.0 Part 2, section 10.9.7). No bank twice.
/// Two are equal when the same banks with the same registers follow in the same order; banks without a register are
/// left out of the comparison, for they add nothing to a digest.
/// </summary>
public sealed class PcrSelection : IEquatable<PcrSelection>
{
    private PcrSelection(ImmutableArray<BankSelection> banks) => Banks = banks;

    /// <summary>The banks, in order, empty ones included.</summary>
    public ImmutableArray<BankSelection> Banks { get; }

    /// <summary>How many registers are selected, over all banks.</summary>
    public int Count => Banks.Sum(bank => System.Numerics.BitOperations.PopCount(bank.Mask));

    /// <summary>A selection in one bank.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A register is not 0 to 23.</exception>
    public static PcrSelection Of(TpmHash bank, params IEnumerable<int> registers)
    {
        ArgumentNullException.ThrowIfNull(registers);
        uint mask = 0;
        foreach (int register in registers)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(register, nameof(registers));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(register, TpmLimits.PcrCount, nameof(registers));
            mask |= 1u << register;
        }

        return new PcrSelection([new BankSelection(bank, mask)]);
    }

    /// <summary>A selection over several banks.</summary>
    /// <exception cref="ArgumentException">A bank stands twice, or a mask is above 2^24 - 1.</exception>
    public static PcrSelection OfBanks(params IEnumerable<BankSelection> banks)
    {
        ImmutableArray<BankSelection> all = [.. banks];
        return all.Length <= TpmLimits.PcrBanks && all.DistinctBy(bank => bank.Hash).Count() == all.Length
            && all.All(bank => bank.Mask >> TpmLimits.PcrCount == 0)
                ? new PcrSelection(all)
                : throw new ArgumentException("A bank stands twice, or registers above 23.", nameof(banks));
    }

    /// <summary>Reads a TPML_PCR_SELECTION, to its last byte.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PcrSelection? value, out TpmFault? fault)
    {
        var reader = new TpmReader(bytes);
        value = Read(ref reader);
        value = reader.Ends() ? value : null;
        fault = reader.Fault;
        return value is not null;
    }

    /// <summary>The TPML_PCR_SELECTION.</summary>
    public byte[] Write()
    {
        var writer = new TpmWriter().U32((uint)Banks.Length);
        foreach (var bank in Banks)
        {
            writer.Hash(bank.Hash).U8(TpmLimits.PcrSelectBytes)
                .U8((byte)bank.Mask).U8((byte)(bank.Mask >> 8)).U8((byte)(bank.Mask >> 16));
        }

        return writer.ToArray();
    }

    internal static PcrSelection Read(ref TpmReader reader)
    {
        uint count = reader.U32();
        if (count > TpmLimits.PcrBanks)
        {
            reader.Fail(TpmFault.TooLarge);
        }

        var banks = ImmutableArray.CreateBuilder<BankSelection>();
        for (uint i = 0; i < count && reader.Fault is null; i++)
        {
            var hash = reader.Hash();
            if (reader.U8() != TpmLimits.PcrSelectBytes)
            {
                reader.Fail(TpmFault.WrongSize);
            }

            uint mask = reader.U8() | (uint)reader.U8() << 8 | (uint)reader.U8() << 16;
            if (banks.Any(bank => bank.Hash == hash))
            {
                reader.Fail(TpmFault.DuplicateBank);
            }

            banks.Add(new BankSelection(hash, mask));
        }

        return new PcrSelection(banks.ToImmutable());
    }

    /// <inheritdoc/>
    public bool Equals(PcrSelection? other) =>
        other is not null
        && Banks.Where(bank => bank.Mask != 0).SequenceEqual(other.Banks.Where(bank => bank.Mask != 0));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PcrSelection);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Banks.Where(bank => bank.Mask != 0).Aggregate(0, (hash, bank) => HashCode.Combine(hash, bank));

    /// <summary>As tpm2-tools write it: `sha256:0,1,7+sha384:4`; "no register" when there is none.</summary>
    public override string ToString()
    {
        var banks = Banks.Where(bank => bank.Mask != 0).Select(bank => string.Create(
            CultureInfo.InvariantCulture, $"{bank.Hash.Text()}:{string.Join(',', bank.Registers)}"));
        return string.Join('+', banks) is { Length: > 0 } text ? text : "no register";
    }
}
