using System.Collections.Immutable;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.BootLog;

/// <summary>
/// The PCR values that a verified quote covers, of one bank. Whoever makes one vouches that a TPM signed exactly these.
/// </summary>
public sealed class QuotedPcrs
{
    private readonly ImmutableSortedDictionary<int, byte[]> _values;

    private QuotedPcrs(TpmHash bank, ImmutableSortedDictionary<int, byte[]> values)
    {
        Bank = bank;
        _values = values;
    }

    /// <summary>The bank.</summary>
    public TpmHash Bank { get; }

    /// <summary>The numbers of the PCRs, in order.</summary>
    public IEnumerable<int> Numbers => _values.Keys;

    /// <summary>Takes values.</summary>
    /// <exception cref="ArgumentException">A PCR is none, is there twice, or has another length than the bank's.
    /// </exception>
    public static QuotedPcrs Of(TpmHash bank, IEnumerable<KeyValuePair<int, ReadOnlyMemory<byte>>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var taken = ImmutableSortedDictionary.CreateBuilder<int, byte[]>();
        foreach ((int pcr, ReadOnlyMemory<byte> value) in values)
        {
            if (pcr is < 0 or >= BootLogLimits.Pcrs || value.Length != bank.Size() || taken.ContainsKey(pcr))
            {
                throw new ArgumentException(
                    $"PCR {pcr} is none, is there twice, or has not the length of {bank.Text()}.", nameof(values));
            }

            taken.Add(pcr, value.ToArray());
        }

        return new QuotedPcrs(bank, taken.ToImmutable());
    }

    /// <summary>The values of one bank that a verified quote covers.</summary>
    public static QuotedPcrs Of(VerifiedQuote quote, TpmHash bank)
    {
        ArgumentNullException.ThrowIfNull(quote);
        return Of(bank, quote.Values.All.Where(v => v.Bank == bank && v.Register < BootLogLimits.Pcrs)
            .Select(v => KeyValuePair.Create(v.Register, v.Value)));
    }

    /// <summary>The value of a PCR; empty when it was not quoted.</summary>
    public ReadOnlySpan<byte> Value(int pcr) => _values.GetValueOrDefault(pcr);
}
