using System.Buffers.Binary;
using System.Collections.Immutable;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.BootLog;

/// <summary>
/// Reads TCG event logs: TCG_PCClientPCREvent and TCG_PCR_EVENT2 (TCG PC Client Platform Firmware Profile 1.06,
/// sections 10.2.1 and 10.2.2). The first event always has the SHA-1 form; it decides over the rest. Every length is
/// checked against what is left before it is believed.
/// </summary>
internal ref struct BootLogReader(ReadOnlySpan<byte> log)
{
    private const int OldHeader = 32;
    private const int OldDigest = 20;
    private const int UsualEvents = 256;

    // Signature, platform class, two version bytes, errata, size of UINTN, then the number of banks.
    private const int SpecIdFixed = 16 + 4 + 1 + 1 + 1 + 1;
    private readonly ReadOnlySpan<byte> _log = log;
    private readonly List<EventPlace> _places = new(UsualEvents);
    private int _at;

    internal BootLogFormat Format { get; private set; } = BootLogFormat.Sha1;

    internal ImmutableArray<DeclaredBank> Banks { get; private set; } =
        [new((ushort)TpmHash.Sha1, OldDigest)];

    internal int Trailing { get; private set; }

    private static ReadOnlySpan<byte> AgileSignature => "Spec ID Event03\0"u8;

    private readonly int Left => _log.Length - _at;

    internal readonly EventPlace[] TakePlaces() => [.. _places];

    /// <summary>Reads everything; null when it could.</summary>
    internal BootLogFault? Read()
    {
        if (_log.Length > BootLogLimits.Bytes)
        {
            return Fault(BootLogFaultCode.TooLarge);
        }

        // Where padding would begin, looked up once: firmware hands over a whole region, filled with one byte.
        int zeros = _log.LastIndexOfAnyExcept((byte)0) + 1, ones = _log.LastIndexOfAnyExcept((byte)0xFF) + 1;
        if (zeros == 0 || ones == 0)
        {
            return Fault(BootLogFaultCode.Empty);
        }

        BootLogFault? fault = OldEvent() ?? Declaration();
        while (fault is null && Left > 0)
        {
            if (_at >= zeros || _at >= ones)
            {
                Trailing = Left;
                return null;
            }

            fault = _places.Count == BootLogLimits.Events ? Fault(BootLogFaultCode.TooManyEvents)
                : Format == BootLogFormat.Sha1 ? OldEvent() : AgileEvent();
        }

        return fault;
    }

    private readonly BootLogFault Fault(BootLogFaultCode code) => new(code, _places.Count, _at);

    private BootLogFault? OldEvent()
    {
        if (Left < OldHeader)
        {
            return Fault(BootLogFaultCode.HeaderTruncated);
        }

        return Finish(_at + 8, 1, _at + 8 + OldDigest);
    }

    private BootLogFault? AgileEvent()
    {
        if (Left < 12)
        {
            return Fault(BootLogFaultCode.HeaderTruncated);
        }

        uint count = UInt32(_at + 8);
        if (count > Banks.Length)
        {
            return Fault(BootLogFaultCode.DigestTwice);
        }

        int next = _at + 12, seen = 0;
        for (int i = 0; i < count; i++)
        {
            if (_log.Length - next < sizeof(ushort))
            {
                return Fault(BootLogFaultCode.HeaderTruncated);
            }

            int bank = IndexOf(BinaryPrimitives.ReadUInt16LittleEndian(_log[next..]), i);
            if (bank < 0)
            {
                return Fault(BootLogFaultCode.BankNotDeclared);
            }

            if ((seen & (1 << bank)) != 0)
            {
                return Fault(BootLogFaultCode.DigestTwice);
            }

            seen |= 1 << bank;
            next += sizeof(ushort);
            if (_log.Length - next < Banks[bank].DigestBytes)
            {
                return Fault(BootLogFaultCode.HeaderTruncated);
            }

            next += Banks[bank].DigestBytes;
        }

        return _log.Length - next < sizeof(uint)
            ? Fault(BootLogFaultCode.HeaderTruncated)
            : Finish(_at + 12, (int)count, next);
    }

    /// <summary>Takes the event whose size stands at <paramref name="sizeAt"/>, which is known to lie inside.</summary>
    private BootLogFault? Finish(int digestsAt, int digests, int sizeAt)
    {
        uint pcr = UInt32(_at), type = UInt32(_at + 4), size = UInt32(sizeAt);
        int dataAt = sizeAt + sizeof(uint);
        if (size > (uint)(_log.Length - dataAt))
        {
            return Fault(BootLogFaultCode.DataBeyondEnd);
        }

        // What extends nothing may name any PCR; Windows and TDX logs write 2^32 - 1 there.
        if (pcr >= BootLogLimits.Pcrs && type != (uint)BootEventType.NoAction)
        {
            return Fault(BootLogFaultCode.PcrOutOfRange);
        }

        _places.Add(new EventPlace(pcr, type, digestsAt, digests, dataAt, (int)size));
        _at = dataAt + (int)size;
        return null;
    }

    /// <summary>
    /// TCG_EfiSpecIDEvent (section 10.4.5.1), if the first event is one. What the vendor adds at its end is not looked
    /// at: the event's own size bounds it, and nothing depends on it.
    /// </summary>
    private BootLogFault? Declaration()
    {
        EventPlace place = _places[0];
        ReadOnlySpan<byte> data = _log.Slice(place.DataAt, place.DataLength);
        if (place.Type != (uint)BootEventType.NoAction || !data.StartsWith(AgileSignature))
        {
            return null;
        }

        if (data.Length < SpecIdFixed + sizeof(uint))
        {
            return DeclarationFault(BootLogFaultCode.SpecIdMalformed);
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(data[SpecIdFixed..]);
        data = data[(SpecIdFixed + sizeof(uint))..];
        if (count is 0 or > BootLogLimits.Banks || data.Length < count * 2 * sizeof(ushort))
        {
            return DeclarationFault(BootLogFaultCode.SpecIdMalformed);
        }

        var banks = ImmutableArray.CreateBuilder<DeclaredBank>((int)count);
        for (int i = 0; i < count; i++)
        {
            ushort algorithm = BinaryPrimitives.ReadUInt16LittleEndian(data[(4 * i)..]);
            int length = BinaryPrimitives.ReadUInt16LittleEndian(data[((4 * i) + 2)..]);
            if (length is 0 or > BootLogLimits.DigestBytes
                || (PcrBanks.KnownLength(algorithm) is { } known && known != length))
            {
                return DeclarationFault(BootLogFaultCode.DigestLengthWrong);
            }

            if (banks.Any(b => b.Algorithm == algorithm))
            {
                return DeclarationFault(BootLogFaultCode.BankTwice);
            }

            banks.Add(new DeclaredBank(algorithm, length));
        }

        Format = BootLogFormat.CryptoAgile;
        Banks = banks.MoveToImmutable();

        // This one event's digest is no measurement in any bank.
        _places[0] = place with { Digests = 0 };
        return null;
    }

    private static BootLogFault DeclarationFault(BootLogFaultCode code) => new(code, 0, 0);

    private readonly uint UInt32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_log[at..]);

    /// <summary>Which declared bank this is; events nearly always have them in the declared order.</summary>
    private readonly int IndexOf(ushort algorithm, int place)
    {
        if (Banks[place].Algorithm == algorithm)
        {
            return place;
        }

        for (int i = 0; i < Banks.Length; i++)
        {
            if (Banks[i].Algorithm == algorithm)
            {
                return i;
            }
        }

        return -1;
    }
}
