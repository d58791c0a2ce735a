using System.Collections.Immutable;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Pcrs;

/// <summary>Some PCRs of one bank, in ascending order, each once.</summary>
public sealed class PcrSet
{
    private const int SelectBytes = 3;

    /// <summary>The PCRs 0 to 23 that are named.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is none of a PCR.</exception>
    public PcrSet(TpmHash bank, params IEnumerable<int> pcrs)
    {
        Bank = bank;
        Pcrs = [.. pcrs.Distinct().Order()];
        foreach (var pcr in Pcrs)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(pcr, nameof(pcrs));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(pcr, TpmLimits.PcrCount, nameof(pcrs));
        }
    }

    /// <summary>The bank.</summary>
    public TpmHash Bank { get; }

    /// <summary>The PCRs' numbers.</summary>
    public ImmutableArray<int> Pcrs { get; }

    /// <summary>All 24 PCRs of a bank.</summary>
    public static PcrSet All(TpmHash bank) => new(bank, Enumerable.Range(0, TpmLimits.PcrCount));

    /// <summary>The selection as the TPM reads it, a TPML_PCR_SELECTION (TPM 2.0 part 2, 10.9.7).</summary>
    internal byte[] ToWire()
    {
        var bits = new byte[SelectBytes];
        foreach (var pcr in Pcrs)
        {
            bits[pcr / 8] |= (byte)(1 << (pcr % 8));
        }

        return new WireWriter().U32(1).U16((int)Bank).U8(SelectBytes).Raw(bits).ToArray();
    }
}
