using System.Buffers.Binary;
using System.Collections.Immutable;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.BootLog;

/// <summary>The two forms of a boot log. Closed.</summary>
public enum BootLogFormat
{
    /// <summary>TCG PC Client Implementation for BIOS: one SHA-1 digest an event.</summary>
    Sha1 = 1,

    /// <summary>TCG PC Client Platform Firmware Profile, section 10.2.2: a digest of each declared bank.</summary>
    CryptoAgile,
}

/// <summary>Where the parts of one event lie in the log.</summary>
internal readonly record struct EventPlace(
    uint Pcr, uint Type, int DigestsAt, int Digests, int DataAt, int DataLength);

/// <summary>
/// A boot log that was read: what it says, not whether it is true. Only a quote over PCRs that the log explains makes
/// anything of it believable; see <see cref="BootExplanation"/>.
/// </summary>
public sealed class MeasuredBoot
{
    private readonly byte[] _bytes;
    private readonly EventPlace[] _places;

    private MeasuredBoot(
        byte[] bytes, BootLogFormat format, ImmutableArray<DeclaredBank> banks, EventPlace[] places, int trailing)
    {
        _bytes = bytes;
        _places = places;
        Format = format;
        Banks = banks;
        Trailing = trailing;
    }

    /// <summary>Its form.</summary>
    public BootLogFormat Format { get; }

    /// <summary>The banks that it declares, in its order; a log in SHA-1 form has that one.</summary>
    public ImmutableArray<DeclaredBank> Banks { get; }

    /// <summary>How many events it has, the one that declares the banks included.</summary>
    public int Count => _places.Length;

    /// <summary>Bytes of padding (all 0x00 or all 0xFF) after the last event.</summary>
    public int Trailing { get; }

    /// <summary>One event.</summary>
    /// <param name="number">Its number, from 0.</param>
    public BootEvent this[int number] => new(this, number, _places[number]);

    /// <summary>The whole log as it was read.</summary>
    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether the log declares this bank.</summary>
    public bool Declares(TpmHash bank) => Banks.Any(b => b.Algorithm == (ushort)bank);

    /// <summary>
    /// Reads a log. Never throws for what the bytes contain; the cost is bounded by <see cref="BootLogLimits"/>.
    /// </summary>
    public static BootLogReading Read(ReadOnlySpan<byte> log)
    {
        var reader = new BootLogReader(log);
        return reader.Read() is { } fault
            ? new BootLogReading.Rejected(fault)
            : new BootLogReading.Understood(new MeasuredBoot(
                log.ToArray(), reader.Format, reader.Banks, reader.TakePlaces(), reader.Trailing));
    }

    internal ReadOnlySpan<byte> Slice(int at, int length) => _bytes.AsSpan(at, length);

    /// <summary>The digest of one bank, or empty.</summary>
    internal ReadOnlySpan<byte> Digest(EventPlace place, ushort algorithm)
    {
        int at = place.DigestsAt;
        for (int i = 0; i < place.Digests; i++)
        {
            if (Format == BootLogFormat.Sha1)
            {
                return algorithm == (ushort)TpmHash.Sha1 ? Slice(at, TpmHash.Sha1.Size()) : default;
            }

            ushort found = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at));
            int length = LengthOf(found, i);
            if (found == algorithm)
            {
                return Slice(at + sizeof(ushort), length);
            }

            at += sizeof(ushort) + length;
        }

        return default;
    }

    private int LengthOf(ushort algorithm, int place)
    {
        // Events nearly always have their banks in the declared order.
        if (Banks[place].Algorithm == algorithm)
        {
            return Banks[place].DigestBytes;
        }

        foreach (DeclaredBank bank in Banks)
        {
            if (bank.Algorithm == algorithm)
            {
                return bank.DigestBytes;
            }
        }

        throw new System.Diagnostics.UnreachableException("The reader admits only digests of declared banks.");
    }
}

/// <summary>One event of a log, as it lies there.</summary>
public readonly struct BootEvent
{
    private readonly MeasuredBoot _log;
    private readonly EventPlace _place;

    internal BootEvent(MeasuredBoot log, int number, EventPlace place)
    {
        _log = log;
        _place = place;
        Number = number;
    }

    /// <summary>Its number in the log, from 0.</summary>
    public int Number { get; }

    /// <summary>The PCR it was extended into; any number where it extends nothing.</summary>
    public uint Pcr => _place.Pcr;

    /// <summary>Its type, which is not measured.</summary>
    public BootEventType Type => (BootEventType)_place.Type;

    /// <summary>False for an EV_NO_ACTION event: it tells something and is measured nowhere.</summary>
    public bool Extends => Type != BootEventType.NoAction;

    /// <summary>Its data, which for many types is not measured.</summary>
    public ReadOnlySpan<byte> Data => _log.Slice(_place.DataAt, _place.DataLength);

    /// <summary>Its digest in a bank, or empty where it has none.</summary>
    public ReadOnlySpan<byte> Digest(TpmHash bank) => _log.Digest(_place, (ushort)bank);

    /// <summary>Its digest in a declared bank, also one that cannot be replayed; empty where it has none.</summary>
    public ReadOnlySpan<byte> Digest(DeclaredBank bank) => _log.Digest(_place, bank.Algorithm);
}
