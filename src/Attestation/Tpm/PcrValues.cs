using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Bailiwick.Attestation.Tpm;

/// <summary>The value of one register.</summary>
/// <param name="Bank">The bank.</param>
/// <param name="Register">0 to 23.</param>
/// <param name="Value">The value, as long as the bank's digest.</param>
public sealed record PcrValue(TpmHash Bank, int Register, ReadOnlyMemory<byte> Value);

/// <summary>
/// Values of registers, each at most once. By themselves they are somebody's word; a quote over their digest makes
/// them a TPM's.
/// </summary>
public sealed class PcrValues
{
    private readonly ImmutableSortedDictionary<(TpmHash Bank, int Register), PcrValue> _values;

    private PcrValues(ImmutableSortedDictionary<(TpmHash Bank, int Register), PcrValue> values) => _values = values;

    /// <summary>No values.</summary>
    public static PcrValues None { get; } =
        new(ImmutableSortedDictionary<(TpmHash Bank, int Register), PcrValue>.Empty);

    /// <summary>All values, by bank and register.</summary>
    public IEnumerable<PcrValue> All => _values.Values;

    /// <summary>How many there are.</summary>
    public int Count => _values.Count;

    /// <summary>The value of a register, or null.</summary>
    public ReadOnlyMemory<byte>? Find(TpmHash bank, int register) =>
        _values.TryGetValue((bank, register), out var value) ? value.Value : null;

    /// <summary>
    /// Takes values; null when one stands twice, has not its bank's length or is of a register above 23.
    /// </summary>
    public static PcrValues? Of(IEnumerable<PcrValue> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var taken = ImmutableSortedDictionary.CreateBuilder<(TpmHash Bank, int Register), PcrValue>();
        foreach (var value in values)
        {
            if (value.Register is < 0 or >= TpmLimits.PcrCount || value.Value.Length != value.Bank.Size()
                || !taken.TryAdd((value.Bank, value.Register), value))
            {
                return null;
            }
        }

        return new PcrValues(taken.ToImmutable());
    }

    /// <summary>Those of a selection; null when one of them is missing.</summary>
    public PcrValues? Selected(PcrSelection selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        var chosen = ImmutableSortedDictionary.CreateBuilder<(TpmHash Bank, int Register), PcrValue>();
        foreach (var bank in selection.Banks)
        {
            foreach (int register in bank.Registers)
            {
                if (!_values.TryGetValue((bank.Hash, register), out var value))
                {
                    return null;
                }

                chosen.Add((bank.Hash, register), value);
            }
        }

        return new PcrValues(chosen.ToImmutable());
    }

    /// <summary>
    /// The digest a quote carries: the hash over the selected values, bank by bank in the selection's order, registers
    /// ascending (TPM 2.0 Part 1, section 17.5). Null when a value is missing.
    /// </summary>
    /// <param name="selection">Which registers.</param>
    /// <param name="hash">The hash of the quoting key's scheme.</param>
    public byte[]? DigestOver(PcrSelection selection, TpmHash hash)
    {
        ArgumentNullException.ThrowIfNull(selection);
        using var digest = IncrementalHash.CreateHash(hash.PlatformName());
        foreach (var bank in selection.Banks)
        {
            foreach (int register in bank.Registers)
            {
                if (!_values.TryGetValue((bank.Hash, register), out var value))
                {
                    return null;
                }

                digest.AppendData(value.Value.Span);
            }
        }

        return digest.GetHashAndReset();
    }
}
