using System.Collections.Immutable;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.RuntimeLog;

/// <summary>
/// How far a runtime log was replayed: what a verifier keeps between two quotes of one boot, so that the next time only
/// the log's new tail is read. A verifier that found something broken keeps the state from before it; the state must
/// begin anew when the host boots.
/// </summary>
public sealed class RuntimeLogState
{
    private readonly ImmutableArray<byte[]> _values;

    internal RuntimeLogState(
        ImmutableArray<TpmHash> banks, ImmutableArray<byte[]> values, RuntimeCount count)
    {
        Banks = banks;
        _values = values;
        Count = count;
    }

    /// <summary>The banks that are replayed.</summary>
    public ImmutableArray<TpmHash> Banks { get; }

    /// <summary>How much was read.</summary>
    public RuntimeCount Count { get; }

    /// <summary>The state at a boot: nothing read, PCR 10 all zero.</summary>
    /// <exception cref="ArgumentException">There is no bank, or one twice.</exception>
    public static RuntimeLogState Start(params ImmutableArray<TpmHash> banks) =>
        banks.IsDefaultOrEmpty || banks.Distinct().Count() != banks.Length
            ? throw new ArgumentException("At least one bank is replayed, and each once.", nameof(banks))
            : new(banks, [.. banks.Select(b => new byte[b.Size()])], default);

    /// <summary>What PCR 10 contains after what was read.</summary>
    /// <exception cref="ArgumentException">The bank is not replayed.</exception>
    public ReadOnlySpan<byte> Pcr10(TpmHash bank)
    {
        int index = Banks.IndexOf(bank);
        return index >= 0 ? _values[index] : throw new ArgumentException("This bank is not replayed.", nameof(bank));
    }

    /// <summary>Copies of the values, in the order of the banks.</summary>
    internal byte[][] Values() => [.. _values.Select(v => (byte[])v.Clone())];
}

/// <summary>How much of a runtime log was read.</summary>
/// <param name="Entries">Entries.</param>
/// <param name="Violations">Those among them that are violations.</param>
/// <param name="Elsewhere">Those among them that were extended into another PCR than 10 and so prove nothing.</param>
/// <param name="Bytes">Bytes.</param>
public readonly record struct RuntimeCount(long Entries, long Violations, long Elsewhere, long Bytes);
