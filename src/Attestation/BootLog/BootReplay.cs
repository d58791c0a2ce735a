using System.Security.Cryptography;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.BootLog;

/// <summary>
/// What the PCRs of one bank must contain if a log is true: each starts at zero and is extended by each of its events,
/// PCR = H(PCR || digest) (TPM 2.0 Library, part 1, section 17.2). PCR 0 starts at the locality that a StartupLocality
/// event names (Platform Firmware Profile, section 10.4.5.3).
/// </summary>
public sealed class BootReplay
{
    private readonly byte[] _values;
    private readonly int _length;

    private BootReplay(TpmHash bank, byte[] values, int touched)
    {
        Bank = bank;
        _values = values;
        _length = bank.Size();
        Touched = [.. Enumerable.Range(0, BootLogLimits.Pcrs).Where(i => (touched & (1 << i)) != 0)];
    }

    /// <summary>The bank.</summary>
    public TpmHash Bank { get; }

    /// <summary>The PCRs that at least one event extends, in order.</summary>
    public IReadOnlyList<int> Touched { get; }

    private static ReadOnlySpan<byte> Locality => "StartupLocality\0"u8;

    /// <summary>The value of a PCR, 0 to 23; its starting value where nothing extends it.</summary>
    public ReadOnlySpan<byte> Value(int pcr)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)pcr, (uint)BootLogLimits.Pcrs);
        return _values.AsSpan(pcr * _length, _length);
    }

    /// <summary>Replays a log in one bank. An event without a digest of that bank extends nothing in it.</summary>
    public static BootReplay Of(MeasuredBoot log, TpmHash bank)
    {
        ArgumentNullException.ThrowIfNull(log);
        int length = bank.Size(), touched = 0;
        byte[] values = new byte[BootLogLimits.Pcrs * length];
        Span<byte> both = stackalloc byte[2 * length];
        using var hash = IncrementalHash.CreateHash(bank.PlatformName());
        for (int i = 0; i < log.Count; i++)
        {
            BootEvent one = log[i];
            if (!one.Extends)
            {
                if ((touched & 1) == 0 && StartOf(one) is { } start)
                {
                    values[length - 1] = start;
                }

                continue;
            }

            ReadOnlySpan<byte> digest = one.Digest(bank);
            if (digest.IsEmpty)
            {
                continue;
            }

            int pcr = (int)one.Pcr;
            touched |= 1 << pcr;
            Span<byte> value = values.AsSpan(pcr * length, length);
            value.CopyTo(both);
            digest.CopyTo(both[length..]);
            hash.AppendData(both);
            hash.GetHashAndReset(value);
        }

        return new BootReplay(bank, values, touched);
    }

    /// <summary>The locality that a StartupLocality event names; null for any other event.</summary>
    internal static byte? StartOf(BootEvent one) =>
        one.Data.Length > Locality.Length && one.Data.StartsWith(Locality) ? one.Data[Locality.Length] : null;
}
