using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.RuntimeLog;

/// <summary>How far a replay came, and why not further.</summary>
/// <param name="State">The state after the last entry that was taken.</param>
/// <param name="Fault">Why it ended; null at the end of the log.</param>
public sealed record RuntimeReplayed(RuntimeLogState State, RuntimeLogFault? Fault);

/// <summary>
/// Extends PCR 10 as Linux does (ima_queue.c and ima_crypto.c): in the SHA-1 bank with the digest that stands in the
/// entry, in every other bank with that bank's digest of the template data, and for a violation with ones.
/// </summary>
public sealed class RuntimeReplay : IDisposable
{
    private static readonly byte[] Zeros = new byte[RuntimeLogLimits.OldNameBytes];
    private readonly ImmutableArray<TpmHash> _banks;
    private readonly IncrementalHash[] _hashes;
    private readonly byte[][] _values;
    private readonly byte[] _both = new byte[2 * BootLogLimits.DigestBytes];
    private RuntimeCount _count;

    private RuntimeReplay(RuntimeLogState state)
    {
        _banks = state.Banks;
        _values = state.Values();
        _count = state.Count;
        _hashes = [.. _banks.Select(b => IncrementalHash.CreateHash(b.PlatformName()))];
    }

    /// <summary>Replays a whole tail.</summary>
    /// <param name="from">The state before it.</param>
    /// <param name="tail">Everything after what the state has read.</param>
    public static RuntimeReplayed Of(RuntimeLogState from, ReadOnlySpan<byte> tail) => Until(from, tail, null, default);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IncrementalHash hash in _hashes)
        {
            hash.Dispose();
        }
    }

    /// <summary>Replays until PCR 10 of one bank has a value, if that is asked, or to the end.</summary>
    internal static RuntimeReplayed Until(
        RuntimeLogState from, ReadOnlySpan<byte> tail, TpmHash? bank, ReadOnlySpan<byte> wanted)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (tail.Length > RuntimeLogLimits.Bytes)
        {
            return new RuntimeReplayed(
                from, new RuntimeLogFault(RuntimeLogFaultCode.TooLarge, from.Count.Entries, 0));
        }

        using var replay = new RuntimeReplay(from);
        return replay.Run(tail, bank is { } one ? from.Banks.IndexOf(one) : -1, wanted);
    }

    private RuntimeReplayed Run(ReadOnlySpan<byte> tail, int watched, ReadOnlySpan<byte> wanted)
    {
        long before = _count.Bytes;
        var reader = new RuntimeLogReader(tail);
        int at = 0;
        while (watched < 0 || !wanted.SequenceEqual(_values[watched]))
        {
            if (!reader.TryRead(out RuntimeEntry entry))
            {
                return Ended(reader.Fault, at);
            }

            bool violation = entry.IsViolation, elsewhere = entry.Pcr != RuntimeLogLimits.Pcr;
            if (!elsewhere && !Extend(entry, violation))
            {
                return Ended(RuntimeLogFaultCode.DigestMismatch, at);
            }

            at = reader.Position;
            _count = new RuntimeCount(_count.Entries + 1, _count.Violations + (violation ? 1 : 0),
                _count.Elsewhere + (elsewhere ? 1 : 0), before + at);
        }

        return Ended(null, at);
    }

    private RuntimeReplayed Ended(RuntimeLogFaultCode? fault, int at) => new(
        new RuntimeLogState(_banks, [.. _values], _count),
        fault is { } code ? new RuntimeLogFault(code, _count.Entries, at) : null);

    private bool Extend(in RuntimeEntry entry, bool violation)
    {
        for (int i = 0; i < _banks.Length; i++)
        {
            int length = _values[i].Length;
            Span<byte> both = _both.AsSpan(0, 2 * length), digest = both[length..];
            if (violation)
            {
                digest.Fill(0xFF);
            }
            else
            {
                Append(_hashes[i], entry);
                _hashes[i].GetHashAndReset(digest);
                if (_banks[i] == TpmHash.Sha1 && !digest.SequenceEqual(entry.TemplateDigest))
                {
                    return false;
                }
            }

            _values[i].CopyTo(both);
            _hashes[i].AppendData(both);
            _hashes[i].GetHashAndReset(_values[i]);
        }

        return true;
    }

    /// <summary>The oldest template hashes its name padded with zeros and without its length.</summary>
    private static void Append(IncrementalHash hash, in RuntimeEntry entry)
    {
        ReadOnlySpan<byte> data = entry.TemplateData;
        if (!entry.IsOldest)
        {
            hash.AppendData(data);
            return;
        }

        ReadOnlySpan<byte> name = data[(RuntimeLogLimits.DigestBytes + sizeof(uint))..];
        hash.AppendData(data[..RuntimeLogLimits.DigestBytes]);
        hash.AppendData(name);
        hash.AppendData(Zeros.AsSpan(name.Length));
    }
}
