using System.Collections.Immutable;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// Reads the header of a LUKS volume (LUKS1 On-Disk Format 1.2.3; LUKS2 On-Disk Format 1.1.3) and says everything that
/// is against it. A header is under nobody's signature: whoever writes the file chooses the cipher, so what does not
/// encrypt as ours does is refused here, before any tool opens it (CVE-2025-59054 and its like).
/// <para>
/// QEMU's own driver reads version 1 alone. Of that it reads, at an opening, the first 592 bytes and the key material
/// of the slots that are in use; it writes neither at an opening, a read or write of data, a flush nor a resize (which
/// changes the file's length alone), and both only when keys are changed (<c>amend</c>). So all bytes before the data
/// stay as they were made, for as long as nobody adds or removes a key, and <see cref="HeaderDigest"/> may name them.
/// </para>
/// </summary>
public static class LuksReader
{
    /// <summary>The one cipher that is accepted.</summary>
    public const string Cipher = "aes-xts-plain64";

    /// <summary>The one hash that is accepted.</summary>
    public const string Hash = "sha256";

    /// <summary>The one length of a master key, in bytes: two keys of AES-256.</summary>
    public const uint KeyBytes = 64;

    /// <summary>The one number of stripes.</summary>
    public const uint Stripes = 4000;

    /// <summary>The bytes of one slot's key material, split.</summary>
    internal const ulong SplitBytes = KeyBytes * (ulong)Stripes;

    /// <summary>Reads a header; throws only what the reader of the file throws.</summary>
    public static LuksReading Read(DiskBytes bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        DiskReads file = new(bytes);
        LuksRefusals against = new();
        LuksHeader? header = file.Head switch
        {
            [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xba, 0xbe, 0, 1, ..] => Luks1.Read(file, against),
            [(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xba, 0xbe, 0, 2, ..] => Luks2.Read(file, against),
            _ => NotLuks(against),
        };
        if (header is not null)
        {
            Judge(header, (ulong)file.Length, against);
        }

        return new LuksReading(header, against.All);
    }

    private static LuksHeader? NotLuks(LuksRefusals against)
    {
        against.Add(LuksRefusalCode.NotLuks, "It does not begin as LUKS of version 1 or 2 does.");
        return null;
    }

    /// <summary>What holds of both versions.</summary>
    private static void Judge(LuksHeader header, ulong fileBytes, LuksRefusals against)
    {
        against.Unless(
            Guid.TryParseExact(header.Uuid, "D", out _), LuksRefusalCode.Uuid, $"Its UUID is '{header.Uuid}'.");
        if (IsNull(header.Cipher))
        {
            against.Add(
                LuksRefusalCode.NullCipher, $"Its cipher '{header.Cipher}' encrypts nothing: any passphrase opens it.");
        }

        against.Unless(
            header.Cipher == Cipher, LuksRefusalCode.Cipher, $"Its cipher is '{header.Cipher}' and not {Cipher}.");
        against.Unless(header.Hash == Hash, LuksRefusalCode.Hash, $"Its hash is '{header.Hash}' and not {Hash}.");
        against.Unless(
            header.KeyBytes == KeyBytes, LuksRefusalCode.KeySize,
            $"Its key has {header.KeyBytes} bytes and not {KeyBytes}.");
        against.Iterations(header.Digest.Iterations, "The digest of its key");
        ulong begins = header.Payload.Offset;
        against.Unless(
            begins % DiskBytes.SectorBytes == 0 && begins is > 0 and <= DiskLimits.LuksPayloadOffset,
            LuksRefusalCode.PayloadOffset, $"Its data is said to begin at byte {begins}.");
        against.Unless(
            begins < fileBytes, LuksRefusalCode.Truncated,
            $"Its data is said to begin at byte {begins}, and the file has {fileBytes}.");
        Slots(header, against);
    }

    private static void Slots(LuksHeader header, LuksRefusals against)
    {
        int active = header.Slots.Count(slot => slot.IsActive);
        against.Unless(active > 0, LuksRefusalCode.NoActiveSlot, "No key slot is in use.");
        against.Unless(
            active <= 1, LuksRefusalCode.SeveralActiveSlots, $"{active} key slots are in use, and one is ours.");
        foreach (LuksSlot slot in header.Slots)
        {
            against.Unless(
                slot.Stripes == Stripes, LuksRefusalCode.Stripes, $"Slot {slot.Number} has {slot.Stripes} stripes.");
            against.Unless(
                slot.Area.Length >= SplitBytes && slot.Area.LiesIn(header.KeysFrom, header.Payload.Offset),
                LuksRefusalCode.SlotArea,
                $"The key material of slot {slot.Number} would be {slot.Area.Length} bytes at {slot.Area.Offset}.");
            if (slot.IsActive && slot.Derivation == "pbkdf2")
            {
                against.Iterations(slot.Iterations, $"Slot {slot.Number}");
            }

            foreach (LuksSlot other in header.Slots.Where(one => one.Number > slot.Number))
            {
                against.Unless(
                    !slot.Area.Overlaps(other.Area), LuksRefusalCode.SlotsOverlap,
                    $"The key material of the slots {slot.Number} and {other.Number} is in the same place.");
            }
        }
    }

    private static bool IsNull(string cipher) => cipher.Contains("null", StringComparison.OrdinalIgnoreCase)
        || cipher.StartsWith("none", StringComparison.OrdinalIgnoreCase)
        || cipher.Contains("-ecb", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Gathers what is against a header, each reason once.</summary>
internal sealed class LuksRefusals
{
    private const int Most = 64;
    private readonly List<LuksRefusal> _all = [];

    public ImmutableArray<LuksRefusal> All => [.. _all];

    public void Add(LuksRefusalCode code, string sentence)
    {
        LuksRefusal one = new(code, sentence);
        if (_all.Count < Most && !_all.Contains(one))
        {
            _all.Add(one);
        }
    }

    public void Unless(bool holds, LuksRefusalCode code, string sentence)
    {
        if (!holds)
        {
            Add(code, sentence);
        }
    }

    public void Iterations(uint count, string whose) => Unless(
        count is >= DiskLimits.LeastIterations and <= DiskLimits.MostIterations, LuksRefusalCode.Iterations,
        $"{whose} is derived with {count} iterations.");

    /// <summary>A text in a field of fixed length, ended by a zero and with zeros behind it.</summary>
    public string Field(ReadOnlySpan<byte> field, string what)
    {
        int end = field.IndexOf((byte)0);
        ReadOnlySpan<byte> text = end < 0 ? field : field[..end];
        Unless(
            end >= 0 && !field[end..].ContainsAnyExcept((byte)0)
                && !text.ContainsAnyExceptInRange((byte)0x20, (byte)0x7e),
            LuksRefusalCode.Text, $"The text of the {what} is not as it should be: '{HeaderFields.Shown(text)}'.");
        return HeaderFields.Shown(text);
    }
}
